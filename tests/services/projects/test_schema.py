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


# Forked with everything imported, and let go at once: closer than four that import.
FOUR_PROCESSES = """
import clp_chassis.persistence.migrations, gc, os, sys
from clp_chassis.persistence.database import migrate
gc.freeze()
ready, go = os.pipe()
started = []
for _ in range(4):
    if not (pid := os.fork()):
        os.close(go)
        os.read(ready, 1)
        migrate(*sys.argv[1:])
        sys.exit()
    started.append(pid)
os.close(go)
print([os.waitpid(pid, 0)[1] for pid in started])
"""


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    command = [sys.executable, "-c", FOUR_PROCESSES, database_url, "clp_projects"]
    assert subprocess.check_output(command, text=True) == "[0, 0, 0, 0]\n"


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
