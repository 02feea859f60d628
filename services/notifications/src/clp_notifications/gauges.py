"""What `notifications` lets an operator see of itself, in both process types."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clp_chassis.clock import Clock
from clp_chassis.observability import Reading, Watched
from clp_chassis.persistence.database import Database
from clp_notifications.states import State
from clp_notifications.tables import OUTBOX, Mail, Notification, SuppressedAddress
from clp_notifications.transitions import work_due

SERVICE: Final = "notifications"


def watched(database: Database, clock: Clock) -> Watched:
    """Its database must answer; mails must not wait, and none be given up unseen."""

    def read() -> tuple[Reading, ...]:
        now = clock()
        with database.reading() as session:
            return (*OUTBOX.waiting(session, SERVICE, now), *_mails(session, now))

    return Watched(gauges=(read,), checks={"database": database.ping})


def _mails(session: Session, now: datetime) -> tuple[Reading, ...]:
    oldest = session.scalar(select(func.min(Mail.due_at)).where(Mail.due_at <= now))
    late = 0.0 if oldest is None else (now - oldest).total_seconds()
    claimed = select(func.count()).where(Mail.lease_until.is_not(None))
    dead = select(func.count()).where(Notification.state == State.DEAD.value)
    addresses = select(func.count()).select_from(SuppressedAddress)
    return (
        Reading(
            name="clp_mails_due",
            help="Mails that are due.",
            value=work_due(session, now),
        ),
        Reading(
            name="clp_mails_oldest_seconds",
            help="Since when the oldest of them is due.",
            value=late,
        ),
        Reading(
            name="clp_mails_claimed",
            help="Mails in the hands of a worker.",
            value=session.scalar(claimed) or 0,
        ),
        Reading(
            name="clp_notifications_dead",
            help="Notifications given up, until an operator sends them again.",
            value=session.scalar(dead) or 0,
        ),
        Reading(
            name="clp_addresses_suppressed",
            help="Addresses that get no mail, until an operator releases them.",
            value=session.scalar(addresses) or 0,
        ),
    )
