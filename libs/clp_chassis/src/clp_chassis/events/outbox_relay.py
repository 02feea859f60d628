"""The outbox relay: give committed changes positions and publish them as events."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from clp_chassis.clock import Clock
from clp_chassis.concurrency.loop_timer import MIN_INTERVAL, MIN_INTERVAL_S, LoopTimer
from clp_chassis.concurrency.periodic import BackgroundLoop
from clp_chassis.events.outbox import BATCH, Outbox
from clp_chassis.messaging import EncodedEvent, EventPublisher
from clp_chassis.observability.metrics import OUTBOX_PUBLISHED
from clp_chassis.observability.tracing import span
from clp_chassis.persistence.database import Database
from clp_contracts.exchanges import event_exchange
from clp_contracts.feed import Change
from clp_contracts.serialization import encode

log = logging.getLogger(__name__)

INTERVAL_S: Final = 1.0
# A slow queue can keep the broker from confirming; the rows wait for the next run.
CONFIRM_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """The service, database and outbox of a relay."""

    service: str
    database: Database
    outbox: Outbox
    clock: Clock


class OutboxRelay(BackgroundLoop):
    """Publish the outbox after each commit, and at an interval."""

    loop_name = "outbox relay"

    def __init__(self, config_of: Callable[[Any], RelayConfig]) -> None:
        self._config_of = config_of

    @override
    def setup(self) -> None:
        """Look up the outbox in the container's settings."""
        super().setup()
        self._config = self._config_of(self.container)
        # An earlier process may have assigned positions and published nothing.
        self._failed_last_run = True
        self._config.database.on_commit(self.timer.wake)
        broker = self.container.config
        self._publisher = EventPublisher(
            broker["AMQP_URI"],
            event_exchange(self._config.service),
            ssl=broker.get("AMQP_SSL"),
            confirm_timeout=CONFIRM_TIMEOUT_S,
        )

    @override
    def stop(self) -> None:
        """Stop after the current run, and close the connection."""
        super().stop()
        self._publisher.close()

    @override
    def make_timer(self) -> LoopTimer:
        """Return a timer that batches changes under load."""
        min_interval = self.container.config.get(MIN_INTERVAL, MIN_INTERVAL_S)
        return LoopTimer(INTERVAL_S, min_interval=min_interval)

    @override
    def run_once(self) -> None:
        """Publish all that waits."""
        while self._publish_batch() >= BATCH:
            pass
        self._publisher.check_exchange()
        self._failed_last_run = False

    def readiness_checks(self) -> dict[str, Callable[[], None]]:
        """Return the readiness check of the exchange of this service's events."""
        return {f"{self.loop_name} of {self._config.service}": self._check}

    def _check(self) -> None:
        if self._publisher.problem is not None:
            raise OSError(self._publisher.problem)

    @override
    def on_error(self, error: Exception) -> float | None:
        """Log; nothing is lost, the rows stay and the next run publishes them."""
        self._failed_last_run = True
        return super().on_error(error)

    def _publish_batch(self) -> int:
        """Publish new changes, and after a failure those left behind."""
        sequenced = self._assign_positions()
        changes = sequenced
        if self._failed_last_run or not self.timer.was_woken:
            with self._config.database.reading() as session:
                changes = self._config.outbox.unpublished(session)
        if changes:
            self._publish(changes)
        return max(len(sequenced), len(changes))

    def _assign_positions(self) -> tuple[Change, ...]:
        config = self._config
        if not self.timer.was_woken:
            with config.database.reading() as session:
                if not config.outbox.has_unsequenced(session):
                    return ()
        with config.database.writing(notify=False) as session:
            return config.outbox.assign_positions(session)

    def _publish(self, changes: tuple[Change, ...]) -> None:
        config = self._config
        events = []
        for change in changes:
            with span(f"publish {change.type}", "producer", carrier=change.detail):
                events.append(EncodedEvent(change.type, encode(change)))
        self._publisher.publish(events)
        OUTBOX_PUBLISHED.labels(config.service).inc(len(changes))
        with config.database.writing(notify=False, at_once=True) as session:
            positions = [change.position for change in changes]
            config.outbox.mark_published(session, positions, config.clock())
