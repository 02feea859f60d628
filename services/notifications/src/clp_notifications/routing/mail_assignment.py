"""Assign notifications to mails (rule 40).

A notification joins the waiting mail of the same person, channel and sort while its
window is open; mentions have a short window of their own. A digest contains the
notifications of all channels of a project.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import in_array, insert_rows
from clp_core.channels import Channel
from clp_notifications.dependencies import MailPolicy
from clp_notifications.mail.content import Kind
from clp_notifications.mail.locales import zone_of
from clp_notifications.states import MailMode
from clp_notifications.tables import MAILS
from clp_notifications.transitions import modes_among

HOUR: Final = timedelta(hours=1)
# Built once: they run for every few messages.
WAITING: Final = (
    select(MAILS.c.person, MAILS.c.channel, MAILS.c.kind, MAILS.c.id, MAILS.c.due_at)
    .where(
        in_array(MAILS.c.person, "people"),
        in_array(MAILS.c.channel, "channels"),
        MAILS.c.joinable,
        MAILS.c.due_at.is_not(None),
        MAILS.c.lease_until.is_(None),
    )
    .with_for_update()
)
COUNTED: Final = (
    select(MAILS.c.person, MAILS.c.project, func.count().label("mails"))
    .where(
        in_array(MAILS.c.person, "people"),
        MAILS.c.made_at > bindparam("since"),
        in_array(MAILS.c.project, "projects"),
        MAILS.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .group_by(MAILS.c.person, MAILS.c.project)
    .having(func.count() >= bindparam("minimum"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecipient:
    """A person who is told of one message, and the kind of mail.

    Windows start at ``since``, when the message was posted or edited. Without a
    ``time_zone`` the default of the deployment is the reader's.
    """

    person: str
    time_zone: str | None = None
    kind: Kind
    message: str
    channel: Channel
    since: datetime

    @property
    def person_and_project(self) -> tuple[str, str]:
        """The key of mail modes and hourly counts."""
        return self.person, self.channel.project


@dataclass(frozen=True, slots=True)
class MailPlan:
    """The kind of mail that carries a notification, and when it is due."""

    kind: Kind
    due_at: datetime


class MailSort(Enum):
    """Mails of one sort about one channel are joined, and counted together."""

    MENTION = "mention"
    DIGEST = "digest"
    OTHER = "other"

    @classmethod
    def of(cls, kind: Kind) -> "MailSort":
        """The sort of a kind of mail."""
        return SORTS.get(kind, cls.OTHER)


SORTS: Final = {Kind.MENTION: MailSort.MENTION, Kind.DIGEST: MailSort.DIGEST}
KINDS_OF: Final = {
    sort: [kind.value for kind in Kind if MailSort.of(kind) is sort]
    for sort in MailSort
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _WaitingMail:
    """A mail that notifications may join until it is due."""

    id: str
    due_at: datetime


_MailKey = tuple[str, str, MailSort]


def assign_to_mails(
    session: Session, recipients: Sequence[MailRecipient], policy: MailPolicy
) -> list[str]:
    """Return the mail of each recipient's notification; create new mails.

    Recipients are processed in order: a mail created for one message can be joined by
    the next.
    """
    modes = modes_among(session, {one.person_and_project for one in recipients})
    waiting = _waiting_mails(
        session,
        [
            one
            for one in recipients
            if modes.get(one.person_and_project) != MailMode.OFF
        ],
    )
    hour = _LastHour(session, recipients, policy)
    assigned: list[str] = []
    new_rows: list[dict[str, Any]] = []
    for one in recipients:
        planned = plan_mail(
            one,
            modes.get(one.person_and_project),
            policy,
            over_limit=hour.is_full(one),
        )
        channel = _channel_of_mail(planned.kind, one.channel)
        joins = planned.due_at > one.since
        mail_key = (one.person, channel.name, MailSort.of(planned.kind))
        found = waiting.get(mail_key) if joins else None
        # A mention over its limit never waits for a digest of tomorrow.
        if found is None or found.due_at > planned.due_at:
            found = _WaitingMail(id=new_id(), due_at=planned.due_at)
            new_rows.append(_row(found.id, one, planned, channel=channel.name))
            hour.add(one, planned.kind)
            if joins:
                waiting[mail_key] = found
        assigned.append(found.id)
    insert_rows(session, MAILS, new_rows)
    return assigned


def _row(
    mail: str, one: MailRecipient, planned: MailPlan, *, channel: str
) -> dict[str, Any]:
    return {
        "id": mail,
        "person": one.person,
        "project": one.channel.project,
        "channel": channel,
        "kind": planned.kind.value,
        "first_message": one.message,
        "joinable": planned.due_at > one.since,
        "due_at": planned.due_at,
        "attempts": 0,
        "made_at": one.since,
    }


def _channel_of_mail(kind: Kind, channel: Channel) -> Channel:
    """Return the channel of a mail; digests belong to the broadcast channel."""
    return Channel(channel.project) if kind is Kind.DIGEST else channel


def _waiting_mails(
    session: Session, joining: Sequence[MailRecipient]
) -> dict[_MailKey, _WaitingMail]:
    """Return the earliest waiting mails by person, channel and sort.

    Locked, so that no mail is claimed while a notification joins it.
    """
    if not joining:
        return {}
    channels = {one.channel.name for one in joining}
    channels |= {_channel_of_mail(Kind.DIGEST, one.channel).name for one in joining}
    parameters = {"people": {one.person for one in joining}, "channels": channels}
    rows = session.execute(WAITING, parameters).all()
    return {
        (row.person, row.channel, MailSort.of(Kind(row.kind))): _WaitingMail(
            id=row.id, due_at=row.due_at
        )
        for row in sorted(rows, key=lambda row: row.due_at, reverse=True)
    }


class _LastHour:
    """The mails about a project that people got in the hour before a message."""

    def __init__(
        self, session: Session, recipients: Sequence[MailRecipient], policy: MailPolicy
    ) -> None:
        is_limited = bool(policy.window)
        limits = {
            MailSort.MENTION: policy.max_mention_mails_per_hour,
            MailSort.OTHER: policy.max_mails_per_hour,
        }
        self._counts = {
            sort: _HourlyCount(
                session,
                [one for one in recipients if MailSort.of(one.kind) is sort],
                sort=sort,
                limit=limit if is_limited else 0,
            )
            for sort, limit in limits.items()
        }

    def is_full(self, one: MailRecipient) -> bool:
        """Whether a person reached the hourly limit of this sort of mails."""
        return self._counts[MailSort.of(one.kind)].is_full(one)

    def add(self, one: MailRecipient, kind: Kind) -> None:
        """Count a mail created for this recipient; digests are not counted."""
        if (count := self._counts.get(MailSort.of(kind))) is not None:
            count.add(one)


class _HourlyCount:
    """The mails of one sort, by person and project; a limit of 0 is none."""

    def __init__(
        self,
        session: Session,
        recipients: Sequence[MailRecipient],
        *,
        sort: MailSort,
        limit: int,
    ) -> None:
        self._sort = sort
        self._limit = limit
        self._created: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        self._counted: Mapping[datetime, Mapping[tuple[str, str], int]] = {}
        if self._limit and recipients:
            self._counted = self._count(session, recipients)

    def _count(
        self, session: Session, recipients: Sequence[MailRecipient]
    ) -> Mapping[datetime, Mapping[tuple[str, str], int]]:
        """Count the mails of those who may have reached the limit, for each moment.

        One statement from the first moment on finds them, and they are rare.
        """
        by_moment: dict[datetime, list[MailRecipient]] = defaultdict(list)
        for one in recipients:
            by_moment[one.since].append(one)
        # The mails created for these recipients may reach the limit from here.
        max_new = max(Counter(one.person_and_project for one in recipients).values())
        minimum = self._limit - max_new + 1
        first = min(by_moment)
        near = self._since(session, recipients, since=first - HOUR, minimum=minimum)
        if not near or len(by_moment) == 1:
            return {first: near}
        counted = {}
        for moment, among_them in by_moment.items():
            close = [one for one in among_them if one.person_and_project in near]
            counted[moment] = self._since(
                session, close, since=moment - HOUR, minimum=minimum
            )
        return counted

    def is_full(self, one: MailRecipient) -> bool:
        """Whether a person reached the hourly limit of these mails."""
        if not self._limit:
            return False
        made = sum(
            at > one.since - HOUR for at in self._created[one.person_and_project]
        )
        before = self._counted.get(one.since, {}).get(one.person_and_project, 0)
        return before + made >= self._limit

    def add(self, one: MailRecipient) -> None:
        """Count a mail created for this recipient."""
        if self._limit:
            self._created[one.person_and_project].append(one.since)

    def _since(
        self,
        session: Session,
        recipients: Sequence[MailRecipient],
        *,
        since: datetime,
        minimum: int,
    ) -> Mapping[tuple[str, str], int]:
        """Count the mails by person and project, where they reach a minimum."""
        if not recipients:
            return {}
        parameters = {
            "people": {one.person for one in recipients},
            "projects": {one.channel.project for one in recipients},
            "kinds": KINDS_OF[self._sort],
            "since": since,
            "minimum": minimum,
        }
        rows = session.execute(COUNTED, parameters)
        return {(row.person, row.project): row.mails for row in rows}


def plan_mail(
    one: MailRecipient,
    mode: MailMode | None,
    policy: MailPolicy,
    *,
    over_limit: bool = False,
) -> MailPlan:
    """Return the kind of mail for a notification, and when it is due (rule 40).

    A mention waits for its short window in every mode. A daily digest is due at the
    hour in the reader's time zone, and notifications over the hourly limit in a digest
    an hour later.
    """
    at = one.since
    if mode is MailMode.OFF:
        return MailPlan(one.kind, at)
    if over_limit and (one.kind is Kind.MENTION or mode is not MailMode.DAILY):
        return MailPlan(Kind.DIGEST, at + HOUR)
    if one.kind is Kind.MENTION:
        return MailPlan(one.kind, at + min(policy.mention_window, policy.window))
    if mode is MailMode.DAILY:
        zone = zone_of(one.time_zone or policy.time_zone)
        return MailPlan(Kind.DIGEST, _next_hour(at, policy.digest_hour, zone))
    return MailPlan(one.kind, at if mode is MailMode.AT_ONCE else at + policy.window)


def _next_hour(after: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """The next time that it is this hour in a zone."""
    day = after.astimezone(zone).date()
    due = datetime.combine(day, time(hour), zone)
    if due <= after:
        due = datetime.combine(day + timedelta(days=1), time(hour), zone)
    return due.astimezone(UTC)
