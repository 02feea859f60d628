"""Change the state of notifications, and record every transition."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter
from sqlalchemy import (
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array, insert_if_absent
from clp_contracts.events import NOTIFICATION_DUE
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.states import MailMode, State
from clp_notifications.tables import (
    CODE,
    MAIL_PREFERENCES,
    MAIL_SETTINGS,
    NOTIFICATIONS,
    OUTBOX,
    SUPPRESSIONS,
    TICKETS,
    TRANSITIONS,
    Mail,
    MailPreference,
    MailSetting,
)

# The cause of settings that a complaint changed.
COMPLAINT: Final = "complaint"
SHORT_DELAY: Final = timedelta(seconds=3)
TRANSITION_COUNTER: Final = Counter(
    "clp_notification_transitions",
    "State transitions of notifications.",
    ["state", "reason"],
)


@dataclass(frozen=True, slots=True)
class Transition:
    """The new state of a notification, and why."""

    state: State
    reason: TransitionReason


# Built once: they run for every few mails.
APPLY: Final = (
    update(NOTIFICATIONS)
    .where(in_array(NOTIFICATIONS.c.id, "ids"))
    .values(state=bindparam("to"), reason=bindparam("reason"))
)
RECORD: Final = insert(TRANSITIONS).from_select(
    ["notification", "at", "state", "reason"],
    select(
        NOTIFICATIONS.c.id,
        bindparam("at_", type_=TRANSITIONS.c.at.type),
        bindparam("to", type_=CODE),
        bindparam("reason", type_=CODE),
    )
    .where(in_array(NOTIFICATIONS.c.id, "ids"))
    .order_by(NOTIFICATIONS.c.number, NOTIFICATIONS.c.id),
)
MODES: Final = (
    select(MAIL_SETTINGS.c.person, MAIL_SETTINGS.c.project, MAIL_SETTINGS.c.mode)
    .where(in_array(MAIL_SETTINGS.c.person, "people"))
    .where(in_array(MAIL_SETTINGS.c.project, "projects"))
)
COMPLAINANTS: Final = select(MAIL_SETTINGS.c.person).where(
    in_array(MAIL_SETTINGS.c.person, "people"),
    MAIL_SETTINGS.c.project == "",
    MAIL_SETTINGS.c.cause == COMPLAINT,
)
SUPPRESSED: Final = select(SUPPRESSIONS.c.address).where(
    in_array(SUPPRESSIONS.c.address, "addresses")
)
WITHOUT_CONTENT: Final = select(MAIL_PREFERENCES.c.person).where(
    in_array(MAIL_PREFERENCES.c.person, "people"), MAIL_PREFERENCES.c.content.is_(False)
)


def record_transitions(
    session: Session,
    transition: Transition,
    notifications: Collection[str],
    *,
    at: datetime,
) -> None:
    """Record the same transition for each of the notifications."""
    to = {"to": transition.state.value, "reason": transition.reason.value}
    session.execute(RECORD, {"ids": notifications, "at_": at, **to})
    TRANSITION_COUNTER.labels(transition.state.value, transition.reason.value).inc(
        len(notifications)
    )


def apply_transitions(
    session: Session, transitions: Mapping[str, Transition], *, at: datetime
) -> None:
    """Apply and record the transition of each notification, by its id."""
    grouped: dict[Transition, list[str]] = {}
    for notification, transition in transitions.items():
        grouped.setdefault(transition, []).append(notification)
    for transition, notifications in grouped.items():
        to = {"to": transition.state.value, "reason": transition.reason.value}
        session.execute(APPLY, {"ids": notifications, **to})
        record_transitions(session, transition, notifications, at=at)


def publish_due(session: Session, *, message: str, project: str, at: datetime) -> None:
    """Publish an event that wakes delivery, once the transaction is committed."""
    OUTBOX.append(
        session, event_type=NOTIFICATION_DUE, subject=message, project=project, at=at
    )


def modes_of(
    session: Session, people: Sequence[str], project: str
) -> dict[str, MailMode]:
    """Return the mail modes of people for a project, of those who chose one."""
    found = modes_among(session, [(person, project) for person in people])
    return {person: mode for (person, _), mode in found.items()}


def modes_among(
    session: Session, pairs: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], MailMode]:
    """Return the mail mode of each ``(person, project)`` for which one was chosen."""
    wanted = tuple(pairs)
    people = {person for person, _ in wanted}
    projects = {project for _, project in wanted} | {""}
    rows = session.execute(MODES, {"people": people, "projects": projects})
    chosen = {(row.person, row.project): MailMode(row.mode) for row in rows}
    # The mode of the project overrides the default of the person.
    found = {pair: chosen.get(pair) or chosen.get((pair[0], "")) for pair in wanted}
    return {pair: mode for pair, mode in found.items() if mode is not None}


def set_mode(
    session: Session, *, person: str, project: str, mode: MailMode, at: datetime
) -> None:
    """Set the mail mode of a person for a project; an empty project is the default."""
    key = {"person": person, "project": project}
    values = {"mode": mode.value, "cause": None, "at": at}
    if not insert_if_absent(session, MAIL_SETTINGS, {**key, **values}):
        statement = update(MailSetting).filter_by(**key).values(values)
        session.execute(statement)


def drop_mode(session: Session, *, person: str, project: str) -> None:
    """Let the default of a person apply to a project again."""
    found = session.get(MailSetting, (person, project), with_for_update=True)
    if found is not None:
        session.delete(found)


def turn_off_all_mails(
    session: Session, person: str, *, cause: str, at: datetime
) -> None:
    """Turn off the mails of a person about every project, chosen or not."""
    set_mode(session, person=person, project="", mode=MailMode.OFF, at=at)
    session.execute(
        update(MailSetting)
        .where(MailSetting.person == person)
        .values(mode=MailMode.OFF.value, cause=cause, at=at)
    )


def complainants_among(session: Session, people: Sequence[str]) -> frozenset[str]:
    """Return those of the people whose mails a complaint turned off."""
    return frozenset(session.scalars(COMPLAINANTS, {"people": people}))


def suppressed_among(session: Session, addresses: Iterable[str]) -> frozenset[str]:
    """Return those of the addresses that are suppressed."""
    return frozenset(session.scalars(SUPPRESSED, {"addresses": addresses}))


def people_without_content(session: Session, people: Sequence[str]) -> frozenset[str]:
    """Return those of the people who want mails without the text of messages."""
    return frozenset(session.scalars(WITHOUT_CONTENT, {"people": people}))


def set_content(session: Session, person: str, *, content: bool, at: datetime) -> None:
    """Set whether mails to a person contain the text of messages."""
    found = session.get(MailPreference, person, with_for_update=True)
    if found is None:
        session.add(MailPreference(person=person, content=content, at=at))
    else:
        found.content, found.at = content, at


def is_suppressed(session: Session, address: str) -> bool:
    """Whether an address is suppressed."""
    return address in suppressed_among(session, [address])


def suppress(
    session: Session, address: str, *, mail: str, reason: TransitionReason, at: datetime
) -> None:
    """Suppress an address because of the mail that it refused for good."""
    row = {"address": address, "reason": reason.value, "mail": mail, "at": at}
    insert_if_absent(session, SUPPRESSIONS, row)


def work_due(session: Session, now: datetime) -> int:
    """Count the mails and tickets that are due now, including the claimed ones.

    A mail that was postponed for seconds, as when a service was slow, still counts; one
    that waits for its window or its next attempt does not.
    """
    postponed = Mail.joinable.is_(False) & (Mail.due_at <= now + SHORT_DELAY)
    counted = (
        select(func.count()).select_from(Mail).where((Mail.due_at <= now) | postponed)
    )
    tickets = select(func.count()).where(TICKETS.c.due_at <= now)
    return (session.scalar(counted) or 0) + (session.scalar(tickets) or 0)
