"""Routing and delivery on a fresh, migrated database, SQLite and PostgreSQL."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_chassis.database import Database, migrate
from clp_suite.servers import PrivatePostgres, server_directory
from tests.services.notifications.house import Works
from tests.services.notifications.story import World

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    if not (available := PrivatePostgres.available()):
        if os.environ.get("CI") == "true":
            pytest.fail(f"no PostgreSQL on this machine; {available}")
        pytest.skip(f"NOT RUN: no PostgreSQL on this machine; {available}")
    with (
        server_directory() as directory,
        PrivatePostgres(directory / "pg", survives_power_cuts=False) as server,
    ):
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.broker)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of its own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notifications.db'}"
    server: PrivatePostgres = request.getfixturevalue("postgres")
    return server.create_database(f"notifications{next(_numbers)}")


@pytest.fixture
def works(database_url: str) -> Iterator[Works]:
    """Both process types, and a world to tell things to."""
    migrate(database_url, "clp_notifications")
    database = Database(database_url)
    yield Works(database)
    database.close()


@pytest.fixture
def world(works: Works) -> World:
    return works.world
