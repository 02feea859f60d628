"""Databases of tests: emptied quickly, and used twice only where their dialect matters."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, MetaData, text

from clp_chassis.persistence.database import Database, migrate
from clp_suite.server_access import DatabaseAccess

# The parameters of a fixture whose tests run on both.
BOTH: Final = ["sqlite", pytest.param("postgres", marks=pytest.mark.broker)]

# The rules behind these use cases do not depend on the database: `make test` runs them on
# SQLite, `make test-all` on PostgreSQL as well. Locks, upserts, queries, plans, parallel
# writers and every module that is not named here run on both.
SAME_ON_BOTH: Final = frozenset(
    f"tests/services/{name}.py"
    for name in (
        "messages/test_announcements",
        "messages/test_editing",
        "messages/test_hostile_files",
        "messages/test_mail_content",
        "messages/test_mentions",
        "messages/test_scanning",
        "messages/test_screens",
        "messages/test_service",
        "messages/test_uploads",
        "notifications/test_bounces",
        "notifications/test_cli",
        "notifications/test_digests",
        "notifications/test_explain",
        "notifications/test_mail_settings",
        "notifications/test_reasons",
        "notifications/test_relay_behaviours",
        "notifications/test_relay_throttle",
        "notifications/test_routing",
        "notifications/test_withdrawal",
        "projects/test_announcements",
        "projects/test_directory",
        "projects/test_people",
        "projects/test_readable_projects",
    )
)

MigratedFile = Callable[[str], Path]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> MigratedFile:
    """Return the SQLite file of a package, migrated and without rows, to be copied."""

    @cache
    def file_of(package: str) -> Path:
        path = tmp_path_factory.mktemp("migrated") / f"{package}.db"
        migrate(f"sqlite:///{path}", package)
        return path

    return file_of


@pytest.fixture(scope="session")
def migrated_url(postgres: DatabaseAccess) -> Callable[[str], str]:
    """Return the PostgreSQL database of a package, migrated, to be emptied before use."""

    @cache
    def url_of(package: str) -> str:
        url = postgres.create_database(package)
        migrate(url, package)
        return url

    return url_of


def database_without_tables(request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the URL of a database of its own, by the parameter of a fixture."""
    number = next(_numbers)
    if request.param == "sqlite":
        return f"sqlite:///{folder / f'{number}.db'}"
    server: DatabaseAccess = request.getfixturevalue("postgres")
    return server.create_database(f"empty{number}")


@contextmanager
def migrated_database(
    request: pytest.FixtureRequest, folder: Path, package: str, metadata: MetaData
) -> Iterator[Database]:
    """Open a database with the newest schema and no rows, by a fixture's parameter."""
    if request.param == "sqlite":
        file = request.getfixturevalue("migrated_file")(package)
        database = Database(f"sqlite:///{shutil.copy(file, folder)}")
    else:
        database = Database(request.getfixturevalue("migrated_url")(package))
        empty(database.engine, metadata)
    yield database
    database.close()


def empty(engine: Engine, metadata: MetaData) -> None:
    """Delete all rows of a PostgreSQL database and restart its sequences.

    For the few rows of a test this takes a sixth of the time of TRUNCATE.
    """
    names = [table.name for table in metadata.sorted_tables]
    tables = "; ".join(f"DELETE FROM {name}" for name in names)  # noqa: S608
    restart = "".join(f"; ALTER SEQUENCE {name} RESTART" for name in _sequences(engine))
    with engine.begin() as connection:
        # Foreign keys are not checked: every table is emptied.
        connection.exec_driver_sql(
            f"SET LOCAL session_replication_role = replica; {tables}{restart}"
        )


@cache
def _sequences(engine: Engine) -> tuple[str, ...]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT sequencename FROM pg_sequences"))
        return tuple(name for (name,) in rows)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the second run of what is the same on both databases to the night."""
    for item in items:
        path = item.path.relative_to(item.config.rootpath).as_posix()
        if path in SAME_ON_BOTH and item.get_closest_marker("broker") is not None:
            item.add_marker(pytest.mark.slow)
