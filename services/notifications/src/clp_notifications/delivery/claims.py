"""Claim due mails under a lease, write their outcomes, sweep expired leases.

The row decides which worker delivers a mail, however many were woken for it. An expired
lease is swept, so a worker that dies costs time and no mail.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import batched, in_array
from clp_contracts.transition_reasons import TransitionReason
from clp_core.channels import Channel
from clp_core.routing import Trigger
from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.mail.content import Kind
from clp_notifications.states import State
from clp_notifications.tables import MAILS, NOTIFICATIONS, Mail, Notification
from clp_notifications.transitions import Transition, apply_transitions

log = logging.getLogger(__name__)

CLAIMED: Final = Transition(State.CLAIMED, TransitionReason.CLAIMED)
SWEEP_LIMIT: Final = 1000


# Built once: they run for every few mails.
DUE: Final = (
    select(
        MAILS.c.id,
        MAILS.c.person,
        MAILS.c.channel,
        MAILS.c.kind,
        MAILS.c.first_message,
        MAILS.c.attempts,
        MAILS.c.first_tried_at,
        MAILS.c.dated_at,
    )
    .where(MAILS.c.due_at <= bindparam("now"), MAILS.c.lease_until.is_(None))
    .order_by(MAILS.c.due_at, MAILS.c.number)
    .limit(bindparam("max_mails"))
    .with_for_update(skip_locked=True)
)
NEXT_DUE: Final = select(func.min(MAILS.c.due_at)).where(MAILS.c.lease_until.is_(None))
ITEMS: Final = (
    select(
        NOTIFICATIONS.c.id,
        NOTIFICATIONS.c.mail,
        NOTIFICATIONS.c.message,
        NOTIFICATIONS.c.channel,
        NOTIFICATIONS.c.number,
        NOTIFICATIONS.c.trigger,
    )
    .where(in_array(NOTIFICATIONS.c.mail, "mails"))
    .where(NOTIFICATIONS.c.state == State.DUE.value)
    .order_by(NOTIFICATIONS.c.number)
)
TAKE: Final = (
    update(MAILS)
    .where(in_array(MAILS.c.id, "mails"))
    .values(
        lease=bindparam("to"),
        lease_until=bindparam("until"),
        joinable=False,
        dated_at=func.coalesce(
            MAILS.c.dated_at, bindparam("now_", type_=Mail.dated_at.type)
        ),
    )
)
RELEASE: Final = (
    update(MAILS)
    .where(in_array(MAILS.c.id, "mails"), MAILS.c.lease == bindparam("held"))
    .values(
        lease=None,
        lease_until=None,
        due_at=bindparam("retry_at"),
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
    """A mail that this worker may deliver until its lease ends."""

    mail: str
    lease: str
    until: datetime
    person: str
    channel: Channel
    kind: Kind
    first_message: str
    attempts: int
    first_tried_at: datetime
    dated_at: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """The outcome of a claim: a change for each notification, and when to retry.

    ``retry_at`` is None when nothing is left to do; ``attempted`` counts an attempt.
    """

    changes: Mapping[str, Transition]
    retry_at: datetime | None = None
    attempted: bool = False


_Row = Row[*tuple[Any, ...]]
# Lease, when to retry, and whether it counts as an attempt.
_OutcomeKey = tuple[str, datetime | None, bool]


def claim(
    session: Session, now: datetime, *, limit: int, lease: timedelta
) -> tuple[Claim, ...]:
    """Claim due mails, the longest waiting first."""
    mails = session.execute(DUE, {"now": now, "max_mails": limit}).all()
    if not mails:
        return ()
    items = _items_of(session, [mail.id for mail in mails])
    key, until = new_id(), now + lease
    taken = {
        "mails": [mail.id for mail in mails],
        "to": key,
        "until": until,
        "now_": now,
    }
    session.execute(TAKE, taken)
    claimed = (row.id for its in items.values() for row in its)
    apply_transitions(session, dict.fromkeys(claimed, CLAIMED), at=now)
    found = (
        _claim_in(mail, items.get(mail.id, ()), lease=key, until=until, now=now)
        for mail in mails
    )
    return tuple(one for one in found if one is not None)


def _items_of(session: Session, mails: list[str]) -> dict[str, list[_Row]]:
    items: dict[str, list[_Row]] = {}
    for row in session.execute(ITEMS, {"mails": mails}):
        items.setdefault(row.mail, []).append(row)
    return items


def _claim_in(
    mail: _Row,
    items: Iterable[_Row],
    *,
    lease: str,
    until: datetime,
    now: datetime,
) -> Claim | None:
    """The claim in rows; None for rows that only a newer program understands.

    They stay claimed until the lease ends, and hold up no other mail.
    """
    try:
        return Claim(
            mail=mail.id,
            lease=lease,
            until=until,
            person=mail.person,
            channel=Channel.named(mail.channel),
            kind=Kind(mail.kind),
            first_message=mail.first_message,
            attempts=mail.attempts,
            first_tried_at=mail.first_tried_at or now,
            dated_at=mail.dated_at or now,
            items=tuple(
                Item(
                    id=row.id,
                    message=row.message,
                    channel=Channel.named(row.channel),
                    number=row.number,
                    trigger=Trigger(row.trigger),
                )
                for row in items
            ),
        )
    except ValueError:
        log.exception("mail %s waits for a program that understands it", mail.id)
        return None


def settle(
    session: Session, done: Iterable[tuple[Claim, DeliveryOutcome]], *, now: datetime
) -> frozenset[str]:
    """Write outcomes; return the mails whose lease another worker has taken over.

    Equal outcomes are written together.
    """
    equal: dict[
        tuple[str, datetime | None, bool], list[tuple[Claim, DeliveryOutcome]]
    ] = {}
    for claim, outcome in done:
        key = (claim.lease, outcome.retry_at, outcome.attempted)
        equal.setdefault(key, []).append((claim, outcome))
    lost: set[str] = set()
    changes: dict[str, Transition] = {}
    for key, group in equal.items():
        held = _release(session, key, group)
        for claim, outcome in group:
            if claim.mail in held:
                changes.update(outcome.changes)
            else:
                lost.add(claim.mail)
    apply_transitions(session, changes, at=now)
    return frozenset(lost)


def _release(
    session: Session,
    key: _OutcomeKey,
    group: list[tuple[Claim, DeliveryOutcome]],
) -> frozenset[str]:
    """Release the mails whose lease is still ours; return them."""
    lease, retry_at, attempted = key
    held = session.scalars(
        RELEASE,
        {
            "mails": [claim.mail for claim, _ in group],
            "held": lease,
            "retry_at": retry_at,
            "tries": int(attempted),
            "first": min(claim.first_tried_at for claim, _ in group)
            if attempted
            else None,
        },
    )
    return frozenset(held)


def postpone_person(session: Session, person: str, until: datetime) -> None:
    """Postpone the waiting mails of a person whose mailbox is full."""
    waiting = (
        select(Mail.id)
        .where(Mail.person == person, Mail.due_at < until, Mail.lease_until.is_(None))
        .with_for_update(skip_locked=True)
    )
    for chunk in batched(session.scalars(waiting).all()):
        session.execute(update(Mail).where(Mail.id.in_(chunk)).values(due_at=until))


def sweep(session: Session, now: datetime, *, all_workers_gone: bool = False) -> int:
    """Make mails with an expired lease due again; return how many.

    With ``all_workers_gone`` unexpired leases count as expired.
    """
    expired = (
        Mail.lease_until.is_not(None) if all_workers_gone else Mail.lease_until < now
    )
    mails = session.scalars(
        select(Mail.id)
        .where(expired)
        .limit(SWEEP_LIMIT)
        .with_for_update(skip_locked=True)
    ).all()
    for chunk in batched(mails):
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
        back = Transition(State.DUE, TransitionReason.LEASE_EXPIRED)
        apply_transitions(session, dict.fromkeys(stranded, back), at=now)
    return len(mails)


def next_due(session: Session) -> datetime | None:
    """The time at which the next unclaimed mail is due."""
    found: datetime | None = session.scalar(NEXT_DUE)
    return found


def claim_due(deps: DeliveryDependencies) -> tuple[Claim, ...]:
    """Claim due mails, unless the relay takes none now."""
    now = deps.clock()
    if deps.throttle.paused_for(now):
        return ()
    with deps.database.writing(notify=False) as session:
        return claim(session, now, limit=deps.limits.batch, lease=deps.limits.lease)


def sweep_expired(deps: DeliveryDependencies) -> int:
    """Make mails with an expired lease due again; return how many."""
    with deps.database.writing(notify=False) as session:
        swept = sweep(session, deps.clock())
    if swept:
        log.warning("the leases of %s mails expired; they are due again", swept)
    return swept


def idle_time(deps: DeliveryDependencies, at_most: timedelta) -> timedelta:
    """The time until there is work, by the database and the throttle."""
    now = deps.clock()
    with deps.database.reading() as session:
        due = next_due(session)
    wait = at_most if due is None else max(timedelta(0), min(at_most, due - now))
    return max(wait, min(at_most, deps.throttle.paused_for(now)))
