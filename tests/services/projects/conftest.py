"""The use cases of `projects` on a fresh, migrated database, SQLite and PostgreSQL."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_chassis.persistence.database import Database, migrate
from clp_projects.tables import Base
from clp_suite.server_access import DatabaseAccess
from tests.services.projects.sample_world import World
from tests.support.databases import empty

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.broker)]

_numbers = itertools.count(1)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, not migrated."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'projects.db'}"
    server: DatabaseAccess = request.getfixturevalue("postgres")
    return server.create_database(f"projects{next(_numbers)}")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("projects") / "migrated.db"
    migrate(f"sqlite:///{path}", "clp_projects")
    return path


@pytest.fixture(scope="session")
def migrated_url(postgres: DatabaseAccess) -> str:
    url = postgres.create_database("projects")
    migrate(url, "clp_projects")
    return url


@pytest.fixture(params=BOTH)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The sample world on a migrated database."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path)
        database = Database(f"sqlite:///{file}")
    else:
        database = Database(request.getfixturevalue("migrated_url"))
        empty(database.engine, Base.metadata)
    sample = World(database)
    sample.begin()
    yield sample
    database.close()
