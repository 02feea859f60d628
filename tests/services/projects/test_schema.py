"""What the migrations build is what the tables say, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from clp_chassis.database import Database, migrate
from clp_projects.tables import KEY, Base


def test_the_migrated_schema_is_the_one_of_the_tables(database_url: str) -> None:
    migrate(database_url, "clp_projects")
    database = Database(database_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    database.close()


def test_migrating_twice_is_migrating_once(database_url: str) -> None:
    migrate(database_url, "clp_projects")
    migrate(database_url, "clp_projects")


def test_keys_are_compared_byte_by_byte(database_url: str) -> None:
    migrate(database_url, "clp_projects")
    database = Database(database_url)
    found = inspect(database.engine)
    if not database.is_sqlite:
        for table in Base.metadata.sorted_tables:
            collations = {
                column["name"]: getattr(column["type"], "collation", None)
                for column in found.get_columns(table.name)
            }
            for column in table.columns:
                if column.type is KEY:
                    assert collations[column.name] == "C", column
    database.close()
