"""The use cases of `projects` on a fresh, migrated database, SQLite and PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_projects.tables import Base
from tests.services.projects.sample_world import World
from tests.support.databases import BOTH, database_without_tables, migrated_database


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return database_without_tables(request, tmp_path)


@pytest.fixture(params=BOTH)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The sample world on a migrated database."""
    with migrated_database(request, tmp_path, "clp_projects", Base.metadata) as opened:
        sample = World(opened)
        sample.begin()
        yield sample
