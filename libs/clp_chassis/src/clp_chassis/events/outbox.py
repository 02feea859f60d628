"""Outbox and feed: changes committed with their effect, sequenced, then published.

A change is inserted in the transaction of its effect, without a position. The outbox
relay gives committed changes the positions 1, 2, 3 without gaps and publishes an event
for each; a consumer that misses an event reads the feed. One table is both.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from clp_chassis.clock import Clock
from clp_chassis.observability.gauges import GaugeSample, samples_of
from clp_chassis.observability.tracing import carrier
from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_chassis.persistence.column_types import UtcDateTime
from clp_chassis.persistence.database import Database
from clp_contracts import feed
from clp_contracts.health import OUTBOX_WAITS, SignValue

BIG: Final = BigInteger().with_variant(Integer(), "sqlite")
BATCH: Final = 200
RELAY_ROW: Final = 1


class Outbox:
    """The tables of a service's changes, and their statements."""

    def __init__(self, metadata: MetaData) -> None:
        self.changes = Table(
            "changes",
            metadata,
            Column("id", BIG, primary_key=True, autoincrement=True),
            Column("position", BIG, unique=True),
            Column("type", String(100), nullable=False),
            Column("subject", String(200), nullable=False),
            Column("project", String(64), nullable=False),
            Column("detail", Text, nullable=False),
            Column("at", UtcDateTime, nullable=False),
            Column("published_at", UtcDateTime),
        )
        for index, column in (
            ("changes_unpublished", self.changes.c.published_at),
            ("changes_unsequenced", self.changes.c.position),
        ):
            Index(
                index,
                self.changes.c.id,
                postgresql_where=column.is_(None),
                sqlite_where=column.is_(None),
            )
        self.relay = Table(
            "outbox_relay",
            metadata,
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("position", BIG, nullable=False),
        )
        self._statements = _Statements(self.changes, self.relay)

    def append(
        self,
        session: Session,
        *,
        event_type: str,
        subject: str,
        project: str,
        at: datetime,
        detail: Mapping[str, str] | None = None,
    ) -> None:
        """Write a change in the transaction of its effect.

        ``detail`` holds ids only, never a person's text.
        """
        row = self.row(
            event_type=event_type,
            subject=subject,
            project=project,
            at=at,
            detail=detail or {},
        )
        self.insert(session, row)

    @staticmethod
    def row(
        *,
        event_type: str,
        subject: str,
        project: str,
        at: datetime,
        detail: Mapping[str, str],
    ) -> dict[str, Any]:
        """Return the row of a change, with what continues the trace of its cause."""
        return {
            "type": event_type,
            "subject": subject,
            "project": project,
            "detail": json.dumps({**detail, **carrier()}, sort_keys=True),
            "at": at,
        }

    def insert(self, session: Session, row: Mapping[str, Any]) -> None:
        """Write the row of a change in the transaction of its effect."""
        session.execute(self._statements.append, row)

    def has_unsequenced(self, session: Session) -> bool:
        """Whether a committed change has no position yet."""
        return session.scalar(self._statements.unsequenced) is not None

    def assign_positions(self, session: Session) -> tuple[feed.Change, ...]:
        """Give positions to committed changes without one; return these changes."""
        at = self._locked_position(session)
        dialect = session.get_bind().dialect.name
        rows = session.execute(self._statements.assign[dialect], {"at_position": at})
        changes = sorted(map(_change_of, rows), key=lambda change: change.position)
        if changes and dialect == "sqlite":
            session.execute(self._statements.move, {"position": at + len(changes)})
        return tuple(changes)

    def _locked_position(self, session: Session) -> int:
        # One relay assigns positions at a time, in however many processes.
        position = session.scalar(self._statements.locked_position)
        if position is None:
            # Two relays may be the first one at the same time.
            first = {"id": RELAY_ROW, "position": 0}
            insert_if_absent(session, self.relay, first)
            position = session.scalars(self._statements.locked_position).one()
        return int(position)

    def unpublished(self, session: Session) -> tuple[feed.Change, ...]:
        """Return changes with a position that were not published yet, oldest first."""
        rows = session.execute(self._statements.unpublished)
        return tuple(map(_change_of, rows))

    def mark_published(
        self, session: Session, positions: Sequence[int], at: datetime
    ) -> None:
        """Record that the changes at these positions were published."""
        session.execute(
            self._statements.mark_published,
            {"positions": positions, "published_at": at},
        )

    def after(self, session: Session, request: feed.ReadChanges) -> feed.Changes:
        """Return the feed after a position."""
        limit = max(1, min(request.limit, BATCH))
        rows = session.execute(
            self._statements.after, {"after": request.after, "at_most": limit}
        ).all()
        changes = tuple(map(_change_of, rows))
        head = rows[0].head if rows else self.head(session)
        return feed.Changes(changes=changes, head=head)

    def head(self, session: Session) -> int:
        """Return the position of the newest change with one."""
        return session.scalar(self._statements.head) or 0

    def pending(self, session: Session) -> int:
        """Return how many changes were not published yet."""
        pending = select(func.count()).select_from(self.changes)
        return session.scalar(pending.where(self.changes.c.published_at.is_(None))) or 0

    def gauges(
        self, service: str, database: Database, clock: Clock
    ) -> Callable[[], tuple[GaugeSample, ...]]:
        """Return the gauge of a service's outbox: how much waits, and since when."""

        def read() -> tuple[GaugeSample, ...]:
            with database.reading() as session:
                return self.samples(session, service, clock())

        return read

    def signs(
        self, session: Session, service: str, now: datetime
    ) -> tuple[SignValue, ...]:
        """Measure the age of the oldest change that waits to be published."""
        oldest = session.scalar(
            select(func.min(self.changes.c.at)).where(
                self.changes.c.published_at.is_(None)
            )
        )
        age = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
        return (SignValue(metric=OUTBOX_WAITS.metric, of=service, value=age),)

    def samples(
        self, session: Session, service: str, now: datetime
    ) -> tuple[GaugeSample, ...]:
        """Return how many changes wait to be published, and the age of the oldest."""
        return (
            GaugeSample(
                name="clp_outbox_waiting_changes",
                help="Committed changes not published yet.",
                value=self.pending(session),
                labels={"service": service},
            ),
            *samples_of(self.signs(session, service, now)),
        )


class _Statements:
    """Built once: they run for every change."""

    def __init__(self, changes: Table, relay: Table) -> None:
        unsequenced = changes.c.position.is_(None)
        waiting = (
            select(
                changes.c.id,
                func.row_number().over(order_by=changes.c.id).label("rank"),
            )
            .where(unsequenced)
            .order_by(changes.c.id)
            .limit(BATCH)
            .cte("waiting")
        )
        self.append = insert(changes)
        self.unsequenced = select(changes.c.id).where(unsequenced).limit(1)
        at_position = bindparam("at_position", type_=BIG)
        assign = (
            update(changes)
            .where(changes.c.id == waiting.c.id)
            .values(position=waiting.c.rank + at_position)
            .returning(*changes.c)
        )
        counted = select(func.count()).select_from(waiting).scalar_subquery()
        moved = (
            update(relay)
            .where(relay.c.id == RELAY_ROW)
            .values(position=at_position + counted)
            .cte("moved")
        )
        self.assign = {"sqlite": assign, "postgresql": assign.add_cte(moved)}
        self.locked_position = (
            select(relay.c.position).where(relay.c.id == RELAY_ROW).with_for_update()
        )
        self.move = update(relay).where(relay.c.id == RELAY_ROW)
        in_order = select(changes).order_by(changes.c.position)
        self.unpublished = in_order.where(
            changes.c.published_at.is_(None), changes.c.position.is_not(None)
        ).limit(BATCH)
        self.mark_published = update(changes).where(
            changes.c.position.in_(bindparam("positions", expanding=True))
        )
        self.head = select(func.max(changes.alias("newest").c.position))
        self.after = (
            in_order.add_columns(self.head.scalar_subquery().label("head"))
            .where(changes.c.position > bindparam("after", type_=BIG))
            .limit(bindparam("at_most", type_=Integer))
        )


def _change_of(row: Row[Any]) -> feed.Change:
    return feed.Change(
        position=row.position,
        type=row.type,
        subject=row.subject,
        project=row.project,
        at=row.at,
        detail=json.loads(row.detail),
    )
