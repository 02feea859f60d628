"""One database per service: SQLite or PostgreSQL, with the schema of its program."""

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
from sqlalchemy.exc import (
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from clp_chassis.persistence.direct_session import DirectSession
from clp_chassis.persistence.open_connections import OpenConnections

# The database or its disk is unavailable for a while: worth another try. A server that
# only reads, as after a failover, raises the internal one.
TRANSIENT_ERRORS: Final = (
    OperationalError,
    InterfaceError,
    InternalError,
    PoolTimeoutError,
    OSError,
)
BUSY_TIMEOUT_S: Final = 15
# Of the connections of a pool, so many at most stay open for reading and for writing.
MAX_KEPT: Final = 4
# A server whose machine is gone is noticed within so many seconds; the kernel's default
# is a quarter of an hour.
DEAD_PEER_TIMEOUT_S: Final = 15
CONNECT_ARGS: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": DEAD_PEER_TIMEOUT_S * 1000,
}
# Alembic's table with the revision of a schema.
VERSION_TABLE: Final = "alembic_version"
CURRENT_REVISION: Final = select(column("version_num", String)).select_from(
    table(VERSION_TABLE)
)


class UnsupportedSchema(Exception):
    """The database was created by a version that this one cannot upgrade."""


class Database:
    """Sessions for reading and transactions for writing.

    A write transaction must not wait for anything but the database: no call, no
    publish and no sleep between its first statement and its end.

    ``pre_ping`` costs a round trip to see before each use that the server has not ended
    the connection meanwhile: for those whose callers do not try again.
    """

    def __init__(
        self, url: str, pool_size: int = 12, *, pre_ping: bool = False
    ) -> None:
        self.engine = _engine(url, pool_size, pre_ping=pre_ping)
        # PostgreSQL shows each statement what is committed by then, with or without a
        # transaction around it; autocommit saves two round trips.
        reading = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._readers = self.engine.execution_options(**reading)
        self._writers = self.engine.execution_options(clp_writes=True)
        # A ping is sent when a connection leaves the pool: it must not stay outside.
        self._connections = OpenConnections(0 if pre_ping else MAX_KEPT)
        self._connections.end_with(self.engine)
        self._on_commit: list[Callable[[], None]] = []
        # SQLite has one writer. Waiting for it here lets other green threads run;
        # waiting inside SQLite would block them all.
        self._writer: AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else nullcontext()
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that only reads."""
        with (
            self._connections.use(self._readers) as connection,
            DirectSession(connection) as session,
        ):
            yield session

    @contextmanager
    def writing(
        self, *, notify: bool = True, at_once: bool = False
    ) -> Iterator[Session]:
        """Open a write transaction; after its commit, call the `on_commit` listeners.

        ``notify`` is false for transactions that write nothing to the outbox. With
        ``at_once`` a single statement is the transaction on PostgreSQL, which saves the
        round trips that begin and commit one; SQLite has none.
        """
        with (
            self._writer,
            self._transaction(at_once=at_once) as connection,
            DirectSession(connection) as session,
        ):
            yield session
            session.flush()
        for listener in self._on_commit if notify else ():
            listener()

    @contextmanager
    def _transaction(self, *, at_once: bool) -> Iterator[Connection]:
        if at_once and not self.is_sqlite:
            with self._connections.use(self._readers) as connection:
                yield connection
        else:
            with (
                self._connections.use(self._writers) as connection,
                connection.begin(),
            ):
                yield connection

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call a function after each committed write transaction."""
        self._on_commit.append(listener)

    def ping(self) -> None:
        """Raise when the database is unavailable."""
        with self.engine.connect() as connection:
            connection.execute(text("select 1"))

    def close(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


def migrate(url: str, package: str) -> str:
    """Upgrade a database to the newest schema of a service; safe to run in parallel.

    A schema newer than this program is left as it is: in a rolling update the new
    program migrates first, and an old one may still start. Within a generation (the
    thousands of a revision) schemas only grow, so the old program finds all it knows.

    Returns:
        The revision that the database has now.

    Raises:
        UnsupportedSchema: when the schema is of another generation.
    """
    engine = _engine(url, 1)
    writing = engine.execution_options(clp_writes=True)
    try:
        with as_file(files(package) / "migrations") as scripts:
            known = _known_revisions(scripts)
            # PostgreSQL also has privileges to set, which a restored table has lost.
            is_current = _current_revision(engine, known) == known[-1]
            if not is_current or engine.dialect.name == "postgresql":
                # Slow to import, and needed only when there is something to do.
                from clp_chassis.persistence.migrations import upgrade  # noqa: PLC0415

                with writing.begin() as connection:
                    upgrade(connection, scripts)
            return _current_revision(engine, known)
    finally:
        engine.dispose()


def prepare_schema(url: str, package: str) -> None:
    """Migrate a SQLite file; on PostgreSQL only look, and refuse an old schema.

    The role that serves may create nothing there: another one migrates.

    Raises:
        UnsupportedSchema: naming the command to run.
    """
    if url.startswith("sqlite"):
        migrate(url, package)
        return
    engine = _engine(url, 1)
    try:
        with as_file(files(package) / "migrations") as scripts:
            known = _known_revisions(scripts)
        current = _current_revision(engine, known)
    except ProgrammingError as error:
        reason = type(error.orig).__name__
        raise UnsupportedSchema(
            f"the role may not read the database ({reason}): "
            "run deploy/postgresql/roles.sql"
        ) from None
    finally:
        engine.dispose()
    if current < known[-1]:
        found = f"at {current}" if current else "empty"
        raise UnsupportedSchema(
            f"the schema of the database is {found}, this program needs {known[-1]}: "
            f"run `python -m {package} migrate`"
        )


def _known_revisions(scripts: Path) -> list[str]:
    """The revisions that this program knows, oldest first.

    Names of revision files begin with the number of the revision, in ascending order.
    """
    return sorted(
        path.name.partition("_")[0] for path in (scripts / "versions").glob("[0-9]*.py")
    )


def _current_revision(engine: Engine, known: list[str]) -> str:
    """The revision of a database; empty for a database without a schema."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return ""
        current = max(connection.scalars(CURRENT_REVISION).all(), default="")
    if current and current < known[0]:
        raise UnsupportedSchema(
            "the database was made before 0.1.0: begin with an empty data folder"
        )
    if current[:1] > known[-1][:1]:
        raise UnsupportedSchema(
            f"the schema of the database is at {current}, of a later generation than "
            f"this program, which knows {known[-1]}: start a newer program"
        )
    return current


def _engine(url: str, pool_size: int, *, pre_ping: bool = False) -> Engine:
    if not url.startswith("sqlite"):
        _wait_in_hub()
        # Parameters hold people's texts, and the text of an error goes far.
        return create_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_pre_ping=pre_ping,
            hide_parameters=True,
            connect_args=CONNECT_ARGS,
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
    # psycopg is installed only where there is a PostgreSQL server.
    from clp_chassis.persistence.eventlet_postgres import wait_for_postgres_in_hub  # noqa: PLC0415

    wait_for_postgres_in_hub()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would begin a transaction too late.
    connection.isolation_level = None
    # A killed process loses nothing; a power cut may lose the last commits.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # Statements that only read see what is committed by then, as on PostgreSQL. A
    # transaction that begins by reading cannot always go on to write.
    if connection.get_execution_options().get("clp_writes", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
