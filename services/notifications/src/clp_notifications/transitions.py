"""The only place where notifications change state: each change leaves its step."""

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

from clp_chassis.persistence.bulk_sql import among
from clp_contracts.events import NOTIFICATION_DUE
from clp_notifications.states import Because, MailMode, State
from clp_notifications.tables import (
    CODE,
    MAIL_PREFERENCES,
    MAIL_SETTINGS,
    NOTIFICATIONS,
    OUTBOX,
    STEPS,
    SUPPRESSED_ADDRESSES,
    Mail,
    MailPreference,
    MailSetting,
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


# Written once: they are used for every few mails.
MOVE: Final = (
    update(NOTIFICATIONS)
    .where(among(NOTIFICATIONS.c.id, "moved"))
    .values(state=bindparam("to"), reason=bindparam("because"))
)
ADD_STEPS: Final = insert(STEPS).from_select(
    ["notification", "at", "state", "reason"],
    select(
        NOTIFICATIONS.c.id,
        bindparam("stepped_at", type_=STEPS.c.at.type),
        bindparam("to", type_=CODE),
        bindparam("because", type_=CODE),
    )
    .where(among(NOTIFICATIONS.c.id, "moved"))
    .order_by(NOTIFICATIONS.c.number, NOTIFICATIONS.c.id),
)
MODES: Final = (
    select(MAIL_SETTINGS.c.person, MAIL_SETTINGS.c.project, MAIL_SETTINGS.c.mode)
    .where(among(MAIL_SETTINGS.c.person, "people"))
    .where(among(MAIL_SETTINGS.c.project, "projects"))
)
SUPPRESSED: Final = select(SUPPRESSED_ADDRESSES.c.address).where(
    among(SUPPRESSED_ADDRESSES.c.address, "addresses")
)
WITHOUT_CONTENT: Final = select(MAIL_PREFERENCES.c.person).where(
    among(MAIL_PREFERENCES.c.person, "people"), MAIL_PREFERENCES.c.content.is_(False)
)


def add_steps(
    session: Session, change: Change, notifications: Collection[str], *, at: datetime
) -> None:
    """Add the same step to the history of each of these notifications."""
    to = {"to": change.state.value, "because": change.because.value}
    session.execute(ADD_STEPS, {"moved": notifications, "stepped_at": at, **to})
    MOVED.labels(change.state.value, change.because.value).inc(len(notifications))


def move(session: Session, changes: Mapping[str, Change], *, at: datetime) -> None:
    """Move notifications to new states, each with its step."""
    by_change: dict[Change, list[str]] = {}
    for notification, change in changes.items():
        by_change.setdefault(change, []).append(notification)
    for change, notifications in by_change.items():
        to = {"to": change.state.value, "because": change.because.value}
        session.execute(MOVE, {"moved": notifications, **to})
        add_steps(session, change, notifications, at=at)


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
    people = {person for person, _ in wanted}
    projects = {project for _, project in wanted} | {""}
    rows = session.execute(MODES, {"people": people, "projects": projects})
    said = {(row.person, row.project): MailMode(row.mode) for row in rows}
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
    return frozenset(session.scalars(SUPPRESSED, {"addresses": addresses}))


def people_without_content(session: Session, people: Sequence[str]) -> frozenset[str]:
    """Who of these people wants mails that show nothing of what was written."""
    return frozenset(session.scalars(WITHOUT_CONTENT, {"people": people}))


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
