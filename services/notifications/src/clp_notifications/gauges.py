"""Gauges and probes of both process types of `notifications`."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clp_chassis.clock import Clock
from clp_chassis.observability import GaugeSample, Probes
from clp_chassis.persistence.database import Database
from clp_notifications.states import State
from clp_notifications.tables import OUTBOX, Mail, Notification, Suppression
from clp_notifications.transitions import work_due

SERVICE: Final = "notifications"


def probes(database: Database, clock: Clock) -> Probes:
    """Probe the database; measure the outbox, mails, failures and suppressions."""

    def read() -> tuple[GaugeSample, ...]:
        now = clock()
        with database.reading() as session:
            return (*OUTBOX.samples(session, SERVICE, now), *_mails(session, now))

    return Probes(gauges=(read,), checks={"database": database.ping})


def _mails(session: Session, now: datetime) -> tuple[GaugeSample, ...]:
    oldest = session.scalar(select(func.min(Mail.due_at)).where(Mail.due_at <= now))
    late = 0.0 if oldest is None else (now - oldest).total_seconds()
    claimed = select(func.count()).where(Mail.lease_until.is_not(None))
    dead = select(func.count()).where(Notification.state == State.DEAD.value)
    addresses = select(func.count()).select_from(Suppression)
    return (
        GaugeSample(
            name="clp_mails_due",
            help="Mails that are due.",
            value=work_due(session, now),
        ),
        GaugeSample(
            name="clp_mails_oldest_seconds",
            help="Age of the oldest due mail in seconds.",
            value=late,
        ),
        GaugeSample(
            name="clp_mails_claimed",
            help="Mails claimed by a worker.",
            value=session.scalar(claimed) or 0,
        ),
        GaugeSample(
            name="clp_notifications_dead",
            help="Notifications that failed for good and were not redriven.",
            value=session.scalar(dead) or 0,
        ),
        GaugeSample(
            name="clp_addresses_suppressed",
            help="Suppressed mail addresses.",
            value=session.scalar(addresses) or 0,
        ),
    )
