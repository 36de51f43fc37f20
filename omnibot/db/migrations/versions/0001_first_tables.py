"""The first tables: conversations, turns, posts, buttons."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('accepted', 'submitting', 'running', 'finalizing', 'held')")
AT_OMNI = sa.text("state IN ('submitting', 'running')")


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("thread_ts", sa.String(length=32), nullable=False),
        sa.Column("principal", sa.String(length=120), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("omni_thread_id", sa.String(length=64), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("omni_thread_id", name=op.f("uq_conversations_omni_thread_id")),
        sa.UniqueConstraint(
            "team",
            "channel",
            "thread_ts",
            "principal",
            "account_id",
            name=op.f("uq_conversations_team_channel_thread_ts_principal_account_id"),
        ),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source_key", sa.String(length=255), nullable=False),
        sa.Column("press_key", sa.String(length=255), nullable=True),
        sa.Column("surface", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("org", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("asked_in", sa.String(length=32), nullable=True),
        sa.Column("thread_ts", sa.String(length=32), nullable=True),
        sa.Column("message_ts", sa.String(length=32), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("edited_ts", sa.String(length=32), nullable=True),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("held_for", sa.String(length=16), nullable=True),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("request", sa.JSON(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=64), nullable=True),
        sa.Column("request_thread_id", sa.String(length=64), nullable=True),
        sa.Column("submitted_at", sa.DateTime(), nullable=True),
        sa.Column("submissions", sa.Integer(), nullable=False),
        sa.Column("response_id", sa.String(length=64), nullable=True),
        sa.Column("user_message_id", sa.String(length=64), nullable=True),
        sa.Column("deadline_at", sa.DateTime(), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(), nullable=True),
        sa.Column("canceled_by", sa.String(length=32), nullable=True),
        sa.Column("notices", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("queue_said", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("pruned_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_turns_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turns")),
        sa.UniqueConstraint("source_key", name=op.f("uq_turns_source_key")),
        sa.UniqueConstraint("user_message_id", name=op.f("uq_turns_user_message_id")),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index("ix_turns_conversation", ["conversation_id", "message_ts"], unique=False)
        batch_op.create_index("ix_turns_open", ["due_at"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)
        batch_op.create_index("ix_turns_thread", ["channel", "thread_ts", "user"], unique=False)
        batch_op.create_index(
            "uq_turns_at_omni", ["conversation_id"], unique=True, sqlite_where=AT_OMNI, postgresql_where=AT_OMNI
        )
        batch_op.create_index(
            "uq_turns_press_key", ["press_key"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
        )

    op.create_table(
        "buttons",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("part_index", sa.Integer(), nullable=False),
        sa.Column("button_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column("action_id", sa.Text(), nullable=True),
        sa.Column("pressed_by", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_buttons_turn_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_buttons")),
        sa.UniqueConstraint("turn_id", "position", name=op.f("uq_buttons_turn_id_position")),
    )
    op.create_table(
        "posts",
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("slot", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("ts", sa.String(length=32), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("written", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_posts_turn_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn_id", "slot", name=op.f("pk_posts")),
    )


def downgrade() -> None:
    op.drop_table("posts")
    op.drop_table("buttons")
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.drop_index("uq_turns_press_key", sqlite_where=OPEN, postgresql_where=OPEN)
        batch_op.drop_index("uq_turns_at_omni", sqlite_where=AT_OMNI, postgresql_where=AT_OMNI)
        batch_op.drop_index("ix_turns_thread")
        batch_op.drop_index("ix_turns_open", sqlite_where=OPEN, postgresql_where=OPEN)
        batch_op.drop_index("ix_turns_conversation")

    op.drop_table("turns")
    op.drop_table("conversations")
