"""Rows for the people told of a message and for those who are not.

A notification joins the mail that waits for the same person and channel while its
window is open; a mention waits for nothing and joins nothing (rule 40).
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.storing import chunks
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
ROUTED = Change(State.DUE, Because.ROUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message and the core's verdict on everybody it may concern.

    Windows count from ``since``, when it was posted or edited: late routing adds none.
    """

    message: str
    number: int
    channel: Channel
    since: datetime
    explanations: tuple[Explanation, ...]


def tell(session: Session, told: Told, policy: MailPolicy, *, at: datetime) -> None:
    """Write one notification for each person told, once ever (rule 24); say why not."""
    known = _already_told(session, told)
    fresh = [one for one in told.explanations if one.person.id not in known]
    recipients = [one for one in fresh if one.told]
    _write_outcomes(session, told, [one for one in fresh if not one.told], at=at)
    if not recipients:
        return
    mails = _mails_for(session, told, recipients, policy=policy)
    rows = [_row(told, one, mails[one.person.id]) for one in recipients]
    session.execute(insert(Notification), rows)
    # As it is written before anything can have become of it.
    written = (Notification.message == told.message, Notification.state == State.DUE)
    for chunk in chunks(row["person"] for row in rows):
        add_steps(session, ROUTED, (*written, Notification.person.in_(chunk)), at=at)
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
    """Why the others are not told; the newest verdict on somebody is kept."""
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
    due: dict[str, datetime] = {
        one.person.id: due_at(
            _kind(one), modes.get(one.person.id), policy, at=told.since
        )
        for one in recipients
    }
    patient = [person for person in people if due[person] > told.since]
    mails = _waiting_mails(session, patient, told.channel)
    fresh = [
        {
            "id": new_id(),
            "person": one.person.id,
            "project": told.channel.project,
            "channel": told.channel.name,
            "kind": _kind(one).value,
            "first_message": told.message,
            "joinable": due[one.person.id] > told.since,
            "due_at": due[one.person.id],
            "attempts": 0,
        }
        for one in recipients
        if one.person.id not in mails
    ]
    if fresh:
        session.execute(insert(Mail), fresh)
    return mails | {str(mail["person"]): str(mail["id"]) for mail in fresh}


def _waiting_mails(
    session: Session, people: list[str], channel: Channel
) -> dict[str, str]:
    """Mails whose window is open; locked, so that none leaves while one joins."""
    waiting: dict[str, str] = {}
    for chunk in chunks(people):
        rows = session.execute(
            select(Mail.person, Mail.id)
            .where(
                Mail.person.in_(chunk),
                Mail.channel == channel.name,
                Mail.joinable,
                Mail.due_at.is_not(None),
                Mail.lease_until.is_(None),
            )
            .with_for_update()
        )
        waiting.update((row.person, row.id) for row in rows)
    return waiting


def _kind(explanation: Explanation) -> Kind:
    if explanation.trigger is None:
        raise ValueError("somebody who is not told gets no mail")
    return KINDS[explanation.trigger]


def due_at(
    kind: Kind, mode: MailMode | None, policy: MailPolicy, *, at: datetime
) -> datetime:
    """When a mail leaves: a mention at once, a daily one in the morning (rule 40)."""
    if kind is Kind.MENTION or mode in {MailMode.AT_ONCE, MailMode.OFF}:
        return at
    if mode is MailMode.DAILY:
        morning = datetime.combine(at, time(policy.daily_hour_utc), at.tzinfo)
        return morning if morning > at else morning + timedelta(days=1)
    return at + policy.window
