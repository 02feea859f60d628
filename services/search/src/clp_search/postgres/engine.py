"""The index in PostgreSQL: an engine that several processes share."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from unicodedata import unidata_version

from sqlalchemy import Connection, delete, event, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from clp_chassis.persistence.database import Database
from clp_search.engine import (
    MAX_COUNTED,
    Document,
    EngineUnavailable,
    HitPage,
    HitSnippets,
    IndexSize,
    SearchRequest,
    SliceRequest,
    Slots,
    SortKey,
    VerifiedSlice,
    at_once,
    without_steps,
)
from clp_search.postgres.rows import COLUMNS, document_of, rows_of, upsert
from clp_search.postgres.where import conditions
from clp_search.query import Query
from clp_search.result_pages import page_of, verified_page, verify_slice
from clp_search.snippets import highlight_slice, snippets_of
from clp_search.tables import DOCUMENTS, GENERATIONS

log = logging.getLogger(__name__)

# Raise this when the analysis or the stored form of documents changes.
FORMAT: Final = 3
GENERATION: Final = f"{FORMAT}-{unidata_version}"

# Cancel a search beyond this, so that one cannot hold up the others.
SEARCH_TIMEOUT: Final = timedelta(seconds=5)
MILLISECOND: Final = timedelta(milliseconds=1)
SEEN_INTERVAL: Final = timedelta(minutes=1)
UNUSED_RETENTION: Final = timedelta(days=1)
REMOVAL_BATCH: Final = 5_000

# Candidates fetched for verification: enough for most pages, then more.
FIRST_CANDIDATES: Final = MAX_COUNTED + 1
MORE_CANDIDATES: Final = 450

# Statements around conditions, which contain nothing that a person typed.
_PAGE: Final = (
    f"select {COLUMNS} from documents where {{met}}"  # noqa: S608 - our own names only
    " order by posted_at desc, number desc, message desc limit %s"
)
_COUNT: Final = (
    "select count(*) from (select from documents where {met} limit %s) as met"
)
# Counting reads the rows: `status` counts up to this, then uses the statistics of
# PostgreSQL, which are renewed as the table changes.
MAX_EXACT_COUNT: Final = 50_000
_KEPT: Final = "from documents where generation = %s and not deleted"
_COUNT_KEPT: Final = f"select count(*) from (select {_KEPT} limit %s) as kept"  # noqa: S608 - our own names only
_ESTIMATE_KEPT: Final = f"explain (format json) select {_KEPT}"


class PostgresIndex:
    """An `Engine` in a database that any number of processes read and write.

    The cursor and the documents change in one transaction: nothing is missing and
    nothing is applied twice. Processes with another analysis, as during an update, use
    a generation of their own.
    """

    def __init__(self, database: Database, *, generation: str = GENERATION) -> None:
        self.database = database
        self.generation = generation
        self._autocommit = database.engine.execution_options(
            isolation_level="AUTOCOMMIT"
        )
        self._cursor = 0
        self._seen_at: datetime | None = None

    def cursor(self) -> int:
        """Return the position up to which any process has applied changes."""
        statement = select(GENERATIONS.c.position).where(self._is_ours)
        with self._querying() as connection:
            self._cursor = connection.scalar(statement) or 0
        return self._cursor

    def wants(self, project: str, position: int) -> bool:
        """Return whether a change is new, as far as this process knows."""
        del project
        return self._cursor < position

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Apply documents and advance the cursor; skip what another process applied."""
        if not after <= self.cursor() < upto:
            return
        # Analysed before the lock, which others may be waiting for.
        rows = rows_of(documents, self.generation)
        with self._writing() as session:
            self._cursor = self._locked_cursor(session)
            if not after <= self._cursor < upto:
                return
            upsert(session.connection(), rows)
            session.execute(
                update(GENERATIONS).where(self._is_ours).values(position=upto)
            )
        self._cursor = upto

    def search(self, request: SearchRequest, slots: Slots = at_once) -> HitPage:
        """Return a page of matching messages of some channels."""
        if request.plan.verify:
            return verified_page(request, self.verify, slots)
        return slots(partial(self._page, request), without_steps)

    def _page(self, request: SearchRequest) -> HitPage:
        with self._querying() as connection:

            def count() -> int:
                met, values = conditions(request, self.generation, None)
                statement = _COUNT.format(met=met)
                values = (*values, MAX_COUNTED + 1)
                return int(connection.exec_driver_sql(statement, values).scalar_one())

            return page_of(partial(self._found, connection, request), request, count)

    def verify(self, part: SliceRequest) -> VerifiedSlice:
        """Verify a slice of the messages that match the terms."""
        with self._querying() as connection:
            newest_first = partial(self._found, connection, part.search)
            return verify_slice(newest_first, part)

    def highlight(
        self, documents: Sequence[Document], query: Query, slots: Slots = at_once
    ) -> tuple[HitSnippets, ...]:
        """Highlight the matches in the documents of a page."""
        return snippets_of(documents, query, highlight=highlight_slice, slots=slots)

    def maintain(self, now: datetime) -> None:
        """Mark this generation as used; remove a part of an unused one."""
        if self._seen_at is not None and now - self._seen_at < SEEN_INTERVAL:
            return
        self._seen_at = now
        with self._writing() as session:
            self._locked_cursor(session)
            session.execute(
                update(GENERATIONS).where(self._is_ours).values(seen_at=func.now())
            )
            unused = session.scalars(
                select(GENERATIONS.c.name)
                .where(GENERATIONS.c.seen_at < func.now() - UNUSED_RETENTION)
                .with_for_update(skip_locked=True)
            )
            for name in unused.all():
                _remove_some(session, name)

    def checkpoint(self) -> None:
        """Do nothing: changes are durable when applied."""

    def size(self) -> IndexSize:
        """Return the number of documents of this generation, and the bytes of all.

        Beyond `MAX_EXACT_COUNT` the number is an estimate.
        """
        with self._querying() as connection:
            documents = self._document_count(connection)
            size = connection.scalar(
                text("select pg_total_relation_size('documents'::regclass)")
            )
        return IndexSize(documents=documents, size_bytes=size or 0)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def _document_count(self, connection: Connection) -> int:
        statement = (self.generation, MAX_EXACT_COUNT + 1)
        counted: int = connection.exec_driver_sql(_COUNT_KEPT, statement).scalar_one()
        if counted <= MAX_EXACT_COUNT:
            return counted
        plan = connection.exec_driver_sql(_ESTIMATE_KEPT, (self.generation,))
        return max(counted, int(plan.scalar_one()[0]["Plan"]["Plan Rows"]))

    @property
    def _is_ours(self) -> Any:
        return GENERATIONS.c.name == self.generation

    @contextmanager
    def _querying(self) -> Iterator[Connection]:
        """Open a connection whose statements each see all commits before them."""
        with _translating_errors(), self._autocommit.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with _translating_errors(), self.database.writing() as session:
            yield session

    def _locked_cursor(self, session: Session) -> int:
        """Lock and return the cursor until the commit."""
        statement = (
            select(GENERATIONS.c.position).where(self._is_ours).with_for_update()
        )
        position: int | None = session.scalar(statement)
        if position is None:
            created = insert(GENERATIONS).values(
                name=self.generation, position=0, seen_at=func.now()
            )
            session.execute(created.on_conflict_do_nothing())
            position = session.scalars(statement).one()
        return position

    def _found(
        self, connection: Connection, request: SearchRequest, after: SortKey | None
    ) -> Iterator[Document]:
        """Iterate the documents that match the terms, newest first, in batches."""
        limit = FIRST_CANDIDATES if request.plan.verify else request.limit + 1
        while True:
            met, values = conditions(request, self.generation, after)
            statement = _PAGE.format(met=met)
            rows = connection.exec_driver_sql(statement, (*values, limit)).all()
            for row in rows:
                document = document_of(row)
                after = document.key
                yield document
            if len(rows) < limit:
                return
            limit = MORE_CANDIDATES


def open_index(
    url: str, *, generation: str = GENERATION, timeout: timedelta = SEARCH_TIMEOUT
) -> PostgresIndex:
    """Open the index in a migrated database."""
    database = Database(url)

    def prepare(connection: Any, _record: Any) -> None:
        # A generic plan suits no terms: plan each search for its own.
        with connection.cursor() as cursor:
            cursor.execute("set plan_cache_mode = force_custom_plan")
            cursor.execute("set jit = off")
            cursor.execute(f"set statement_timeout = {timeout // MILLISECOND}")
        connection.commit()

    event.listen(database.engine, "connect", prepare)
    return PostgresIndex(database, generation=generation)


@contextmanager
def _translating_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise EngineUnavailable(type(error.orig).__name__) from error


def _remove_some(session: Session, generation: str) -> None:
    """Remove a part of a generation, and its row with the last part."""
    some = (
        select(DOCUMENTS.c.message)
        .where(DOCUMENTS.c.generation == generation)
        .limit(REMOVAL_BATCH)
    )
    removed = delete(DOCUMENTS).where(
        DOCUMENTS.c.generation == generation, DOCUMENTS.c.message.in_(some)
    )
    messages = session.execute(removed.returning(DOCUMENTS.c.message)).all()
    if not messages:
        log.info("generation %s of the index is removed", generation)
        session.execute(delete(GENERATIONS).where(GENERATIONS.c.name == generation))
