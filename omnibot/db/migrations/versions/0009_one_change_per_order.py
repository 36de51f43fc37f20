"""One change of an order at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UNDECIDED = sa.text("act IN ('modify', 'cancel') AND state = 'proposed'")
_UNDER_WAY = sa.text("act IN ('modify', 'cancel') AND state IN ('approved', 'submitting', 'unknown', 'not_placed')")


def upgrade() -> None:
    # Of several that wait for one order the newest stays; whoever wants another asks again.
    op.execute(
        """
        UPDATE tickets SET state = 'expired', reason = 'A newer change of the same order took its place.',
            ended_at = expires_at, owner = NULL, lease_until = NULL
        WHERE act IN ('modify', 'cancel') AND state = 'proposed' AND EXISTS (
            SELECT 1 FROM tickets AS newer
            WHERE newer.account_id = tickets.account_id AND newer.order_id = tickets.order_id
                AND newer.act IN ('modify', 'cancel') AND newer.state = 'proposed'
                AND (newer.created_at > tickets.created_at
                    OR (newer.created_at = tickets.created_at AND newer.id > tickets.id)))
        """
    )
    op.create_index(
        "ux_tickets_change_undecided",
        "tickets",
        ["account_id", "order_id"],
        unique=True,
        sqlite_where=_UNDECIDED,
        postgresql_where=_UNDECIDED,
    )
    op.create_index(
        "ux_tickets_change_under_way",
        "tickets",
        ["account_id", "order_id", "act"],
        unique=True,
        sqlite_where=_UNDER_WAY,
        postgresql_where=_UNDER_WAY,
    )


def downgrade() -> None:
    op.drop_index("ux_tickets_change_under_way", "tickets")
    op.drop_index("ux_tickets_change_undecided", "tickets")
