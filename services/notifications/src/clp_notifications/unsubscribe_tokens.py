"""Unsubscribe tokens: 256 random bits per person and project (RFC 8058, rule 61)."""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array, insert_rows
from clp_chassis.persistence.database import Database
from clp_notifications.states import MailMode
from clp_notifications.tables import UNSUBSCRIBE_TOKENS, UnsubscribeToken
from clp_notifications.transitions import set_mode

TOKEN_BYTES: Final = 32
# In base64url, without padding.
TOKEN_LENGTH: Final = 43
TOKEN: Final = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}", re.ASCII)
CACHE_SIZE: Final = 50_000
# Built once: it runs for every few mails.
TOKENS: Final = (
    select(
        UNSUBSCRIBE_TOKENS.c.person,
        UNSUBSCRIBE_TOKENS.c.project,
        UNSUBSCRIBE_TOKENS.c.token,
    )
    .where(in_array(UNSUBSCRIBE_TOKENS.c.person, "people"))
    .where(in_array(UNSUBSCRIBE_TOKENS.c.project, "projects"))
)

PersonAndProject = tuple[str, str]


class UnsubscribeTokens:
    """Reads and creates tokens; they never change, so the latest ones are cached."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: OrderedDict[PersonAndProject, str] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, pairs: Iterable[PersonAndProject]) -> Mapping[PersonAndProject, str]:
        """The token of each ``(person, project)``; create those that are missing."""
        wanted = set(pairs)
        with self._lock:
            found = {key: self._cache[key] for key in wanted if key in self._cache}
        missing = wanted - found.keys()
        if missing:
            stored = self._stored(missing)
            found |= stored
            with self._lock:
                self._cache.update(stored)
                while len(self._cache) > CACHE_SIZE:
                    self._cache.popitem(last=False)
        return found

    def _stored(self, pairs: set[PersonAndProject]) -> dict[PersonAndProject, str]:
        with self._database.reading() as session:
            found = _read(session, pairs)
        if pairs <= found.keys():
            return found
        with self._database.writing(notify=False) as session:
            # In one order, so that two workers never wait for each other's rows.
            rows = [
                {
                    "person": person,
                    "project": project,
                    "token": secrets.token_urlsafe(TOKEN_BYTES),
                }
                for person, project in sorted(pairs - found.keys())
            ]
            insert_rows(session, UNSUBSCRIBE_TOKENS, rows, if_absent=True)
            return found | _read(session, pairs)


def subscription_of(session: Session, token: str) -> PersonAndProject | None:
    """The person and the project of a token of ours."""
    if not TOKEN.fullmatch(token):
        return None
    row = session.scalar(
        select(UnsubscribeToken).where(UnsubscribeToken.token == token)
    )
    return None if row is None else (row.person, row.project)


def unsubscribe(database: Database, token: str, *, at: datetime) -> bool:
    """Turn off the mails that a token is about; return whether the token is valid."""
    with database.writing() as session:
        subscription = subscription_of(session, token)
        if subscription is None:
            return False
        person, project = subscription
        set_mode(session, person=person, project=project, mode=MailMode.OFF, at=at)
    return True


def _read(
    session: Session, pairs: set[PersonAndProject]
) -> dict[PersonAndProject, str]:
    people = {person for person, _ in pairs}
    projects = {project for _, project in pairs}
    rows = session.execute(TOKENS, {"people": people, "projects": projects})
    found = {(row.person, row.project): row.token for row in rows}
    return {key: token for key, token in found.items() if key in pairs}
