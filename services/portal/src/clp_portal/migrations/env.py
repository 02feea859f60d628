"""Runs the migrations over the connection that the chassis gives."""

from alembic import context

from clp_portal.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
