"""The migrated schema is the one the code believes in, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from clp_chassis.persistence.database import Database, migrate
from clp_notifications.tables import Base


def test_the_migrated_schema_is_the_one_of_the_tables(database_url: str) -> None:
    migrate(database_url, "clp_notifications")
    database = Database(database_url)
    with database.engine.connect() as connection:
        options = {"compare_type": True, "target_metadata": Base.metadata}
        differences = compare_metadata(
            MigrationContext.configure(connection, opts=options), Base.metadata
        )
    database.close()
    assert differences == []


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url, "clp_notifications")
    migrate(database_url, "clp_notifications")
    database = Database(database_url)
    assert "notifications" in inspect(database.engine).get_table_names()
    database.close()
