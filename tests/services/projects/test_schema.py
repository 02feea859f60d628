"""What the migrations build is what the tables say, on both databases."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from clp_chassis.persistence.database import Database, migrate
from clp_projects.tables import Base


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


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    code = "import sys; from clp_chassis.persistence.database import migrate; migrate(*sys.argv[1:])"
    command = [sys.executable, "-c", code, database_url, "clp_projects"]
    started = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in started] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.broker)], indirect=True
)
def test_keys_are_compared_byte_by_byte(database_url: str) -> None:
    migrate(database_url, "clp_projects")
    database = Database(database_url)
    found = inspect(database.engine)
    assert {
        f"{table.name}.{column['name']}"
        for table in Base.metadata.sorted_tables
        for column in found.get_columns(table.name)
        if getattr(column["type"], "collation", None) == "C"
    } == {
        "people.name_key",
        "projects.title_key",
        "people.address_key",
        "person_roles.role",
        "prefix_entries.key",
        "announcements.key",
        "read_leases.key",
    }
    database.close()
