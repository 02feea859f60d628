"""Effects of another service's feed, kept together with the cursor."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from clp_chassis.clock import Clock
from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_chassis.persistence.column_types import UtcDateTime
from clp_chassis.persistence.database import Database
from clp_contracts.feed import Change

log = logging.getLogger(__name__)

MAX_ERROR_LENGTH: Final = 2000


class Projection(Protocol):
    """The target to which a feed reader applies changes."""

    def cursor(self) -> int:
        """Return the position up to which changes were applied."""

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Apply changes in order and move the cursor, in one step."""

    def count_dead_letters(self) -> int:
        """Return how many dead letters wait for an operator."""

    def add_dead_letter(self, change: Change, error: str) -> None:
        """Record a change that cannot be applied, and move the cursor past it."""


class Cursors:
    """The tables of cursors and dead letters."""

    def __init__(self, metadata: MetaData) -> None:
        self.cursors = Table(
            "cursors",
            metadata,
            Column("reader", String(64), primary_key=True),
            Column("position", BigInteger, nullable=False),
        )
        self.dead_letters = Table(
            "dead_letters",
            metadata,
            Column("reader", String(64), primary_key=True),
            Column("position", BigInteger, primary_key=True),
            Column("type", String(100), nullable=False),
            Column("subject", String(200), nullable=False),
            Column("error", Text, nullable=False),
            Column("at", UtcDateTime, nullable=False),
        )

    def position(self, session: Session, reader: str, *, lock: bool = False) -> int:
        """Return a reader's cursor; with ``lock``, hold it until the commit."""
        query = select(self.cursors.c.position).where(self.cursors.c.reader == reader)
        position = session.scalar(query.with_for_update() if lock else query)
        if position is None and lock:
            # Two processes may start to read at the same time.
            first = {"reader": reader, "position": 0}
            insert_if_absent(session, self.cursors, first)
            position = session.scalar(query.with_for_update())
        return position or 0

    def move(self, session: Session, reader: str, position: int) -> None:
        """Set a reader's cursor."""
        session.execute(
            self.cursors.update()
            .where(self.cursors.c.reader == reader)
            .values(position=position)
        )


class DatabaseProjection:
    """A projection into the service's own database.

    ``prepare`` may call other services; ``write`` gets its result and must only write
    to the database. Changes that another process applied meanwhile are left out.
    """

    def __init__(
        self,
        reader: str,
        *,
        database: Database,
        cursors: Cursors,
        clock: Clock,
        prepare: Callable[[tuple[Change, ...]], Any],
        write: Callable[[Session, tuple[Change, ...], Any], None],
    ) -> None:
        self._reader = reader
        self._database, self._cursors, self._clock = database, cursors, clock
        self._prepare = prepare
        self._write = write

    def cursor(self) -> int:
        """Return the position up to which changes were applied."""
        with self._database.reading() as session:
            return self._cursors.position(session, self._reader)

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Apply changes and move the cursor in one transaction."""
        prepared = self._prepare(changes)
        with self._database.writing() as session:
            done = self._cursors.position(session, self._reader, lock=True)
            fresh = tuple(change for change in changes if change.position > done)
            if fresh:
                self._write(session, fresh, prepared)
                self._cursors.move(session, self._reader, fresh[-1].position)

    def add_dead_letter(self, change: Change, error: str) -> None:
        """Record a change that cannot be applied, with ids only, and go on."""
        with self._database.writing() as session:
            done = self._cursors.position(session, self._reader, lock=True)
            if change.position <= done:
                return
            session.execute(
                insert(self._cursors.dead_letters).values(
                    reader=self._reader,
                    position=change.position,
                    type=change.type,
                    subject=change.subject,
                    error=error[:MAX_ERROR_LENGTH],
                    at=self._clock(),
                )
            )
            self._cursors.move(session, self._reader, change.position)

    def count_dead_letters(self) -> int:
        """Return how many dead letters wait for an operator."""
        rows = self._cursors.dead_letters
        counted = select(func.count()).where(rows.c.reader == self._reader)
        with self._database.reading() as session:
            return session.scalar(counted) or 0

    def dead_letters(self, after: int, limit: int) -> Sequence[Row[Any]]:
        """Return the dead letters after a position, oldest first."""
        rows = self._cursors.dead_letters
        with self._database.reading() as session:
            return session.execute(
                select(rows)
                .where(rows.c.reader == self._reader, rows.c.position > after)
                .order_by(rows.c.position)
                .limit(limit)
            ).all()

    def redrive(self, change: Change) -> None:
        """Apply a dead letter and delete it, in one transaction.

        The cursor is past it. Effects have natural keys (one announcement, one
        notification), so applying a change twice does no harm.
        """
        prepared = self._prepare((change,))
        with self._database.writing() as session:
            deleted = session.execute(self._row(change.position, delete))
            if deleted.rowcount:  # type: ignore[attr-defined]
                self._write(session, (change,), prepared)

    def record_failure(self, position: int, error: str) -> None:
        """Replace the error of a dead letter that failed again."""
        with self._database.writing() as session:
            session.execute(
                self._row(position, update).values(
                    error=error[:MAX_ERROR_LENGTH], at=self._clock()
                )
            )

    def _row(self, position: int, statement: Callable[[Table], Any]) -> Any:
        rows = self._cursors.dead_letters
        return statement(rows).where(
            rows.c.reader == self._reader, rows.c.position == position
        )
