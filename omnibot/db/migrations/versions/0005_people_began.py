"""A person's turns are found quickly: for the list of what they began."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_turns_person", "turns", ["org", "user", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_turns_person", "turns")
