"""Assign notifications to mails (rule 40).

A notification joins the waiting mail of the same person and channel while its window is
open; a mention neither waits nor joins. A digest contains the notifications of all
channels of a project.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import in_array, insert_rows
from clp_core.channels import Channel
from clp_notifications.dependencies import MailPolicy
from clp_notifications.mail.content import Kind
from clp_notifications.states import MailMode
from clp_notifications.tables import MAILS
from clp_notifications.transitions import modes_among

HOUR: Final = timedelta(hours=1)
UNCOUNTED: Final = (Kind.MENTION, Kind.DIGEST)
# Built once: they run for every few messages.
WAITING: Final = (
    select(MAILS.c.person, MAILS.c.channel, MAILS.c.kind, MAILS.c.id)
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
        MAILS.c.kind.not_in([kind.value for kind in UNCOUNTED]),
    )
    .group_by(MAILS.c.person, MAILS.c.project)
    .having(func.count() >= bindparam("minimum"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecipient:
    """A person who is told of one message, and the kind of mail.

    Windows start at ``since``, when the message was posted or edited.
    """

    person: str
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
            if one.kind is not Kind.MENTION
            and modes.get(one.person_and_project) != MailMode.OFF
        ],
    )
    hour = _LastHour(session, recipients, policy)
    assigned: list[str] = []
    new_rows: list[dict[str, Any]] = []
    for one in recipients:
        planned = plan_mail(
            one.kind,
            modes.get(one.person_and_project),
            policy,
            at=one.since,
            over_limit=hour.is_full(one),
        )
        channel = _channel_of_mail(planned.kind, one.channel)
        joins = planned.due_at > one.since
        mail_key = (one.person, channel.name, planned.kind is Kind.DIGEST)
        mail = waiting.get(mail_key) if joins else None
        if mail is None:
            mail = new_id()
            new_rows.append(_row(mail, one, planned, channel=channel.name))
            hour.add(one, planned.kind)
            if joins:
                waiting[mail_key] = mail
        assigned.append(mail)
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
) -> dict[tuple[str, str, bool], str]:
    """Return waiting mails by person, channel and whether they are digests.

    Locked, so that no mail is claimed while a notification joins it.
    """
    if not joining:
        return {}
    channels = {one.channel.name for one in joining}
    channels |= {_channel_of_mail(Kind.DIGEST, one.channel).name for one in joining}
    parameters = {"people": {one.person for one in joining}, "channels": channels}
    return {
        (row.person, row.channel, row.kind == Kind.DIGEST.value): row.id
        for row in session.execute(WAITING, parameters)
    }


class _LastHour:
    """The mails about a project that people got in the hour before a message."""

    def __init__(
        self, session: Session, recipients: Sequence[MailRecipient], policy: MailPolicy
    ) -> None:
        self._limit = policy.max_mails_per_hour if policy.window else 0
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
        near = _mails_since(session, recipients, since=first - HOUR, minimum=minimum)
        if not near or len(by_moment) == 1:
            return {first: near}
        counted = {}
        for moment, among_them in by_moment.items():
            close = [one for one in among_them if one.person_and_project in near]
            counted[moment] = _mails_since(
                session, close, since=moment - HOUR, minimum=minimum
            )
        return counted

    def is_full(self, one: MailRecipient) -> bool:
        """Whether a person reached the hourly limit of mails about the project."""
        if not self._limit:
            return False
        made = sum(
            at > one.since - HOUR for at in self._created[one.person_and_project]
        )
        before = self._counted.get(one.since, {}).get(one.person_and_project, 0)
        return before + made >= self._limit

    def add(self, one: MailRecipient, kind: Kind) -> None:
        """Count a mail created for this recipient."""
        if self._limit and kind not in UNCOUNTED:
            self._created[one.person_and_project].append(one.since)


def _mails_since(
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
        "since": since,
        "minimum": minimum,
    }
    rows = session.execute(COUNTED, parameters)
    return {(row.person, row.project): row.mails for row in rows}


def plan_mail(
    kind: Kind,
    mode: MailMode | None,
    policy: MailPolicy,
    *,
    at: datetime,
    over_limit: bool = False,
) -> MailPlan:
    """Return the kind of mail for a notification, and when it is due (rule 40).

    A mention is due at once, a daily digest in the morning, and notifications over the
    hourly limit in a digest an hour later.
    """
    if kind is Kind.MENTION or mode is MailMode.OFF:
        return MailPlan(kind, at)
    if mode is MailMode.DAILY:
        morning = datetime.combine(at, time(policy.digest_hour), at.tzinfo)
        due = morning if morning > at else morning + timedelta(days=1)
        return MailPlan(Kind.DIGEST, due)
    if over_limit:
        return MailPlan(Kind.DIGEST, at + HOUR)
    return MailPlan(kind, at if mode is MailMode.AT_ONCE else at + policy.window)
