"""Replies may begin as streams, buttons may run structured actions, pictures are uploaded once."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("posts") as batch_op:
        batch_op.add_column(sa.Column("streaming", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("buttons") as batch_op:
        batch_op.add_column(sa.Column("action", sa.JSON(), nullable=True))
    op.create_table(
        "uploads",
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_uploads_turn_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn_id", "name", name=op.f("pk_uploads")),
    )


def downgrade() -> None:
    op.drop_table("uploads")
    with op.batch_alter_table("buttons") as batch_op:
        batch_op.drop_column("action")
    with op.batch_alter_table("posts") as batch_op:
        batch_op.drop_column("streaming")
