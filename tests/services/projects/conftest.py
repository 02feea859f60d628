"""The use cases of `projects` on a fresh, migrated database, SQLite and PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clp_chassis.persistence.database import Database
from clp_projects.tables import Base
from tests.services.projects.sample_world import World
from tests.support.databases import (
    BOTH,
    MigratedFile,
    database_without_tables,
    empty,
    migrated_database,
)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return database_without_tables(request, tmp_path)


@pytest.fixture(scope="session")
def begun_file(
    migrated_file: MigratedFile, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The SQLite file of the sample world, to be copied."""
    folder = tmp_path_factory.mktemp("begun")
    path = Path(shutil.copy(migrated_file("clp_projects"), folder))
    database = Database(f"sqlite:///{path}")
    World(database).begin()
    database.close()
    return path


@pytest.fixture(scope="session")
def begun_rows(migrated_url: Callable[[str], str]) -> str:
    """What puts the sample world into the empty database on PostgreSQL."""
    names = [table.name for table in Base.metadata.sorted_tables]
    database = Database(migrated_url("clp_projects"))
    empty(database.engine, Base.metadata)
    World(database).begin()
    copies = "; ".join(f"CREATE TABLE begun.{name} AS TABLE {name}" for name in names)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA begun; {copies}")
        sequences = connection.exec_driver_sql(
            "SELECT sequencename, last_value FROM pg_sequences"
            " WHERE last_value IS NOT NULL"
        ).all()
    database.close()
    rows = [
        f"INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT * FROM begun.{name}"  # noqa: S608
        for name in names
    ]
    numbers = [f"SELECT setval('{name}', {last})" for name, last in sequences]
    return "; ".join(["SET LOCAL session_replication_role = replica", *rows, *numbers])


@pytest.fixture(params=BOTH)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The sample world on a migrated database."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("begun_file"), tmp_path)
        database = Database(f"sqlite:///{file}")
        yield World(database)
        database.close()
        return
    statements = request.getfixturevalue("begun_rows")
    with migrated_database(request, tmp_path, "clp_projects", Base.metadata) as opened:
        with opened.engine.begin() as connection:
            connection.exec_driver_sql(statements)
        yield World(opened)
