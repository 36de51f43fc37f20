"""People's own API keys, the accounts they chose, and the pages to enter a key on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("org", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("validated_at", sa.DateTime(), nullable=False),
        sa.Column("broken_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("org", "user", name=op.f("pk_links")),
    )
    op.create_index("ix_links_fingerprint", "links", ["fingerprint"])
    op.create_index("ix_links_team", "links", ["team"])
    op.create_table(
        "account_choices",
        sa.Column("org", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("principal", sa.String(length=120), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("thread_ts", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("org", "user", "principal", "channel", "thread_ts", name=op.f("pk_account_choices")),
    )
    op.create_index("ix_account_choices_team", "account_choices", ["team"])
    op.create_table(
        "link_pages",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("org", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("sealed_name", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_link_pages")),
        sa.UniqueConstraint("org", "user", name=op.f("uq_link_pages_org_user")),
    )


def downgrade() -> None:
    op.drop_table("link_pages")
    op.drop_table("account_choices")
    op.drop_table("links")
