"""Committed changes: written with their effect, numbered once committed, announced.

A change is inserted in the transaction of its effect, without a position. The relay
numbers committed changes 1, 2, 3 without gaps and announces them; whoever misses an
announcement reads the feed. So the table is outbox and feed in one.
"""

import json
from collections.abc import Mapping
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

from clp_chassis.observability.gauges import Reading
from clp_chassis.observability.tracing import carrier
from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_chassis.persistence.column_types import Instant
from clp_contracts import feed

BIG: Final = BigInteger().with_variant(Integer(), "sqlite")
BATCH: Final = 200
RELAY_ROW: Final = 1


class Outbox:
    """The tables of a service's changes and what is done to them."""

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
            Column("at", Instant, nullable=False),
            Column("announced_at", Instant),
        )
        self._insert = insert(self.changes)
        Index(
            "changes_unannounced",
            self.changes.c.id,
            postgresql_where=self.changes.c.announced_at.is_(None),
            sqlite_where=self.changes.c.announced_at.is_(None),
        )
        Index(
            "changes_unnumbered",
            self.changes.c.id,
            postgresql_where=self.changes.c.position.is_(None),
            sqlite_where=self.changes.c.position.is_(None),
        )
        self.relay = Table(
            "relay",
            metadata,
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("position", BIG, nullable=False),
        )
        self._statements = _Statements(self.changes, self.relay)

    def append(
        self, session: Session, change: tuple[str, str, str], **options: Any
    ) -> None:
        """Write a change ``(type, subject, project)`` beside its effect.

        Options: ``at``, when it happened, and ``detail``, a mapping of short strings,
        ids only and never a person's text.
        """
        kind, subject, project = change
        # Whoever reads the change can go on with the trace of its cause.
        detail: Mapping[str, str] = {**(options.get("detail") or {}), **carrier()}
        session.execute(
            self._statements.append,
            {
                "type": kind,
                "subject": subject,
                "project": project,
                "detail": json.dumps(dict(detail), sort_keys=True),
                "at": options["at"],
            },
        )

    def has_unnumbered(self, session: Session) -> bool:
        """Whether a committed change waits for its position."""
        return session.scalar(self._statements.unnumbered) is not None

    def number(self, session: Session) -> tuple[feed.Change, ...]:
        """Give positions to committed changes that have none; give these changes."""
        at = self._locked_position(session)
        rows = session.execute(self._statements.number, {"at_position": at})
        numbered = sorted(map(_change_of, rows), key=lambda change: change.position)
        if numbered:
            session.execute(self._statements.move, {"position": at + len(numbered)})
        return tuple(numbered)

    def _locked_position(self, session: Session) -> int:
        # One relay numbers at a time, however many processes the service has.
        position = session.scalar(self._statements.locked_position)
        if position is None:
            # Two relays may be the first one at the same time.
            first = {"id": RELAY_ROW, "position": 0}
            insert_if_absent(session, self.relay, first)
            position = session.scalars(self._statements.locked_position).one()
        return int(position)

    def unannounced(self, session: Session) -> tuple[feed.Change, ...]:
        """Numbered changes that nobody has announced yet, oldest first."""
        rows = session.execute(self._statements.unannounced)
        return tuple(map(_change_of, rows))

    def announced(self, session: Session, upto: tuple[int, ...], at: datetime) -> None:
        """Note that changes of these positions were announced."""
        session.execute(
            self._statements.announced, {"positions": list(upto), "announced_at": at}
        )

    def after(self, session: Session, ask: feed.ReadChanges) -> feed.Changes:
        """The feed after a position."""
        limit = max(1, min(ask.limit, BATCH))
        rows = session.execute(
            self._statements.after, {"after": ask.after, "at_most": limit}
        )
        changes = tuple(map(_change_of, rows))
        return feed.Changes(changes=changes, head=self.head(session))

    def head(self, session: Session) -> int:
        """The position of the newest numbered change."""
        return session.scalar(self._statements.head) or 0

    def pending(self, session: Session) -> int:
        """How many changes wait for a position or for their announcement."""
        waiting = select(func.count()).select_from(self.changes)
        return session.scalar(waiting.where(self.changes.c.announced_at.is_(None))) or 0

    def waiting(
        self, session: Session, service: str, now: datetime
    ) -> tuple[Reading, ...]:
        """Gauges: how many changes wait to be announced, and since when."""
        oldest = session.scalar(
            select(func.min(self.changes.c.at)).where(
                self.changes.c.announced_at.is_(None)
            )
        )
        age = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
        about = {"service": service}
        return (
            Reading(
                name="clp_outbox_waiting_changes",
                help="Committed changes that were not announced yet.",
                value=self.pending(session),
                labels=about,
            ),
            Reading(
                name="clp_outbox_oldest_seconds",
                help="Since when the oldest of them waits.",
                value=age,
                labels=about,
            ),
        )


class _Statements:
    """Made once: they are run for every change there is."""

    def __init__(self, changes: Table, relay: Table) -> None:
        unnumbered = changes.c.position.is_(None)
        waiting = (
            select(
                changes.c.id,
                func.row_number().over(order_by=changes.c.id).label("place"),
            )
            .where(unnumbered)
            .order_by(changes.c.id)
            .limit(BATCH)
            .subquery("waiting")
        )
        in_order = select(changes).order_by(changes.c.position)
        self.append = insert(changes)
        self.unnumbered = select(changes.c.id).where(unnumbered).limit(1)
        self.number = (
            update(changes)
            .where(changes.c.id == waiting.c.id)
            .values(position=waiting.c.place + bindparam("at_position", type_=BIG))
            .returning(*changes.c)
        )
        self.locked_position = (
            select(relay.c.position).where(relay.c.id == RELAY_ROW).with_for_update()
        )
        self.move = update(relay).where(relay.c.id == RELAY_ROW)
        self.unannounced = in_order.where(
            changes.c.announced_at.is_(None), changes.c.position.is_not(None)
        ).limit(BATCH)
        self.announced = update(changes).where(
            changes.c.position.in_(bindparam("positions", expanding=True))
        )
        self.after = in_order.where(
            changes.c.position > bindparam("after", type_=BIG)
        ).limit(bindparam("at_most", type_=Integer))
        self.head = select(func.max(changes.c.position))


def _change_of(row: Row[Any]) -> feed.Change:
    return feed.Change(
        position=row.position,
        type=row.type,
        subject=row.subject,
        project=row.project,
        at=row.at,
        detail=json.loads(row.detail),
    )
