"""The use cases of `messages` on a fresh, migrated database, SQLite and PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_chassis.persistence.database import Database, migrate
from clp_messages.tables import Base
from clp_suite.server_access import DatabaseAccess
from tests.services.messages.object_store import (
    CREDENTIALS,
    ObjectStore,
    object_store,
)
from tests.services.messages.scenario import Scenario
from tests.support.databases import empty


@pytest.fixture(scope="session")
def postgres_database(postgres: DatabaseAccess) -> str:
    """One migrated database for all tests; each begins by emptying it."""
    url = postgres.create_database("messages")
    migrate(url, "clp_messages")
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One migrated file; each test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "messages.db"
    migrate(f"sqlite:///{path}", "clp_messages")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.broker)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the newest schema."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        path = shutil.copy(template, tmp_path / "messages.db")
        database = Database(f"sqlite:///{path}")
    else:
        database = Database(request.getfixturevalue("postgres_database"))
        empty(database.engine, Base.metadata)
    yield database
    database.close()


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
