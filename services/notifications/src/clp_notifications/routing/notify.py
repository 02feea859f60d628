"""Store notifications, and outcomes of people who are not told.

Messages that are routed together are stored with the same few statements.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import in_array, insert_rows
from clp_contracts.transition_reasons import TransitionReason
from clp_core.channels import Channel
from clp_core.routing import Explanation, Trigger
from clp_notifications.dependencies import MailPolicy
from clp_notifications.mail.content import KINDS, Kind
from clp_notifications.routing.mail_assignment import MailRecipient, assign_to_mails
from clp_notifications.states import State
from clp_notifications.tables import MAILS, NOTIFICATIONS, OUTCOMES
from clp_notifications.transitions import (
    Transition,
    apply_transitions,
    publish_due,
    record_transitions,
)

MAILS_PER_EVENT: Final = 200
ROUTED = Transition(State.DUE, TransitionReason.ROUTED)
MENTIONED = Transition(State.DUE, TransitionReason.MENTIONED)
REROUTED = Transition(State.DUE, TransitionReason.REROUTED)
# Built once: they run for every few messages.
NOTIFIED: Final = select(
    NOTIFICATIONS.c.message,
    NOTIFICATIONS.c.person,
    NOTIFICATIONS.c.id,
    NOTIFICATIONS.c.state,
    NOTIFICATIONS.c.trigger,
).where(in_array(NOTIFICATIONS.c.message, "messages"))
# Delivery locks mails before it changes their notifications, and so does an edit.
LOCK_UNCLAIMED: Final = (
    select(MAILS.c.id)
    .where(
        MAILS.c.id.in_(
            select(NOTIFICATIONS.c.mail).where(
                in_array(NOTIFICATIONS.c.message, "messages")
            )
        ),
        MAILS.c.due_at.is_not(None),
        MAILS.c.lease_until.is_(None),
    )
    .order_by(MAILS.c.number)
    .with_for_update()
)
REASSIGN: Final = (
    update(NOTIFICATIONS)
    .where(NOTIFICATIONS.c.id == bindparam("notification"))
    .values(
        mail=bindparam("of_mail"),
        trigger=bindparam("new_trigger"),
        rule=bindparam("new_rule"),
        routing_reason=bindparam("new_reason"),
    )
)
DELETE_OUTCOMES: Final = delete(OUTCOMES).where(
    OUTCOMES.c.message == bindparam("of_message"), in_array(OUTCOMES.c.person, "people")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingResult:
    """A message, and the decision on everybody it may concern.

    Windows start at ``since``, when it was posted or edited, however late routing runs.
    ``time_zones`` are those of the people who have one, by their ids.
    A message that ``is_new`` was not routed before.
    """

    message: str
    number: int
    channel: Channel
    since: datetime
    explanations: tuple[Explanation, ...]
    time_zones: Mapping[str, str]
    is_new: bool = False


class _Notified(NamedTuple):
    """A notification from an earlier routing of the same message."""

    id: str
    state: str
    trigger: str


class _Decided(NamedTuple):
    """The decision on one person and one message."""

    result: RoutingResult
    explanation: Explanation

    @property
    def key(self) -> tuple[str, str]:
        return self.result.message, self.explanation.person.id


def record_notifications(
    session: Session,
    results: Sequence[RoutingResult],
    policy: MailPolicy,
    *,
    at: datetime,
) -> None:
    """Store one notification per person told, ever (rule 24), and other outcomes.

    The results are of different messages.
    """
    known = _notified_before(session, results)
    recipients: list[_Decided] = []
    not_told: dict[tuple[str, str], _Decided] = {}
    for result in results:
        for one in (
            _Decided(result, explanation) for explanation in result.explanations
        ):
            before = known.get(one.key)
            if one.explanation.told:
                if before is None or _becomes_due(before, one.explanation):
                    recipients.append(one)
            elif before is None:
                # Keep the newest decision on a person.
                not_told[one.key] = one
    _write_outcomes(session, not_told, at=at)
    if recipients:
        _tell(session, recipients, known=known, policy=policy, at=at)


def _tell(
    session: Session,
    recipients: Sequence[_Decided],
    *,
    known: Mapping[tuple[str, str], _Notified],
    policy: MailPolicy,
    at: datetime,
) -> None:
    """Assign mails in the order of the messages and edits; write the notifications."""
    assigned = assign_to_mails(
        session, [_recipient(*one) for one in recipients], policy
    )
    mails = {one.key: mail for one, mail in zip(recipients, assigned, strict=True)}
    new = [one for one in recipients if one.key not in known]
    due_again = {known[one.key].id: one for one in recipients if one.key in known}
    if new:
        _write_notifications(session, new, mails, at=at)
    if due_again:
        _make_due_again(session, due_again, mails, at=at)
    _wake_delivery(session, recipients, at=at)


def _notified_before(
    session: Session, results: Sequence[RoutingResult]
) -> dict[tuple[str, str], _Notified]:
    edited = {result.message for result in results if not result.is_new}
    if not edited:
        return {}
    # A mail that is not claimed yet is not sent while its notification changes.
    session.execute(LOCK_UNCLAIMED, {"messages": edited})
    rows = session.execute(NOTIFIED, {"messages": edited})
    return {
        (row.message, row.person): _Notified(row.id, row.state, row.trigger)
        for row in rows
    }


def _becomes_due(before: _Notified, explanation: Explanation) -> bool:
    """Whether an edit makes an earlier notification due (rules 13, 24, 40).

    It was withdrawn, or waits for a mail with another trigger.
    """
    waits = before.state == State.DUE and before.trigger != explanation.trigger
    return waits or before.state == State.SUPPRESSED


def _make_due_again(
    session: Session,
    due_again: Mapping[str, _Decided],
    mails: Mapping[tuple[str, str], str],
    *,
    at: datetime,
) -> None:
    """Make earlier notifications due with their new trigger, each in its new mail."""
    for notification, one in due_again.items():
        parameters = {
            "notification": notification,
            "of_mail": mails[one.key],
            "new_trigger": str(one.explanation.trigger),
            "new_rule": one.explanation.rule,
            "new_reason": str(one.explanation.reason),
        }
        session.execute(REASSIGN, parameters)
    transitions = {
        notification: MENTIONED
        if one.explanation.trigger is Trigger.MENTION
        else REROUTED
        for notification, one in due_again.items()
    }
    apply_transitions(session, transitions, at=at)


def _write_notifications(
    session: Session,
    new: Sequence[_Decided],
    mails: Mapping[tuple[str, str], str],
    *,
    at: datetime,
) -> None:
    rows = [_row(*one, mails[one.key]) for one in new]
    insert_rows(session, NOTIFICATIONS, rows)
    # The first transition of each, written with it.
    record_transitions(session, ROUTED, [row["id"] for row in rows], at=at)


def _wake_delivery(
    session: Session, recipients: Sequence[_Decided], *, at: datetime
) -> None:
    """Publish one event per worker that may be needed; the broker distributes them."""
    subjects = {one.result.channel.project: one.result.message for one in recipients}
    counted = Counter(one.result.channel.project for one in recipients)
    for project, many in counted.items():
        for _ in range(0, many, MAILS_PER_EVENT):
            publish_due(session, message=subjects[project], project=project, at=at)


def _recipient(result: RoutingResult, explanation: Explanation) -> MailRecipient:
    return MailRecipient(
        person=explanation.person.id,
        time_zone=result.time_zones.get(explanation.person.id),
        kind=_kind(explanation),
        message=result.message,
        channel=result.channel,
        since=result.since,
    )


def _kind(explanation: Explanation) -> Kind:
    if explanation.trigger is None:
        raise ValueError("a person who is not told gets no mail")
    return KINDS[explanation.trigger]


def _row(result: RoutingResult, explanation: Explanation, mail: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "message": result.message,
        "number": result.number,
        "person": explanation.person.id,
        "project": result.channel.project,
        "channel": result.channel.name,
        "trigger": str(explanation.trigger),
        "rule": explanation.rule,
        "routing_reason": str(explanation.reason),
        "mail": mail,
        "state": ROUTED.state.value,
        "reason": ROUTED.reason.value,
    }


def _write_outcomes(
    session: Session, not_told: Mapping[tuple[str, str], _Decided], *, at: datetime
) -> None:
    """Replace the outcomes of the people who are not told."""
    edited: dict[str, list[str]] = {}
    for (message, person), one in not_told.items():
        if not one.result.is_new:
            edited.setdefault(message, []).append(person)
    for message, people in edited.items():
        session.execute(DELETE_OUTCOMES, {"of_message": message, "people": people})
    rows = [
        {
            "message": message,
            "person": person,
            "rule": one.explanation.rule,
            "reason": str(one.explanation.reason),
            "at": at,
        }
        for (message, person), one in not_told.items()
    ]
    insert_rows(session, OUTCOMES, rows)
