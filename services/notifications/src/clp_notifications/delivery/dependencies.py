"""The desk: what delivery works with, and how it takes mails to work on."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_contracts.client import Callers
from clp_notifications.delivery.claims import Claim, claim, next_due, sweep
from clp_notifications.delivery.letters import USUAL_MANNER, Manner
from clp_notifications.delivery.relay_throttle import Lane
from clp_notifications.delivery.transports import Transport
from clp_notifications.mail.composer import Mailer

log = logging.getLogger(__name__)

Job = Callable[[], None]


def one_after_the_other(jobs: Sequence[Job]) -> None:
    """Do jobs without anybody else's help."""
    for job in jobs:
        job()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How much is taken at once, and for how long."""

    # Claimed at once: with more, some workers rest while others still have many.
    batch: int = 48
    connections: int = 16
    # At most so many are asked about together, for answers that hold so long; where
    # nobody promises that they do, they are good for a moment only.
    # A multiple of the connections leaves no record over for a write of its own.
    at_the_door: int = 48
    hold_s: float = 0.5
    fresh_s: float = 0.1
    lease: timedelta = timedelta(seconds=60)
    # A mail is not begun when its lease could end before the relay has answered.
    margin: timedelta = timedelta(seconds=35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What delivery works with; shared by all connections of a process."""

    database: Database
    callers: Callers
    clock: Clock
    mailer: Mailer
    transport: Transport
    lane: Lane
    sleep: Callable[[float], None]
    ticks: Callable[[], float] = time.monotonic
    # Does jobs at the same time, and returns when all are done.
    together: Callable[[Sequence[Job]], None] = one_after_the_other
    pacing: Pacing = Pacing()
    manner: Manner = USUAL_MANNER

    def claim(self) -> tuple[Claim, ...]:
        """Take mails that are due, unless the relay takes none."""
        now = self.clock()
        if self.lane.closed_for(now):
            return ()
        with self.database.writing(tell=False) as session:
            return claim(session, now, limit=self.pacing.batch, lease=self.pacing.lease)

    def sweep(self) -> int:
        """Put stranded mails back to work."""
        with self.database.writing(tell=False) as session:
            swept = sweep(session, self.clock())
        if swept:
            log.warning("%s mails lost their worker and go back to work", swept)
        return swept

    def idle_for(self, most: timedelta) -> timedelta:
        """How long there is nothing to do, as far as can be known."""
        now = self.clock()
        with self.database.reading() as session:
            due = next_due(session)
        wait = most if due is None else max(timedelta(0), min(most, due - now))
        return max(wait, min(most, self.lane.closed_for(now)))
