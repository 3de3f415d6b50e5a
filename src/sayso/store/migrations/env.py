"""Runs migrations on the connection that `sayso.store.database.migrate` hands over."""

from alembic import context

from sayso.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
    transactional_ddl=True,  # ours begins explicitly, so SQLite can undo a half-done migration
)
with context.begin_transaction():
    context.run_migrations()
