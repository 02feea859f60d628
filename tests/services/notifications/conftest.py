"""Routing and delivery on a fresh, migrated database, SQLite and PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_chassis.persistence.database import Database
from clp_notifications.tables import Base
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.databases import BOTH, database_without_tables, migrated_database


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return database_without_tables(request, tmp_path)


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with migrated_database(
        request, tmp_path, "clp_notifications", Base.metadata
    ) as opened:
        yield opened


@pytest.fixture
def harness(database: Database) -> DeliveryHarness:
    """Both process types, and a world to tell things to."""
    return DeliveryHarness(database)


@pytest.fixture
def world(harness: DeliveryHarness) -> World:
    return harness.world
