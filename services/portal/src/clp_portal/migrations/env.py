"""Run the migrations on the connection that the chassis opened."""

from alembic import context

from clp_portal.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
