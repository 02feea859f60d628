"""The use cases of `messages` on a fresh, migrated database, SQLite and PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_chassis.persistence.database import Database
from clp_messages.tables import Base
from tests.services.messages.object_store import (
    CREDENTIALS,
    ObjectStore,
    object_store,
)
from tests.services.messages.scenario import Scenario
from tests.support.databases import BOTH, migrated_database


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with migrated_database(request, tmp_path, "clp_messages", Base.metadata) as opened:
        yield opened


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """One S3-compatible server for all tests; each makes a bucket of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with object_store(tmp_path_factory.mktemp("objects")) as server:
            yield server


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What boto3 signs with, for tests without a server."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def scenario(database: Database, tmp_path: Path) -> Scenario:
    """Night Train with north and south on it."""
    return Scenario(database, tmp_path / "files")
