"""Measure the signs of health of `notifications`, from its rows.

Delivery serves no calls: its processes leave a heartbeat row every few seconds, with
the last refusal of the relay, which routing reads.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from clp_contracts.health import (
    DELIVERY_MISSING,
    NOTIFICATIONS_DIED,
    NOTIFICATIONS_WAIT,
    RELAY_REFUSES,
    SignValue,
)
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.states import State
from clp_notifications.tables import (
    HEARTBEATS,
    OUTBOX,
    Mail,
    Notification,
    TicketRow,
)

SERVICE: Final = "notifications"
DELIVERY: Final = "delivery"
# A heartbeat that is older is that of a process that has ended.
ALIVE: Final = timedelta(seconds=30)
FORGOTTEN: Final = timedelta(hours=1)


def beat(
    session: Session,
    process: str,
    at: datetime,
    *,
    refusing_since: datetime | None,
    last_refusal: str,
) -> None:
    """Record that a delivery process lives, and what the relay told it last."""
    values = {
        "at": at,
        "refusing_since": refusing_since,
        "last_refusal": last_refusal,
    }
    own = HEARTBEATS.c.process == process
    found = session.execute(update(HEARTBEATS).where(own).values(values))
    if not found.rowcount:  # type: ignore[attr-defined]
        session.execute(insert(HEARTBEATS).values(process=process, **values))
        session.execute(delete(HEARTBEATS).where(HEARTBEATS.c.at < at - FORGOTTEN))


def measure(
    session: Session, now: datetime, *, since: datetime
) -> tuple[SignValue, ...]:
    """Measure every sign; without any heartbeat its age counts from ``since``."""
    waiting_since = _oldest_first_due(session, now)
    return (
        *OUTBOX.signs(session, SERVICE, now),
        SignValue(
            metric=NOTIFICATIONS_WAIT.metric,
            of=SERVICE,
            value=_age(waiting_since, now),
        ),
        _heartbeat(session, now, since),
        # A relay that nobody needs has no state that anybody knows.
        _relay(session, now, is_needed=waiting_since is not None),
        SignValue(
            metric=NOTIFICATIONS_DIED.metric,
            of=SERVICE,
            value=session.scalar(
                select(func.count()).where(Notification.state == State.DEAD.value)
            )
            or 0,
        ),
    )


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _oldest_first_due(session: Session, now: datetime) -> datetime | None:
    """The time at which the oldest undelivered mail or ticket was first due.

    ``due_at`` moves with each attempt; ``dated_at`` is when it was claimed first. A
    mail that waits for a full or busy mailbox is nobody's fault here.
    """
    untried = select(func.min(Mail.due_at)).where(
        Mail.dated_at.is_(None), Mail.due_at <= now
    )
    held_up = (
        select(Notification.id)
        .where(Notification.mail == Mail.id)
        .where(Notification.state.in_((State.DUE.value, State.CLAIMED.value)))
        .where(Notification.reason != TransitionReason.MAILBOX_BUSY.value)
    )
    tried = select(func.min(Mail.dated_at)).where(
        Mail.due_at.is_not(None), Mail.dated_at.is_not(None), held_up.exists()
    )
    tickets = select(func.min(TicketRow.created_at)).where(
        TicketRow.due_at.is_not(None)
    )
    found = [session.scalar(one) for one in (untried, tried, tickets)]
    return min((at for at in found if at is not None), default=None)


def _heartbeat(session: Session, now: datetime, since: datetime) -> SignValue:
    newest = session.scalar(select(func.max(HEARTBEATS.c.at)))
    return SignValue(
        metric=DELIVERY_MISSING.metric, of=DELIVERY, value=_age(newest or since, now)
    )


def _relay(session: Session, now: datetime, *, is_needed: bool) -> SignValue:
    """The relay as the delivery process sees it that has been refused for longest."""
    row = session.execute(
        select(HEARTBEATS)
        .where(HEARTBEATS.c.refusing_since.is_not(None))
        .where(HEARTBEATS.c.at >= now - ALIVE)
        .order_by(HEARTBEATS.c.refusing_since)
        .limit(1)
    ).first()
    return SignValue(
        metric=RELAY_REFUSES.metric,
        of=SERVICE,
        value=_age(row.refusing_since, now) if row and is_needed else 0.0,
        detail=row.last_refusal if row and is_needed else "",
    )
