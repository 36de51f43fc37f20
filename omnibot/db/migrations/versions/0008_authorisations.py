"""Signatures with which approved orders are sent."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_authorisations",
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_authorisations_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "attempt", name=op.f("pk_ticket_authorisations")),
    )


def downgrade() -> None:
    op.drop_table("ticket_authorisations")
