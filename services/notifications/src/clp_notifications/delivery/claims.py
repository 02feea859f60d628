"""Claims: which worker has which mail, and until when.

The row decides who works on it, however many workers were told of it. A lease that
runs out is swept back to work, so a worker that dies costs time and no mail.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import among, chunks
from clp_core.channels import Channel
from clp_core.routing import Trigger
from clp_notifications.mail.content import Kind
from clp_notifications.states import Because, State
from clp_notifications.tables import MAILS, NOTIFICATIONS, Mail, Notification
from clp_notifications.transitions import Change, move

CLAIMED: Final = Change(State.CLAIMED, Because.CLAIMED)
SWEPT_AT_ONCE: Final = 1000


# Written once: they are used for every few mails.
DUE: Final = (
    select(
        MAILS.c.id,
        MAILS.c.person,
        MAILS.c.channel,
        MAILS.c.kind,
        MAILS.c.first_message,
        MAILS.c.attempts,
        MAILS.c.first_tried_at,
    )
    .where(MAILS.c.due_at <= bindparam("now"), MAILS.c.lease_until.is_(None))
    .order_by(MAILS.c.due_at, MAILS.c.number)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
ITEMS: Final = (
    select(
        NOTIFICATIONS.c.id,
        NOTIFICATIONS.c.mail,
        NOTIFICATIONS.c.message,
        NOTIFICATIONS.c.channel,
        NOTIFICATIONS.c.number,
        NOTIFICATIONS.c.trigger,
    )
    .where(among(NOTIFICATIONS.c.mail, "mails"))
    .where(NOTIFICATIONS.c.state == State.DUE.value)
    .order_by(NOTIFICATIONS.c.number)
)
TAKE: Final = (
    update(MAILS)
    .where(among(MAILS.c.id, "mails"))
    .values(lease=bindparam("to"), lease_until=bindparam("until"), joinable=False)
)
RELEASE: Final = (
    update(MAILS)
    .where(among(MAILS.c.id, "mails"), MAILS.c.lease == bindparam("held"))
    .values(
        lease=None,
        lease_until=None,
        due_at=bindparam("again_at"),
        attempts=MAILS.c.attempts + bindparam("tries"),
        first_tried_at=func.coalesce(
            MAILS.c.first_tried_at,
            bindparam("first", type_=Mail.first_tried_at.type),
        ),
    )
    .returning(MAILS.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One notification of a claimed mail."""

    id: str
    message: str
    channel: Channel
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
    mails = session.execute(DUE, {"now": now, "most": limit}).all()
    if not mails:
        return ()
    items = _items_of(session, [mail.id for mail in mails])
    key, until = new_id(), now + lease
    taken = {"mails": [mail.id for mail in mails], "to": key, "until": until}
    session.execute(TAKE, taken)
    claimed = (item.id for its in items.values() for item in its)
    move(session, dict.fromkeys(claimed, CLAIMED), at=now)
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
    for row in session.execute(ITEMS, {"mails": mails}):
        item = Item(
            id=row.id,
            message=row.message,
            channel=Channel.named(row.channel),
            number=row.number,
            trigger=Trigger(row.trigger),
        )
        items.setdefault(row.mail, []).append(item)
    return items


def settle(
    session: Session, done: Iterable[tuple[Claim, Record]], *, now: datetime
) -> frozenset[str]:
    """Write what became of claims; gives the mails whose lease went to somebody else.

    What ended alike is written together.
    """
    alike: dict[tuple[str, datetime | None, bool], list[tuple[Claim, Record]]] = {}
    for claim, record in done:
        key = (claim.lease, record.again_at, record.attempted)
        alike.setdefault(key, []).append((claim, record))
    lost: set[str] = set()
    changes: dict[str, Change] = {}
    for key, group in alike.items():
        held = _release(session, key, group)
        for claim, record in group:
            if claim.mail in held:
                changes.update(record.changes)
            else:
                lost.add(claim.mail)
    move(session, changes, at=now)
    return frozenset(lost)


def _release(
    session: Session,
    key: tuple[str, datetime | None, bool],
    group: list[tuple[Claim, Record]],
) -> frozenset[str]:
    """Give mails back whose lease is still ours, and say which they are."""
    lease, again_at, attempted = key
    held = session.scalars(
        RELEASE,
        {
            "mails": [claim.mail for claim, _ in group],
            "held": lease,
            "again_at": again_at,
            "tries": int(attempted),
            "first": min(claim.first_tried_at for claim, _ in group)
            if attempted
            else None,
        },
    )
    return frozenset(held)


def put_off(session: Session, person: str, until: datetime) -> None:
    """Have the mails that wait for a person wait longer: the mailbox is full."""
    waiting = (
        select(Mail.id)
        .where(Mail.person == person, Mail.due_at < until, Mail.lease_until.is_(None))
        .with_for_update(skip_locked=True)
    )
    for chunk in chunks(session.scalars(waiting).all()):
        session.execute(update(Mail).where(Mail.id.in_(chunk)).values(due_at=until))


def sweep(session: Session, now: datetime, *, everybody_left: bool = False) -> int:
    """Put mails back to work whose worker never came back; say how many.

    A worker that holds a lease may come back as long as it runs, unless it is known
    that no worker of before is left.
    """
    ended = Mail.lease_until.is_not(None) if everybody_left else Mail.lease_until < now
    mails = session.scalars(
        select(Mail.id)
        .where(ended)
        .limit(SWEPT_AT_ONCE)
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
