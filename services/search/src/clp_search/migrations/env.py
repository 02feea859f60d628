"""Run the migrations on the connection of the chassis."""

from alembic import context

from clp_search.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
