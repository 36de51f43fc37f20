"""Alembic's entry: runs on the connection `omnibot.db.migrate` hands over."""

from alembic import context

from omnibot.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
