"""The migrated schema is the one the code works with, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from clp_chassis.persistence.database import Database, migrate
from clp_messages.tables import Base


def test_the_migrated_schema_is_the_schema_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = inspect(database.engine).get_table_names()
    migrate(database.engine.url.render_as_string(hide_password=False), "clp_messages")
    assert inspect(database.engine).get_table_names() == before
