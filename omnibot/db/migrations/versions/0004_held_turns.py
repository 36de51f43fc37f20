"""Since when a turn is held, and where a question was asked whose answer is elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("turns") as batch_op:
        batch_op.add_column(sa.Column("held_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("asked_thread_ts", sa.String(length=32), nullable=True))
        batch_op.create_index("ix_turns_asked_in", ["asked_in", "asked_thread_ts"])
        batch_op.create_index("ix_turns_person", ["org", "user", "created_at"])


def downgrade() -> None:
    with op.batch_alter_table("turns") as batch_op:
        batch_op.drop_index("ix_turns_person")
        batch_op.drop_index("ix_turns_asked_in")
        batch_op.drop_column("asked_thread_ts")
        batch_op.drop_column("held_at")
