"""Rows for the people told of a message and for those who are not.

A notification joins the mail that waits for the same person and channel while its
window is open; a mention waits for nothing and joins nothing (rule 40). A digest takes
what is told in any channel of a project.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.storing import among, chunks
from clp_core.channels import Channel
from clp_core.routing import Explanation
from clp_notifications.mail.letter import KINDS, Kind
from clp_notifications.parts import MailPolicy
from clp_notifications.records import (
    Change,
    add_steps,
    announce_due,
    modes_of,
)
from clp_notifications.states import Because, MailMode, State
from clp_notifications.tables import Mail, Notification, Outcome

MAILS_TO_AN_EVENT: Final = 200
HOUR: Final = timedelta(hours=1)
ROUTED = Change(State.DUE, Because.ROUTED)
# Written once: they are used for every message.
WAITING: Final = (
    select(Mail.person, Mail.id)
    .where(
        among(Mail.person, "people"),
        Mail.channel == bindparam("place"),
        (Mail.kind == Kind.DIGEST.value) == bindparam("is_digest"),
        Mail.joinable,
        Mail.due_at.is_not(None),
        Mail.lease_until.is_(None),
    )
    .with_for_update()
)
FLOODED: Final = (
    select(Mail.person)
    .where(
        among(Mail.person, "people"),
        Mail.made_at > bindparam("since"),
        Mail.project == bindparam("in_project"),
        Mail.kind.not_in((Kind.MENTION.value, Kind.DIGEST.value)),
    )
    .group_by(Mail.person)
    .having(func.count() >= bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message and the core's decision on everybody it may concern.

    Windows count from ``since``, when it was posted or edited: late routing adds none.
    Of a message that ``is_new`` nothing is written yet.
    """

    message: str
    number: int
    channel: Channel
    since: datetime
    explanations: tuple[Explanation, ...]
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The kind of mail that carries a notification, and when it leaves."""

    kind: Kind
    due_at: datetime


def tell(session: Session, told: Told, policy: MailPolicy, *, at: datetime) -> None:
    """Write one notification for each person told, once ever (rule 24); say why not."""
    known = frozenset() if told.is_new else _already_told(session, told)
    fresh = [one for one in told.explanations if one.person.id not in known]
    recipients = [one for one in fresh if one.told]
    _write_outcomes(session, told, [one for one in fresh if not one.told], at=at)
    if not recipients:
        return
    mails = _mails_for(session, told, recipients, policy=policy)
    rows = [_row(told, one, mails[one.person.id]) for one in recipients]
    session.execute(insert(Notification), rows)
    # As it is written before anything can have become of it.
    add_steps(session, ROUTED, [row["id"] for row in rows], at=at)
    # One event for each worker that may be needed: the broker hands them round.
    for _ in range(0, len(rows), MAILS_TO_AN_EVENT):
        announce_due(session, (told.message, told.channel.project), at=at)


def _already_told(session: Session, told: Told) -> frozenset[str]:
    return frozenset(
        session.scalars(
            select(Notification.person).where(Notification.message == told.message)
        )
    )


def _row(told: Told, explanation: Explanation, mail: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "message": told.message,
        "number": told.number,
        "person": explanation.person.id,
        "project": told.channel.project,
        "channel": told.channel.name,
        "trigger": str(explanation.trigger),
        "rule": explanation.rule,
        "routing_reason": str(explanation.reason),
        "mail": mail,
        "state": ROUTED.state.value,
        "reason": ROUTED.because.value,
    }


def _write_outcomes(
    session: Session, told: Told, untold: list[Explanation], *, at: datetime
) -> None:
    """Why the others are not told; the newest decision on somebody is kept."""
    judged: dict[str, dict[str, Any]] = {
        one.person.id: {
            "message": told.message,
            "person": one.person.id,
            "rule": one.rule,
            "reason": str(one.reason),
            "at": at,
        }
        for one in untold
    }
    for chunk in chunks(judged):
        if not told.is_new:
            session.execute(
                delete(Outcome).where(
                    Outcome.message == told.message, Outcome.person.in_(chunk)
                )
            )
        session.execute(insert(Outcome), [judged[person] for person in chunk])


def _mails_for(
    session: Session,
    told: Told,
    recipients: list[Explanation],
    *,
    policy: MailPolicy,
) -> dict[str, str]:
    """The mail that carries each person's notification: a waiting one, or a new one."""
    people: list[str] = [one.person.id for one in recipients]
    modes = modes_of(session, people, told.channel.project)
    flooded = _flooded(session, people, told, policy=policy)
    plans: dict[str, Plan] = {
        one.person.id: plan(
            _kind(one),
            modes.get(one.person.id),
            policy,
            at=told.since,
            flooded=one.person.id in flooded,
        )
        for one in recipients
    }
    mails = _waiting_mails(session, plans, told)
    fresh = [
        {
            "id": new_id(),
            "person": person,
            "project": told.channel.project,
            "channel": _place(plans[person].kind, told.channel).name,
            "kind": plans[person].kind.value,
            "first_message": told.message,
            "joinable": plans[person].due_at > told.since,
            "due_at": plans[person].due_at,
            "attempts": 0,
            "made_at": told.since,
        }
        for person in people
        if person not in mails
    ]
    if fresh:
        session.execute(insert(Mail), fresh)
    return mails | {str(mail["person"]): str(mail["id"]) for mail in fresh}


def _waiting_mails(
    session: Session, plans: Mapping[str, Plan], told: Told
) -> dict[str, str]:
    """Mails whose window is open; locked, so that none leaves while one joins."""
    waiting: dict[str, str] = {}
    for is_digest in (False, True):
        joining = [
            person
            for person, found in plans.items()
            if found.due_at > told.since and (found.kind is Kind.DIGEST) == is_digest
        ]
        if joining:
            kind = Kind.DIGEST if is_digest else Kind.BROADCAST
            place = _place(kind, told.channel).name
            asked = {"people": joining, "place": place, "is_digest": is_digest}
            rows = session.execute(WAITING, asked)
            waiting.update((row.person, row.id) for row in rows)
    return waiting


def _place(kind: Kind, channel: Channel) -> Channel:
    """Where a mail stands: a digest of a whole project in its broadcast channel."""
    return Channel(channel.project) if kind is Kind.DIGEST else channel


def _flooded(
    session: Session, people: list[str], told: Told, *, policy: MailPolicy
) -> frozenset[str]:
    """Who had as many mails about the project in the last hour as one may have."""
    if not policy.window or not policy.most_an_hour:
        return frozenset()
    asked = {
        "people": people,
        "since": told.since - HOUR,
        "in_project": told.channel.project,
        "most": policy.most_an_hour,
    }
    return frozenset(session.scalars(FLOODED, asked))


def _kind(explanation: Explanation) -> Kind:
    if explanation.trigger is None:
        raise ValueError("somebody who is not told gets no mail")
    return KINDS[explanation.trigger]


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
