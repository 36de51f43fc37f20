"""Tickets, their versions and votes, exchange days, the halt, and the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("ticket_id", sa.String(length=32), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
        sa.UniqueConstraint("prev_hash", name=op.f("uq_audit_prev_hash")),
    )
    op.create_index("ix_audit_ticket_id", "audit", ["ticket_id"], unique=False)
    op.create_table(
        "audit_heads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "halts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("halted", sa.Boolean(), nullable=False),
        sa.Column("org", sa.String(length=32), nullable=True),
        sa.Column("user", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_halts")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.Column("action_id", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("org", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("thread_ts", sa.String(length=32), nullable=True),
        sa.Column("turn_id", sa.String(length=32), nullable=True),
        sa.Column("principal", sa.String(length=120), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("proposed", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("holding", sa.String(length=64), nullable=False),
        sa.Column("sells", sa.String(length=80), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("client_order_id", sa.String(length=64), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=True),
        sa.Column("decided_org", sa.String(length=32), nullable=True),
        sa.Column("decided_user", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(), nullable=True),
        sa.Column("request_id", sa.String(length=80), nullable=True),
        sa.Column("unknown_since", sa.DateTime(), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("first_look_at", sa.DateTime(), nullable=True),
        sa.Column("ops_told", sa.Boolean(), nullable=False),
        sa.Column("order", sa.JSON(), nullable=True),
        sa.Column("order_id", sa.String(length=64), nullable=True),
        sa.Column("order_over", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=True),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("client_order_id", name=op.f("uq_tickets_client_order_id")),
        sa.UniqueConstraint(
            "message_id", "action_id", "position", name=op.f("uq_tickets_message_id_action_id_position")
        ),
    )
    op.create_index("ix_tickets_due_at", "tickets", ["due_at"], unique=False)
    op.create_index("ix_tickets_holding", "tickets", ["account_id", "holding"], unique=False)
    op.create_index("ix_tickets_owner", "tickets", ["org", "user", "created_at"], unique=False)
    op.create_table(
        "ticket_cards",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("telling", sa.String(length=16), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["tickets.id"], name=op.f("fk_ticket_cards_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_cards")),
    )
    op.create_index("ix_ticket_cards_due_at", "ticket_cards", ["due_at"], unique=False)
    op.create_table(
        "trading_days",
        sa.Column("org", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("org", "user", "day", name=op.f("pk_trading_days")),
    )
    op.create_table(
        "reservations",
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("org", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("chain", sa.String(length=80), nullable=False),
        sa.Column("notional", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_reservations_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_reservations")),
    )
    op.create_index("ix_reservations_day", "reservations", ["org", "user", "day"], unique=False)
    op.create_table(
        "ticket_versions",
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=48), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.Column("unsendable", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("org", sa.String(length=32), nullable=True),
        sa.Column("user", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_versions_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "version", name=op.f("pk_ticket_versions")),
        sa.UniqueConstraint("token", name=op.f("uq_ticket_versions_token")),
    )
    op.create_table(
        "ticket_votes",
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("org", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("quote", sa.JSON(), nullable=False),
        sa.Column("policy_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_votes_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "version", "attempt", "org", "user", name=op.f("pk_ticket_votes")),
    )

    # Each is one row, to be locked: nobody has halted yet, and nothing was done yet.
    op.execute(sa.text("INSERT INTO halts (id, halted) VALUES (1, FALSE)"))
    heads = sa.table("audit_heads", sa.column("id"), sa.column("seq"), sa.column("hash"))
    op.execute(heads.insert().values(id=1, seq=0, hash="0" * 64))


def downgrade() -> None:
    op.drop_table("ticket_votes")
    op.drop_table("ticket_versions")
    op.drop_index("ix_ticket_cards_due_at", table_name="ticket_cards")
    op.drop_table("ticket_cards")
    op.drop_index("ix_reservations_day", table_name="reservations")
    op.drop_table("reservations")
    op.drop_table("trading_days")
    op.drop_index("ix_tickets_owner", table_name="tickets")
    op.drop_index("ix_tickets_holding", table_name="tickets")
    op.drop_index("ix_tickets_due_at", table_name="tickets")
    op.drop_table("tickets")
    op.drop_table("halts")
    op.drop_table("audit_heads")
    op.drop_index("ix_audit_ticket_id", table_name="audit")
    op.drop_table("audit")
