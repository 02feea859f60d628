"""The index in PostgreSQL: an engine that several processes share."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from unicodedata import unidata_version

from sqlalchemy import Connection, delete, event, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from clp_chassis.persistence.database import Database, migrate
from clp_search.engine import (
    MOST_COUNTED,
    Document,
    EngineAway,
    Key,
    Page,
    Shown,
    Size,
    Wanted,
)
from clp_search.postgres.rows import TOLD, document_of, take
from clp_search.postgres.where import conditions
from clp_search.query import Query
from clp_search.result_pages import page_of
from clp_search.snippets import shown
from clp_search.tables import DOCUMENTS, GENERATIONS

log = logging.getLogger(__name__)

# A new way to read texts, or to store documents, is a new generation: raise this.
FORMAT: Final = 1
GENERATION: Final = f"{FORMAT}-{unidata_version}"

# A search that takes longer is given up, so that one cannot hold up the others.
LONGEST_SEARCH: Final = timedelta(seconds=5)
MILLISECOND: Final = timedelta(milliseconds=1)
SEEN_EVERY: Final = timedelta(minutes=1)
KEPT_UNSEEN: Final = timedelta(days=1)
REMOVED_AT_ONCE: Final = 5_000

# How many candidates are fetched to be checked: enough for most pages, then more.
FIRST_CANDIDATES: Final = MOST_COUNTED + 1
MORE_CANDIDATES: Final = 450

# Around conditions, which hold nothing that a person typed.
_PAGE: Final = (
    f"select {TOLD} from documents where {{met}}"  # noqa: S608 - our own names only
    " order by posted_at desc, number desc, message desc limit %s"
)
_COUNT: Final = (
    "select count(*) from (select from documents where {met} limit %s) as met"
)
# Counting reads the rows: so many are counted for `status`, of more PostgreSQL's own
# statistics tell, which it renews as the table changes.
COUNTED_EXACTLY: Final = 50_000
_KEPT: Final = "from documents where generation = %s and not deleted"
_COUNT_KEPT: Final = f"select count(*) from (select {_KEPT} limit %s) as kept"  # noqa: S608 - our own names only
_ESTIMATE_KEPT: Final = f"explain (format json) select {_KEPT}"


class PostgresIndex:
    """An `Engine` in a database that any number of processes read and write.

    The cursor and the documents change in one transaction, whoever of them is first:
    so nothing is missing and nothing is taken twice. Processes that read texts in
    different ways, as during an update, each see their own generation of documents.
    """

    def __init__(self, database: Database, *, generation: str = GENERATION) -> None:
        self.database = database
        self.generation = generation
        self._reading = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._cursor = 0
        self._seen_at: datetime | None = None

    def cursor(self) -> int:
        """The position up to which some process has told the index."""
        asked = select(GENERATIONS.c.position).where(self._is_ours)
        with self._asking() as connection:
            self._cursor = connection.scalar(asked) or 0
        return self._cursor

    def wants(self, project: str, position: int) -> bool:
        """Whether a change is news, as far as this process knows."""
        del project
        return self._cursor < position

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Take documents and move the cursor; what another process took is left out."""
        with self._writing() as session:
            self._cursor = self._locked_cursor(session)
            if not after <= self._cursor < upto:
                return
            take(session.connection(), documents, self.generation)
            session.execute(
                update(GENERATIONS).where(self._is_ours).values(position=upto)
            )
        self._cursor = upto

    def search(self, wanted: Wanted) -> Page:
        """Find a page of messages of some channels."""
        with self._asking() as connection:

            def newest_first(after: Key | None) -> Iterator[Document]:
                return self._found(connection, wanted, after)

            def count() -> int:
                met, values = conditions(wanted, self.generation, None)
                asked = _COUNT.format(met=met)
                values = (*values, MOST_COUNTED + 1)
                return int(connection.exec_driver_sql(asked, values).scalar_one())

            return page_of(newest_first, wanted, count)

    def show(self, documents: Sequence[Document], query: Query) -> tuple[Shown, ...]:
        """Mark what was found, in this process: a database has no workers of ours."""
        return shown(documents, query)

    def tidy(self, now: datetime) -> None:
        """Say that this generation is in use; remove some of one that is not."""
        if self._seen_at is not None and now - self._seen_at < SEEN_EVERY:
            return
        self._seen_at = now
        with self._writing() as session:
            self._locked_cursor(session)
            session.execute(
                update(GENERATIONS).where(self._is_ours).values(seen_at=func.now())
            )
            unseen = session.scalars(
                select(GENERATIONS.c.name)
                .where(GENERATIONS.c.seen_at < func.now() - KEPT_UNSEEN)
                .with_for_update(skip_locked=True)
            )
            for name in unseen.all():
                _remove_some(session, name)

    def checkpoint(self) -> None:
        """Everything is on disk when it was applied."""

    def size(self) -> Size:
        """How many documents this generation holds, and how much all take.

        Beyond `COUNTED_EXACTLY` the number is an estimate.
        """
        with self._asking() as connection:
            documents = self._counted(connection)
            size = connection.scalar(
                text("select pg_total_relation_size('documents'::regclass)")
            )
        return Size(documents=documents, size_bytes=size or 0)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def _counted(self, connection: Connection) -> int:
        asked = (self.generation, COUNTED_EXACTLY + 1)
        counted: int = connection.exec_driver_sql(_COUNT_KEPT, asked).scalar_one()
        if counted <= COUNTED_EXACTLY:
            return counted
        told = connection.exec_driver_sql(_ESTIMATE_KEPT, (self.generation,))
        return max(counted, int(told.scalar_one()[0]["Plan"]["Plan Rows"]))

    @property
    def _is_ours(self) -> Any:
        return GENERATIONS.c.name == self.generation

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        """Questions that each see what was committed before them."""
        with _answering(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with _answering(), self.database.writing() as session:
            yield session

    def _locked_cursor(self, session: Session) -> int:
        """The cursor; nobody else moves it until the commit."""
        asked = select(GENERATIONS.c.position).where(self._is_ours).with_for_update()
        position: int | None = session.scalar(asked)
        if position is None:
            begun = insert(GENERATIONS).values(
                name=self.generation, position=0, seen_at=func.now()
            )
            session.execute(begun.on_conflict_do_nothing())
            position = session.scalars(asked).one()
        return position

    def _found(
        self, connection: Connection, wanted: Wanted, after: Key | None
    ) -> Iterator[Document]:
        """The documents that meet the terms, newest first, fetched as they are read."""
        most = FIRST_CANDIDATES if wanted.plan.check else wanted.limit + 1
        while True:
            met, values = conditions(wanted, self.generation, after)
            asked = _PAGE.format(met=met)
            rows = connection.exec_driver_sql(asked, (*values, most)).all()
            for row in rows:
                document = document_of(row)
                after = document.key
                yield document
            if len(rows) < most:
                return
            most = MORE_CANDIDATES


def open_index(url: str, *, longest: timedelta = LONGEST_SEARCH) -> PostgresIndex:
    """Bring a database to the newest schema and work with it."""
    migrate(url, "clp_search")
    database = Database(url)

    def prepare(connection: Any, _record: Any) -> None:
        # A plan for any terms suits none of them: each search is planned for its own.
        with connection.cursor() as cursor:
            cursor.execute("set plan_cache_mode = force_custom_plan")
            cursor.execute("set jit = off")
            cursor.execute(f"set statement_timeout = {longest // MILLISECOND}")
        connection.commit()

    event.listen(database.engine, "connect", prepare)
    return PostgresIndex(database)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise EngineAway(type(error.orig).__name__) from error


def _remove_some(session: Session, generation: str) -> None:
    """Remove a part of a generation, and its name with the last of it."""
    some = (
        select(DOCUMENTS.c.message)
        .where(DOCUMENTS.c.generation == generation)
        .limit(REMOVED_AT_ONCE)
    )
    gone = delete(DOCUMENTS).where(
        DOCUMENTS.c.generation == generation, DOCUMENTS.c.message.in_(some)
    )
    messages = session.execute(gone.returning(DOCUMENTS.c.message)).all()
    if not messages:
        log.info("generation %s of the index is gone", generation)
        session.execute(delete(GENERATIONS).where(GENERATIONS.c.name == generation))
