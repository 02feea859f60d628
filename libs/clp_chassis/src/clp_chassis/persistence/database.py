"""One database per service: SQLite or PostgreSQL, migrated before it serves."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    String,
    column,
    create_engine,
    event,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

# The database or its disk is away, and comes back: worth another try.
AWAY: Final = (OperationalError, PoolTimeoutError, OSError)
BUSY_TIMEOUT_S: Final = 15
# A server whose machine is gone is noticed in so many seconds, not in a quarter of an
# hour.
NOTICED_S: Final = 15
SERVER: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": NOTICED_S * 1000,
}
# Where Alembic keeps how far a schema is.
VERSIONS: Final = "alembic_version"
IN_FORCE: Final = select(column("version_num", String)).select_from(table(VERSIONS))


class Database:
    """Sessions that read, and transactions that write.

    A write transaction must not wait for anything but the database: no call, no
    publish, no sleep between its first statement and its end.
    """

    def __init__(self, url: str, pool_size: int = 12) -> None:
        self.engine = _engine(url, pool_size)
        # A server shows each question what is committed by then, with or without a
        # transaction around it; without one, two round trips less.
        reading = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._readers = sessionmaker(
            self.engine.execution_options(**reading), expire_on_commit=False
        )
        writing = self.engine.execution_options(clp_writes=True)
        self._writers = sessionmaker(writing, expire_on_commit=False)
        self._on_commit: list[Callable[[], None]] = []
        # SQLite has one writer; waiting for it here keeps the process alive, waiting
        # inside SQLite would freeze every green thread.
        self._writer: AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else nullcontext()
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for questions only."""
        with self._readers() as session:
            yield session

    @contextmanager
    def writing(self, *, tell: bool = True) -> Iterator[Session]:
        """A transaction: all of it is kept, or nothing; then listeners are told."""
        with self._writer, self._writers.begin() as session:
            yield session
        for told in self._on_commit if tell else ():
            told()

    def on_commit(self, told: Callable[[], None]) -> None:
        """Have a function called after each write transaction that was kept."""
        self._on_commit.append(told)

    def ping(self) -> None:
        """Raise when the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("select 1"))

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()


def migrate(url: str, package: str) -> None:
    """Bring a database to the newest schema of a service; safe to run in parallel.

    A schema newer than this program is left as it is: in a rolling update the new
    program migrates first, and an old one may start once more. Schemas only ever grow,
    so the old program finds all it knows.
    """
    engine = _engine(url, 1)
    writing = engine.execution_options(clp_writes=True)
    try:
        with as_file(files(package) / "migrations") as scripts:
            if _is_newest(engine, scripts):
                return
            # It is not needed by who has nothing to migrate, and slow to import.
            from clp_chassis.persistence.migrations import upgrade  # noqa: PLC0415

            with writing.begin() as connection:
                upgrade(connection, scripts)
    finally:
        engine.dispose()


def _is_newest(engine: Engine, scripts: Path) -> bool:
    """Whether the schema is the newest that this program knows.

    Files of revisions begin with their number, and each builds on the one before.
    """
    numbers = (path.name for path in (scripts / "versions").glob("[0-9]*.py"))
    newest = max(numbers).partition("_")[0]
    with engine.connect() as connection:
        if not inspect(connection).has_table(VERSIONS):
            return False
        there = connection.scalars(IN_FORCE)
        return there.all() == [newest]


def _engine(url: str, pool_size: int) -> Engine:
    if not url.startswith("sqlite"):
        _wait_in_hub()
        # What people wrote is among the parameters, and an error's text goes far.
        return create_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            hide_parameters=True,
            connect_args=SERVER,
        )
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=20,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _wait_in_hub() -> None:
    # The driver of a server is installed where there is one.
    from clp_chassis.persistence.eventlet_postgres import wait_for_postgres_in_hub  # noqa: PLC0415

    wait_for_postgres_in_hub()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would begin too late.
    connection.isolation_level = None
    # So a killed process loses nothing; a power cut may lose the last commits.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("clp_writes", False)
    # A transaction that begins as a reader cannot always become a writer.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
