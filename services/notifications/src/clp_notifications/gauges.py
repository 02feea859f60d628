"""Gauges and probes of both process types of `notifications`."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clp_chassis.clock import Clock
from clp_chassis.observability import GaugeSample, Probes, samples_of
from clp_chassis.persistence.database import Database
from clp_notifications.health import measure
from clp_notifications.tables import OUTBOX, Mail, Suppression
from clp_notifications.transitions import work_due

SERVICE: Final = "notifications"


def probes(database: Database, clock: Clock) -> Probes:
    """Probe the database; measure the outbox, mails, failures and suppressions."""
    started_at = clock()

    def read() -> tuple[GaugeSample, ...]:
        now = clock()
        with database.reading() as session:
            return (
                *samples_of(measure(session, now, since=started_at)),
                *_mails(session, now),
            )

    return Probes(gauges=(read,), checks={"database": database.ping})


def _mails(session: Session, now: datetime) -> tuple[GaugeSample, ...]:
    claimed = select(func.count()).where(Mail.lease_until.is_not(None))
    addresses = select(func.count()).select_from(Suppression)
    return (
        GaugeSample(
            name="clp_outbox_waiting_changes",
            help="Committed changes not published yet.",
            value=OUTBOX.pending(session),
            labels={"service": SERVICE},
        ),
        GaugeSample(
            name="clp_mails_due",
            help="Mails that are due.",
            value=work_due(session, now),
        ),
        GaugeSample(
            name="clp_mails_claimed",
            help="Mails claimed by a worker.",
            value=session.scalar(claimed) or 0,
        ),
        GaugeSample(
            name="clp_addresses_suppressed",
            help="Suppressed mail addresses.",
            value=session.scalar(addresses) or 0,
        ),
    )
