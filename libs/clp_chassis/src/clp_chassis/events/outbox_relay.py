"""The relay: numbers committed changes and announces them, from within the service."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from kombu import Exchange
from nameko.extensions import DependencyProvider

from clp_chassis.clock import Clock
from clp_chassis.concurrency.loop_timer import BREATH, BREATH_S, Pace
from clp_chassis.events.outbox import BATCH, Outbox
from clp_chassis.messaging import EventPublisher
from clp_chassis.observability.metrics import ANNOUNCED
from clp_chassis.observability.tracing import span
from clp_chassis.persistence.database import Database
from clp_contracts.feed import Change
from clp_contracts.serialization import dump

log = logging.getLogger(__name__)

# A sick queue can keep the broker from confirming; the rows wait for another turn.
CONFIRM_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class RelayDesk:
    """What a relay works with."""

    service: str
    database: Database
    outbox: Outbox
    clock: Clock


class Relay(DependencyProvider):  # type: ignore[misc]
    """Runs beside the entrypoints; woken by each commit, and by the clock in case."""

    def __init__(self, desk: Callable[[Any], RelayDesk]) -> None:
        self._desk_of = desk

    def setup(self) -> None:
        """Find what to relay in the container's settings."""
        self._desk = self._desk_of(self.container)
        config = self.container.config
        # Under load, changes are numbered and announced together.
        self._pace = Pace(seconds=1.0, breath=config.get(BREATH, BREATH_S))
        # An earlier life may have numbered changes and not announced them.
        self._stumbled = True
        self._desk.database.on_commit(self._pace.wake)
        self._exchange = Exchange(
            f"{self._desk.service}.events",
            type="topic",
            durable=True,
            auto_delete=False,
        )
        self._publisher = EventPublisher(
            config["AMQP_URI"], ssl=config.get("AMQP_SSL"), confirm_timeout=CONFIRM_S
        )

    def start(self) -> None:
        """Begin to relay."""
        self.container.spawn_managed_thread(self._run, identifier="relay")

    def stop(self) -> None:
        """Stop after the run in hand; what is left is relayed by the next start."""
        self._pace.stop()

    def kill(self) -> None:
        """Stop at once."""
        self._pace.stop()

    def _run(self) -> None:
        while self._pace.wait():
            try:
                while self._relay_once() >= BATCH:
                    pass
                self._stumbled = False
            except Exception:
                # Nothing is lost: the rows stay and the next turn tries again.
                self._stumbled = True
                log.exception("the relay of %s stumbled", self._desk.service)

    def _relay_once(self) -> int:
        """Announce what is new; and what was left behind, when that may be."""
        numbered = self._number()
        changes = numbered
        if self._stumbled or not self._pace.had_news:
            with self._desk.database.reading() as session:
                changes = self._desk.outbox.unannounced(session)
        if changes:
            self._announce(changes)
        return max(len(numbered), len(changes))

    def _number(self) -> tuple[Change, ...]:
        desk = self._desk
        if not self._pace.had_news:
            with desk.database.reading() as session:
                if not desk.outbox.has_unnumbered(session):
                    return ()
        with desk.database.writing(tell=False) as session:
            return desk.outbox.number(session)

    def _announce(self, changes: tuple[Change, ...]) -> None:
        desk = self._desk
        for change in changes:
            with span(f"announce {change.type}", "producer", carrier=change.detail):
                self._publisher.publish(
                    dump(change),
                    exchange=self._exchange,
                    routing_key=change.type,
                    declare=[self._exchange],
                )
        ANNOUNCED.labels(desk.service).inc(len(changes))
        with desk.database.writing(tell=False) as session:
            positions = tuple(change.position for change in changes)
            desk.outbox.announced(session, positions, desk.clock())
