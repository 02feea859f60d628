"""Dependencies of a delivery process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_contracts.client import Clients
from clp_contracts.mail_addresses import MailAddress
from clp_notifications.delivery.relay_throttle import RelayThrottle
from clp_notifications.delivery.transports import Transport
from clp_notifications.mail.composer import Composer
from clp_notifications.mail.content import (
    DEFAULT_READER_PREFERENCES,
    ReaderPreferences,
)
from clp_notifications.unsubscribe_tokens import UnsubscribeTokens

Job = Callable[[], None]


def run_in_sequence(jobs: Sequence[Job]) -> None:
    """Run jobs one after the other."""
    for job in jobs:
        job()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """The mails that a worker claims at once, and for how long.

    ``batch`` mails are claimed together for ``lease``; with more of them some workers
    idle while others have many. ``recheck_batch`` of them are rechecked in one call; a
    multiple of ``connections`` leaves no outcome over for a transaction of its own.
    A recheck is valid for ``recheck_lease_s`` seconds. A mail is not begun when its
    lease could end within ``margin``, the time the relay may take to reply.
    """

    batch: int = 48
    connections: int = 16
    recheck_batch: int = 48
    recheck_lease_s: float = 0.5
    lease: timedelta = timedelta(seconds=60)
    margin: timedelta = timedelta(seconds=35)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDependencies:
    """Dependencies of delivery, shared by all connections of a process.

    ``run_parallel`` runs jobs at the same time and returns when all have ended.
    """

    database: Database
    unsubscribe_tokens: UnsubscribeTokens
    clients: Clients
    clock: Clock
    composer: Composer
    transport: Transport
    throttle: RelayThrottle
    sleep: Callable[[float], None]
    monotonic: Callable[[], float] = time.monotonic
    run_parallel: Callable[[Sequence[Job]], None] = run_in_sequence
    limits: BatchLimits = BatchLimits()
    reader_preferences: ReaderPreferences = DEFAULT_READER_PREFERENCES
    help_address: MailAddress | None = None
