"""Sessions as rows: only a hash of the session id is stored."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import (
    CursorResult,
    Delete,
    Table,
    bindparam,
    delete,
    func,
    select,
    update,
)

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_portal.tables import SessionRow

ID_BYTES: Final = 32
# How stale `seen_at` may be: a request within this time writes nothing.
TOUCH_INTERVAL: Final = timedelta(seconds=60)
MAX_ID_LENGTH: Final = 128
SESSIONS: Final = cast("Table", SessionRow.__table__)
# Built once, of columns and not of an object: each request executes it.
BY_HASH: Final = select(
    SESSIONS.c.person, SESSIONS.c.created_at, SESSIONS.c.seen_at
).where(SESSIONS.c.id_hash == bindparam("key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """The lifetime of a session without a request, and at most."""

    idle: timedelta = timedelta(hours=8)
    maximum: timedelta = timedelta(hours=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session in force; ``key`` names it without giving it away."""

    key: str
    person: str
    ends_at: datetime


def session_hash(session_id: str) -> str:
    """Hash a session id as it is stored."""
    return hashlib.sha256(session_id.encode()).hexdigest()


class Sessions:
    """Create, find and end sessions."""

    def __init__(self, database: Database, clock: Clock, policy: SessionPolicy) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy

    def create(self, person: str, *, provider_session: str | None = None) -> str:
        """Begin a session for a person and return its id, 256 random bits."""
        session_id = secrets.token_urlsafe(ID_BYTES)
        at = self._clock()
        row = SessionRow(
            id_hash=session_hash(session_id),
            person=person,
            provider_session=provider_session,
            created_at=at,
            seen_at=at,
        )
        with self._database.writing() as session:
            session.add(row)
        return session_id

    def find(self, session_id: str) -> Session | None:
        """Return the session of an id, or None when there is none in force."""
        if not session_id or len(session_id) > MAX_ID_LENGTH:
            return None
        key = session_hash(session_id)
        with self._database.reading() as session:
            row = session.execute(BY_HASH, {"key": key}).first()
        at = self._clock()
        if row is None or not self._is_in_force(row.created_at, row.seen_at, at):
            return None
        if at - row.seen_at >= TOUCH_INTERVAL:
            self._touch(key, at)
        ends_at = row.created_at + self._policy.maximum
        return Session(key=key, person=row.person, ends_at=ends_at)

    def in_force(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the sessions in force among keys; an open stream keeps none alive."""
        statement = select(SessionRow).where(SessionRow.id_hash.in_(tuple(keys)))
        at = self._clock()
        with self._database.reading() as session:
            rows = session.scalars(statement).all()
        return frozenset(
            row.id_hash
            for row in rows
            if self._is_in_force(row.created_at, row.seen_at, at)
        )

    def _is_in_force(
        self, created_at: datetime, seen_at: datetime, at: datetime
    ) -> bool:
        policy = self._policy
        return at - seen_at < policy.idle and at - created_at < policy.maximum

    def _touch(self, key: str, at: datetime) -> None:
        row = update(SessionRow).where(SessionRow.id_hash == key)
        with self._database.writing() as session:
            session.execute(row.values(seen_at=at))

    def end(self, session_id: str) -> None:
        """End one session."""
        key = session_hash(session_id)
        self._delete(delete(SessionRow).where(SessionRow.id_hash == key))

    def end_all(self, person: str) -> int:
        """End every session of a person and return how many there were."""
        return self._delete(delete(SessionRow).where(SessionRow.person == person))

    def end_provider_session(self, provider_session: str) -> int:
        """End the sessions that belong to a session at the identity provider."""
        return self._delete(
            delete(SessionRow).where(SessionRow.provider_session == provider_session)
        )

    def sweep(self) -> int:
        """Delete sessions that are over and return how many there were."""
        at = self._clock()
        return self._delete(
            delete(SessionRow).where(
                (SessionRow.seen_at <= at - self._policy.idle)
                | (SessionRow.created_at <= at - self._policy.maximum)
            )
        )

    def count(self) -> int:
        """Count the stored sessions."""
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(SessionRow)) or 0

    def _delete(self, statement: Delete) -> int:
        with self._database.writing() as session:
            result = session.execute(statement)
            return result.rowcount if isinstance(result, CursorResult) else 0
