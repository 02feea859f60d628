"""Routing and delivery on a fresh, migrated database, SQLite and PostgreSQL."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_chassis.persistence.database import Database, migrate
from clp_notifications.tables import Base
from clp_suite.server_access import DatabaseAccess
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.databases import empty

_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.broker)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of its own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notifications.db'}"
    server: DatabaseAccess = request.getfixturevalue("postgres")
    return server.create_database(f"notifications{next(_numbers)}")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file without rows, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "notifications.db"
    migrate(f"sqlite:///{path}", "clp_notifications")
    return path


@pytest.fixture(scope="session")
def migrated_url(postgres: DatabaseAccess) -> str:
    """A migrated PostgreSQL database, to be emptied before each use."""
    url = postgres.create_database("notifications")
    migrate(url, "clp_notifications")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.broker)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database without rows."""
    if request.param == "sqlite":
        copy = tmp_path / "notifications.db"
        shutil.copy(request.getfixturevalue("migrated_file"), copy)
        database = Database(f"sqlite:///{copy}")
    else:
        database = Database(request.getfixturevalue("migrated_url"))
        empty(database.engine, Base.metadata)
    yield database
    database.close()


@pytest.fixture
def harness(database: Database) -> DeliveryHarness:
    """Both process types, and a world to tell things to."""
    return DeliveryHarness(database)


@pytest.fixture
def world(harness: DeliveryHarness) -> World:
    return harness.world
