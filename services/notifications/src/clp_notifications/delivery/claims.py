"""Claims: which worker has which mail, and until when.

The row decides who works on it, however many workers were told of it. A lease that
runs out is swept back to work, so a worker that dies costs time and no mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.storing import chunks
from clp_core.channels import Channel
from clp_core.routing import Trigger
from clp_notifications.mail.letter import Kind
from clp_notifications.records import Change, move
from clp_notifications.states import Because, State
from clp_notifications.tables import Mail, Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One notification of a claimed mail."""

    id: str
    message: str
    number: int
    trigger: Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A mail in this worker's hands, until its lease ends."""

    mail: str
    lease: str
    until: datetime
    person: str
    channel: Channel
    kind: Kind
    first_message: str
    attempts: int
    first_tried_at: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of a claim: a change for each notification, and when to try again.

    ``again_at`` is None when nothing is left to do; ``attempted`` counts this try.
    """

    changes: Mapping[str, Change]
    again_at: datetime | None = None
    attempted: bool = False


def claim(
    session: Session, now: datetime, *, limit: int, lease: timedelta
) -> tuple[Claim, ...]:
    """Take mails that are due, the longest waiting first."""
    mails = session.scalars(
        select(Mail)
        .where(Mail.due_at <= now, Mail.lease_until.is_(None))
        .order_by(Mail.due_at, Mail.number)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not mails:
        return ()
    items = _items_of(session, [mail.id for mail in mails])
    key, until = new_id(), now + lease
    for chunk in chunks(mail.id for mail in mails):
        session.execute(
            update(Mail)
            .where(Mail.id.in_(chunk))
            .values(lease=key, lease_until=until, joinable=False)
        )
    claimed = Change(State.CLAIMED, Because.CLAIMED)
    move(
        session,
        {item.id: claimed for found in items.values() for item in found},
        at=now,
    )
    return tuple(
        Claim(
            mail=mail.id,
            lease=key,
            until=until,
            person=mail.person,
            channel=Channel.named(mail.channel),
            kind=Kind(mail.kind),
            first_message=mail.first_message,
            attempts=mail.attempts,
            first_tried_at=mail.first_tried_at or now,
            items=tuple(items.get(mail.id, ())),
        )
        for mail in mails
    )


def _items_of(session: Session, mails: list[str]) -> dict[str, list[Item]]:
    items: dict[str, list[Item]] = {}
    for chunk in chunks(mails):
        rows = session.scalars(
            select(Notification)
            .where(Notification.mail.in_(chunk), Notification.state == State.DUE)
            .order_by(Notification.number)
        )
        for row in rows:
            item = Item(
                id=row.id,
                message=row.message,
                number=row.number,
                trigger=Trigger(row.trigger),
            )
            items.setdefault(row.mail, []).append(item)
    return items


def settle(session: Session, claim: Claim, record: Record, *, now: datetime) -> bool:
    """Write what became of a claim; false when the lease went to somebody else."""
    values = {
        "lease": None,
        "lease_until": None,
        "due_at": record.again_at,
        "attempts": claim.attempts + record.attempted,
    }
    if record.attempted:
        values["first_tried_at"] = claim.first_tried_at
    held = (
        update(Mail)
        .where(Mail.id == claim.mail, Mail.lease == claim.lease)
        .values(values)
        .returning(Mail.number)
    )
    if session.scalar(held) is None:
        return False
    move(session, record.changes, at=now)
    return True


def sweep(session: Session, now: datetime) -> int:
    """Put mails back to work whose worker never came back; say how many."""
    mails = session.scalars(
        select(Mail.id)
        .where(Mail.lease_until < now)
        .limit(1000)
        .with_for_update(skip_locked=True)
    ).all()
    for chunk in chunks(mails):
        stranded = session.scalars(
            select(Notification.id).where(
                Notification.mail.in_(chunk), Notification.state == State.CLAIMED
            )
        ).all()
        session.execute(
            update(Mail)
            .where(Mail.id.in_(chunk))
            .values(lease=None, lease_until=None, due_at=now)
        )
        back = Change(State.DUE, Because.LEASE_EXPIRED)
        move(session, dict.fromkeys(stranded, back), at=now)
    return len(mails)


def next_due(session: Session) -> datetime | None:
    """When the next waiting mail is due."""
    found: datetime | None = session.scalar(
        select(func.min(Mail.due_at)).where(Mail.lease_until.is_(None))
    )
    return found
