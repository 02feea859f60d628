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
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from clp_chassis.instants import Instant
from clp_chassis.observing.gauges import Reading
from clp_chassis.observing.tracing import carrier
from clp_chassis.storing import insert_if_absent
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
            insert(self.changes).values(
                type=kind,
                subject=subject,
                project=project,
                detail=json.dumps(dict(detail), sort_keys=True),
                at=options["at"],
            )
        )

    def has_unnumbered(self, session: Session) -> bool:
        """Whether a committed change waits for its position."""
        waiting = select(self.changes.c.id).where(self.changes.c.position.is_(None))
        return session.scalar(waiting.limit(1)) is not None

    def number(self, session: Session) -> int:
        """Give positions to committed changes that have none; say to how many."""
        at = self._locked_position(session)
        rows = session.scalars(
            select(self.changes.c.id)
            .where(self.changes.c.position.is_(None))
            .order_by(self.changes.c.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return 0
        for position, row in enumerate(rows, start=at + 1):
            session.execute(
                update(self.changes)
                .where(self.changes.c.id == row)
                .values(position=position)
            )
        session.execute(update(self.relay).values(position=at + len(rows)))
        return len(rows)

    def _locked_position(self, session: Session) -> int:
        # One relay numbers at a time, however many processes the service has.
        locked = select(self.relay.c.position).where(self.relay.c.id == RELAY_ROW)
        position = session.scalar(locked.with_for_update())
        if position is None:
            # Two relays may be the first one at the same time.
            first = {"id": RELAY_ROW, "position": 0}
            insert_if_absent(session, self.relay, first)
            position = session.scalars(locked.with_for_update()).one()
        return int(position)

    def unannounced(self, session: Session) -> tuple[feed.Change, ...]:
        """Numbered changes that nobody has announced yet, oldest first."""
        return self._read(
            session,
            self.changes.c.announced_at.is_(None),
            self.changes.c.position.is_not(None),
        )

    def announced(self, session: Session, upto: tuple[int, ...], at: datetime) -> None:
        """Note that changes of these positions were announced."""
        session.execute(
            update(self.changes)
            .where(self.changes.c.position.in_(upto))
            .values(announced_at=at)
        )

    def after(self, session: Session, ask: feed.ReadChanges) -> feed.Changes:
        """The feed after a position."""
        limit = max(1, min(ask.limit, BATCH))
        changes = self._read(session, self.changes.c.position > ask.after, limit=limit)
        return feed.Changes(changes=changes, head=self.head(session))

    def head(self, session: Session) -> int:
        """The position of the newest numbered change."""
        return session.scalar(select(func.max(self.changes.c.position))) or 0

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

    def _read(
        self, session: Session, *conditions: Any, limit: int = BATCH
    ) -> tuple[feed.Change, ...]:
        rows = session.execute(
            select(self.changes)
            .where(*conditions)
            .order_by(self.changes.c.position)
            .limit(limit)
        )
        return tuple(
            feed.Change(
                position=row.position,
                type=row.type,
                subject=row.subject,
                project=row.project,
                at=row.at,
                detail=json.loads(row.detail),
            )
            for row in rows
        )
