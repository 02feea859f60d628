"""Rows for the people told of messages and for those who are not.

Messages that are routed together are written together: what a statement costs is paid
once, however many they are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import among, insert_rows
from clp_core.channels import Channel
from clp_core.routing import Explanation
from clp_notifications.dependencies import MailPolicy
from clp_notifications.mail.content import KINDS, Kind
from clp_notifications.routing.mail_assignment import Recipient, carry
from clp_notifications.states import Because, State
from clp_notifications.tables import NOTIFICATIONS, OUTCOMES
from clp_notifications.transitions import Change, add_steps, announce_due

MAILS_TO_AN_EVENT: Final = 200
ROUTED = Change(State.DUE, Because.ROUTED)
# Written once: they are used for every few messages.
KNOWN: Final = select(NOTIFICATIONS.c.message, NOTIFICATIONS.c.person).where(
    among(NOTIFICATIONS.c.message, "messages")
)
FORGET: Final = delete(OUTCOMES).where(
    OUTCOMES.c.message == bindparam("of_message"), among(OUTCOMES.c.person, "people")
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


class _One(NamedTuple):
    """What is decided of one person about one message."""

    told: Told
    explanation: Explanation

    @property
    def key(self) -> tuple[str, str]:
        return self.told.message, self.explanation.person.id


def tell(
    session: Session, messages: Sequence[Told], policy: MailPolicy, *, at: datetime
) -> None:
    """Write one notification for each person told, once ever (rule 24); say why not."""
    known = _already_told(session, messages)
    recipients: list[_One] = []
    untold: dict[tuple[str, str], _One] = {}
    for told in messages:
        for one in (_One(told, explanation) for explanation in told.explanations):
            if one.key in known:
                continue
            if one.explanation.told:
                recipients.append(one)
            else:
                # The newest decision on somebody is kept.
                untold[one.key] = one
    _write_outcomes(session, untold, at=at)
    if recipients:
        _write_notifications(session, recipients, policy, at=at)


def _already_told(session: Session, messages: Sequence[Told]) -> set[tuple[str, str]]:
    edited = {told.message for told in messages if not told.is_new}
    if not edited:
        return set()
    rows = session.execute(KNOWN, {"messages": edited})
    return {(row.message, row.person) for row in rows}


def _write_notifications(
    session: Session, recipients: Sequence[_One], policy: MailPolicy, *, at: datetime
) -> None:
    carriers = carry(session, [_recipient(*one) for one in recipients], policy)
    rows = [_row(*one, mail) for one, mail in zip(recipients, carriers, strict=True)]
    insert_rows(session, NOTIFICATIONS, rows)
    # As it is written before anything can have become of it.
    add_steps(session, ROUTED, [row["id"] for row in rows], at=at)
    _wake_delivery(session, recipients, at=at)


def _wake_delivery(
    session: Session, recipients: Sequence[_One], *, at: datetime
) -> None:
    """One event for each worker that may be needed: the broker hands them round."""
    subjects = {one.told.channel.project: one.told.message for one in recipients}
    counted = Counter(one.told.channel.project for one in recipients)
    for project, many in counted.items():
        for _ in range(0, many, MAILS_TO_AN_EVENT):
            announce_due(session, (subjects[project], project), at=at)


def _recipient(told: Told, explanation: Explanation) -> Recipient:
    return Recipient(
        person=explanation.person.id,
        kind=_kind(explanation),
        message=told.message,
        channel=told.channel,
        since=told.since,
    )


def _kind(explanation: Explanation) -> Kind:
    if explanation.trigger is None:
        raise ValueError("somebody who is not told gets no mail")
    return KINDS[explanation.trigger]


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
    session: Session, untold: Mapping[tuple[str, str], _One], *, at: datetime
) -> None:
    """Why the others are not told, instead of what was written before."""
    edited: dict[str, list[str]] = {}
    for (message, person), one in untold.items():
        if not one.told.is_new:
            edited.setdefault(message, []).append(person)
    for message, people in edited.items():
        session.execute(FORGET, {"of_message": message, "people": people})
    rows = [
        {
            "message": message,
            "person": person,
            "rule": one.explanation.rule,
            "reason": str(one.explanation.reason),
            "at": at,
        }
        for (message, person), one in untold.items()
    ]
    insert_rows(session, OUTCOMES, rows)
