"""The use cases of `projects` on a fresh, migrated database, SQLite and PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_chassis.persistence.database import Database
from clp_projects.tables import Base
from tests.services.projects.sample_world import World
from tests.support.databases import (
    BOTH,
    MigratedFile,
    database_without_tables,
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


@pytest.fixture(params=BOTH)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The sample world on a migrated database."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("begun_file"), tmp_path)
        database = Database(f"sqlite:///{file}")
        yield World(database)
        database.close()
        return
    with migrated_database(request, tmp_path, "clp_projects", Base.metadata) as opened:
        sample = World(opened)
        sample.begin()
        yield sample
