"""The mails that carry notifications: one that waits and is joined, or a new one.

A notification joins the mail that waits for the same person and channel while its
window is open; a mention waits for nothing and joins nothing (rule 40). A digest takes
what is told in any channel of a project.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import among, insert_rows
from clp_core.channels import Channel
from clp_notifications.dependencies import MailPolicy
from clp_notifications.mail.content import Kind
from clp_notifications.states import MailMode
from clp_notifications.tables import MAILS
from clp_notifications.transitions import modes_among

HOUR: Final = timedelta(hours=1)
UNCOUNTED: Final = (Kind.MENTION, Kind.DIGEST)
# Written once: they are used for every few messages.
WAITING: Final = (
    select(MAILS.c.person, MAILS.c.channel, MAILS.c.kind, MAILS.c.id)
    .where(
        among(MAILS.c.person, "people"),
        among(MAILS.c.channel, "places"),
        MAILS.c.joinable,
        MAILS.c.due_at.is_not(None),
        MAILS.c.lease_until.is_(None),
    )
    .with_for_update()
)
COUNTED: Final = (
    select(MAILS.c.person, MAILS.c.project, func.count().label("mails"))
    .where(
        among(MAILS.c.person, "people"),
        MAILS.c.made_at > bindparam("since"),
        among(MAILS.c.project, "projects"),
        MAILS.c.kind.not_in([kind.value for kind in UNCOUNTED]),
    )
    .group_by(MAILS.c.person, MAILS.c.project)
    .having(func.count() >= bindparam("least"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person who is told of one message, and by which kind of mail.

    Windows count from ``since``, when the message was posted or edited.
    """

    person: str
    kind: Kind
    message: str
    channel: Channel
    since: datetime

    @property
    def whose(self) -> tuple[str, str]:
        """The person and the project, for which there are settings and numbers."""
        return self.person, self.channel.project


@dataclass(frozen=True, slots=True)
class Plan:
    """The kind of mail that carries a notification, and when it leaves."""

    kind: Kind
    due_at: datetime


def carry(
    session: Session, recipients: Sequence[Recipient], policy: MailPolicy
) -> list[str]:
    """The mail that carries each recipient's notification; new ones are written.

    One after the other: a mail made for one message can be joined by the next.
    """
    modes = modes_among(session, {one.whose for one in recipients})
    waiting = _waiting_mails(
        session,
        [
            one
            for one in recipients
            if one.kind is not Kind.MENTION and modes.get(one.whose) != MailMode.OFF
        ],
    )
    hour = _LastHour(session, recipients, policy)
    carriers: list[str] = []
    fresh: list[dict[str, Any]] = []
    for one in recipients:
        flooded = hour.is_full(one)
        found = plan(
            one.kind, modes.get(one.whose), policy, at=one.since, flooded=flooded
        )
        place = _place(found.kind, one.channel)
        joins = found.due_at > one.since
        seat = (one.person, place.name, found.kind is Kind.DIGEST)
        mail = waiting.get(seat) if joins else None
        if mail is None:
            mail = new_id()
            fresh.append(_row(mail, one, found, place=place.name))
            hour.add(one, found.kind)
            if joins:
                waiting[seat] = mail
        carriers.append(mail)
    insert_rows(session, MAILS, fresh)
    return carriers


def _row(mail: str, one: Recipient, found: Plan, *, place: str) -> dict[str, Any]:
    return {
        "id": mail,
        "person": one.person,
        "project": one.channel.project,
        "channel": place,
        "kind": found.kind.value,
        "first_message": one.message,
        "joinable": found.due_at > one.since,
        "due_at": found.due_at,
        "attempts": 0,
        "made_at": one.since,
    }


def _place(kind: Kind, channel: Channel) -> Channel:
    """Where a mail stands: a digest of a whole project in its broadcast channel."""
    return Channel(channel.project) if kind is Kind.DIGEST else channel


def _waiting_mails(
    session: Session, joining: Sequence[Recipient]
) -> dict[tuple[str, str, bool], str]:
    """Mails whose window is open, by person, place and whether it is a digest.

    Locked, so that none leaves while one joins.
    """
    if not joining:
        return {}
    places = {one.channel.name for one in joining}
    places |= {_place(Kind.DIGEST, one.channel).name for one in joining}
    asked = {"people": {one.person for one in joining}, "places": places}
    return {
        (row.person, row.channel, row.kind == Kind.DIGEST.value): row.id
        for row in session.execute(WAITING, asked)
    }


class _LastHour:
    """How many mails about a project people had in the hour before a message."""

    def __init__(
        self, session: Session, recipients: Sequence[Recipient], policy: MailPolicy
    ) -> None:
        self._most = policy.most_an_hour if policy.window else 0
        self._made: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        self._counted: Mapping[datetime, Mapping[tuple[str, str], int]] = {}
        if self._most and recipients:
            self._counted = self._count(session, recipients)

    def _count(
        self, session: Session, recipients: Sequence[Recipient]
    ) -> Mapping[datetime, Mapping[tuple[str, str], int]]:
        """Of those who may have had an hour's number, for each moment.

        They are looked for once, from the first moment on, and there is seldom one.
        """
        by_moment: dict[datetime, list[Recipient]] = defaultdict(list)
        for one in recipients:
            by_moment[one.since].append(one)
        # So few are missing that those made for these recipients may fill the hour.
        most_now = max(Counter(one.whose for one in recipients).values())
        least = self._most - most_now + 1
        first = min(by_moment)
        near = _mails_since(session, recipients, since=first - HOUR, least=least)
        if not near or len(by_moment) == 1:
            return {first: near}
        counted = {}
        for moment, among_them in by_moment.items():
            close = [one for one in among_them if one.whose in near]
            counted[moment] = _mails_since(
                session, close, since=moment - HOUR, least=least
            )
        return counted

    def is_full(self, one: Recipient) -> bool:
        """Whether a person had as many mails about the project as one may have."""
        if not self._most:
            return False
        made = sum(at > one.since - HOUR for at in self._made[one.whose])
        before = self._counted.get(one.since, {}).get(one.whose, 0)
        return before + made >= self._most

    def add(self, one: Recipient, kind: Kind) -> None:
        """A mail is made for this recipient."""
        if self._most and kind not in UNCOUNTED:
            self._made[one.whose].append(one.since)


def _mails_since(
    session: Session, recipients: Sequence[Recipient], *, since: datetime, least: int
) -> Mapping[tuple[str, str], int]:
    """How many mails each had, where it were so many at least."""
    if not recipients:
        return {}
    asked = {
        "people": {one.person for one in recipients},
        "projects": {one.channel.project for one in recipients},
        "since": since,
        "least": least,
    }
    rows = session.execute(COUNTED, asked)
    return {(row.person, row.project): row.mails for row in rows}


def plan(
    kind: Kind,
    mode: MailMode | None,
    policy: MailPolicy,
    *,
    at: datetime,
    flooded: bool = False,
) -> Plan:
    """The mail a notification travels in (rule 40).

    A mention leaves at once, a daily digest in the morning, and what is over an hour's
    number in a digest an hour later.
    """
    if kind is Kind.MENTION or mode is MailMode.OFF:
        return Plan(kind, at)
    if mode is MailMode.DAILY:
        morning = datetime.combine(at, time(policy.daily_hour_utc), at.tzinfo)
        due = morning if morning > at else morning + timedelta(days=1)
        return Plan(Kind.DIGEST, due)
    if flooded:
        return Plan(Kind.DIGEST, at + HOUR)
    return Plan(kind, at if mode is MailMode.AT_ONCE else at + policy.window)
