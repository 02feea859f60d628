"""The only place where notifications change state: each change leaves its step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import Counter
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from clp_chassis.storing import chunks
from clp_contracts.events import NOTIFICATION_DUE
from clp_notifications.states import Because, MailMode, State
from clp_notifications.tables import (
    OUTBOX,
    Mail,
    MailSetting,
    Notification,
    Step,
    SuppressedAddress,
)

MOVED: Final = Counter(
    "clp_notifications_moved", "Steps of notifications.", ["state", "reason"]
)


@dataclass(frozen=True, slots=True)
class Change:
    """Where a notification goes, and why."""

    state: State
    because: Because


def add_steps(
    session: Session, notifications: Iterable[str], change: Change, *, at: datetime
) -> None:
    """Add the same step to the history of several notifications."""
    rows = [
        {
            "notification": notification,
            "at": at,
            "state": change.state.value,
            "reason": change.because.value,
        }
        for notification in notifications
    ]
    if rows:
        session.execute(insert(Step), rows)
        MOVED.labels(change.state.value, change.because.value).inc(len(rows))


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
        add_steps(session, notifications, change, at=at)


def announce_due(session: Session, about: tuple[str, str], *, at: datetime) -> None:
    """Wake delivery once this is committed; ``about`` is a message and its project."""
    subject, project = about
    OUTBOX.append(session, (NOTIFICATION_DUE, subject, project), at=at)


def modes_of(
    session: Session, people: Sequence[str], project: str
) -> dict[str, MailMode]:
    """When people want mails about a project; who never said so is absent."""
    found: dict[str, MailMode] = {}
    for chunk in chunks(people):
        rows = session.execute(
            select(MailSetting.person, MailSetting.mode)
            .where(MailSetting.person.in_(chunk))
            .where(or_(MailSetting.project == project, MailSetting.project == ""))
            # What was said of the project comes last, and wins.
            .order_by(MailSetting.project)
        )
        found.update((row.person, MailMode(row.mode)) for row in rows)
    return found


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


def is_suppressed(session: Session, address: str) -> bool:
    """Whether an address refused mail for good."""
    return session.get(SuppressedAddress, address) is not None


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
    """How many mails are due now; one in a worker's hands is due until it is done."""
    counted = select(func.count()).select_from(Mail).where(Mail.due_at <= now)
    return session.scalar(counted) or 0
