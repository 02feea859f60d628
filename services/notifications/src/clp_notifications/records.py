"""The only place where notifications change state: each change leaves its step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from prometheus_client import Counter
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from clp_chassis.storing import chunks
from clp_contracts.events import NOTIFICATION_DUE
from clp_notifications.states import Because, MailMode, State
from clp_notifications.tables import (
    OUTBOX,
    Mail,
    MailPreference,
    MailSetting,
    Notification,
    Step,
    SuppressedAddress,
)

MOMENT: Final = timedelta(seconds=3)
MOVED: Final = Counter(
    "clp_notifications_moved", "Steps of notifications.", ["state", "reason"]
)


@dataclass(frozen=True, slots=True)
class Change:
    """Where a notification goes, and why."""

    state: State
    because: Because


def add_steps(
    session: Session,
    change: Change,
    which: Iterable[ColumnElement[bool]],
    *,
    at: datetime,
) -> None:
    """Add the same step to the history of all notifications that fit.

    The database writes them: no row travels, however many there are.
    """
    steps = select(
        Notification.id,
        literal(at, Step.at.type),
        literal(change.state.value),
        literal(change.because.value),
    ).where(*which)
    in_order = steps.order_by(Notification.number, Notification.id)
    columns = [Step.notification, Step.at, Step.state, Step.reason]
    written = cast(
        CursorResult[Any],
        session.execute(insert(Step).from_select(columns, in_order)),
    )
    MOVED.labels(change.state.value, change.because.value).inc(max(0, written.rowcount))


def move(session: Session, changes: Mapping[str, Change], *, at: datetime) -> None:
    """Move notifications to new states, each with its step."""
    by_change: dict[Change, list[str]] = {}
    for notification, change in changes.items():
        by_change.setdefault(change, []).append(notification)
    for change, notifications in by_change.items():
        for chunk in chunks(notifications):
            session.execute(
                update(Notification)
                .where(Notification.id.in_(chunk))
                .values(state=change.state.value, reason=change.because.value)
            )
            add_steps(session, change, (Notification.id.in_(chunk),), at=at)


def announce_due(session: Session, about: tuple[str, str], *, at: datetime) -> None:
    """Wake delivery once this is committed; ``about`` is a message and its project."""
    subject, project = about
    OUTBOX.append(session, (NOTIFICATION_DUE, subject, project), at=at)


def modes_of(
    session: Session, people: Sequence[str], project: str
) -> dict[str, MailMode]:
    """When people want mails about a project; who never said so is absent."""
    found = modes_among(session, [(person, project) for person in people])
    return {person: mode for (person, _), mode in found.items()}


def modes_among(
    session: Session, pairs: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], MailMode]:
    """When each ``(person, project)`` wants mails; who never said so is absent."""
    wanted = tuple(pairs)
    said: dict[tuple[str, str], MailMode] = {}
    # So few projects at a time that any database takes the question.
    for projects in chunks({project for _, project in wanted}):
        of_these = {person for person, project in wanted if project in set(projects)}
        for people in chunks(of_these):
            rows = session.execute(
                select(MailSetting.person, MailSetting.project, MailSetting.mode)
                .where(MailSetting.person.in_(people))
                .where(MailSetting.project.in_([*projects, ""]))
            )
            said.update(((row[0], row[1]), MailMode(row[2])) for row in rows)
    # What was said of the project wins over what was said of all of them.
    found = {pair: said.get(pair) or said.get((pair[0], "")) for pair in wanted}
    return {pair: mode for pair, mode in found.items() if mode is not None}


def set_mode(
    session: Session, whose: tuple[str, str], mode: MailMode, *, at: datetime
) -> None:
    """Set the mode of ``(person, project)``; an empty project is the default."""
    person, project = whose
    found = session.get(MailSetting, whose, with_for_update=True)
    if found is None:
        session.add(MailSetting(person=person, project=project, mode=mode.value, at=at))
    else:
        found.mode, found.at = mode.value, at


def suppressed_among(session: Session, addresses: Iterable[str]) -> frozenset[str]:
    """Those of the addresses that refused mail for good."""
    found: set[str] = set()
    for chunk in chunks(addresses):
        asked = select(SuppressedAddress.address)
        found.update(session.scalars(asked.where(SuppressedAddress.address.in_(chunk))))
    return frozenset(found)


def people_without_content(session: Session, people: Sequence[str]) -> frozenset[str]:
    """Who of these people wants mails that show nothing of what was written."""
    found: set[str] = set()
    for chunk in chunks(people):
        found.update(
            session.scalars(
                select(MailPreference.person).where(
                    MailPreference.person.in_(chunk), MailPreference.content.is_(False)
                )
            )
        )
    return frozenset(found)


def set_content(session: Session, person: str, *, content: bool, at: datetime) -> None:
    """Set whether the mails to a person show what was written."""
    found = session.get(MailPreference, person, with_for_update=True)
    if found is None:
        session.add(MailPreference(person=person, content=content, at=at))
    else:
        found.content, found.at = content, at


def is_suppressed(session: Session, address: str) -> bool:
    """Whether an address refused mail for good."""
    return address in suppressed_among(session, [address])


def suppress(
    session: Session, refused: tuple[str, str], because: Because, *, at: datetime
) -> None:
    """Remember of ``(address, mail)`` that the address refused this mail for good."""
    address, mail = refused
    if not is_suppressed(session, address):
        session.add(
            SuppressedAddress(address=address, reason=because.value, mail=mail, at=at)
        )


def work_due(session: Session, now: datetime) -> int:
    """How many mails are due now; one in a worker's hands is due until it is done.

    One that was put off for a moment, as when a service was slow to answer, is still
    work in hand; one that waits for its window or its next try is not.
    """
    put_off = Mail.joinable.is_(False) & (Mail.due_at <= now + MOMENT)
    counted = (
        select(func.count()).select_from(Mail).where((Mail.due_at <= now) | put_off)
    )
    return session.scalar(counted) or 0
