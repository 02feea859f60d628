"""Reads another service's feed to its end: when told of news, and on a timer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from nameko.extensions import DependencyProvider

from clp_chassis.clock import new_id, now
from clp_chassis.concurrency.loop_timer import BREATH, BREATH_S, Pace
from clp_chassis.events.projections import Projection
from clp_chassis.observability.call_chain import in_chain
from clp_chassis.observability.logs import told
from clp_chassis.observability.metrics import FEED_AGE, FEED_LAG, SET_ASIDE
from clp_chassis.observability.tracing import span
from clp_chassis.persistence.database import AWAY
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.feed import Change, Changes

log = logging.getLogger(__name__)

# The outside world's trouble: it passes, and no change is to blame for it.
PASSING: Final = (CallFailed, *AWAY)
PASSING_CODES: Final = frozenset({"service.unavailable", "service.failed"})
MOST_TRIES: Final = 5


def passes(error: Exception) -> bool:
    """Whether an error is the trouble of a database, a broker or another service."""
    if isinstance(error, Refused):
        return error.code in PASSING_CODES
    return isinstance(error, PASSING)


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads whose feed, how to fetch it, and what to do with it."""

    reader: str
    source: str
    fetch: Callable[[int], Changes]
    projection: Projection
    every_s: float = 2.0


class FeedReader(DependencyProvider):  # type: ignore[misc]
    """Keeps a projection up to date.

    An event only wakes it. What it applies comes from the feed after its cursor, so a
    lost, doubled or reordered event does no harm.
    """

    def __init__(self, reading_of: Callable[[Any], Reading]) -> None:
        self._reading_of = reading_of

    def setup(self) -> None:
        """Find out what to read."""
        self._reading = self._reading_of(self.container)
        # Under load, changes are fetched and applied together.
        breath = self.container.config.get(BREATH, BREATH_S)
        self._pace = Pace(self._reading.every_s, breath=breath)
        self._tries: dict[int, int] = {}

    def start(self) -> None:
        """Begin to read, first of all what was missed while stopped."""
        self.container.spawn_managed_thread(self._run, identifier="feed reader")

    def stop(self) -> None:
        """Stop after the batch in hand."""
        self._pace.stop()

    def kill(self) -> None:
        """Stop at once."""
        self._pace.stop()

    def get_dependency(self, worker_ctx: Any) -> "FeedReader":
        """The reader itself, to be woken by event handlers."""
        del worker_ctx
        return self

    def wake(self) -> None:
        """There is news in the feed."""
        self._pace.wake()

    def _run(self) -> None:
        pause: float | None = None
        while self._pace.wait(pause):
            try:
                while self._read_batch():
                    pass
                pause = None
            except Exception as error:  # noqa: BLE001 - it is logged, and tried again
                self._complain(error)
                pause = 0.5

    def _complain(self, error: Exception) -> None:
        reader = self._reading.reader
        if passes(error):
            log.warning("%s waits: %s", reader, type(error).__name__)
        else:
            log.error("%s could not read on", reader, exc_info=error)

    def _read_batch(self) -> bool:
        """Apply what is next; say whether there is more."""
        reading = self._reading
        read = reading.fetch(reading.projection.cursor())
        if not read.changes:
            FEED_LAG.labels(reading.reader).set(0)
            return False
        turn = f"{reading.reader}.apply.{new_id()}"
        causes = [change.detail for change in read.changes]
        with (
            in_chain([turn]),
            span(f"apply {reading.source}", "consumer", links=causes),
        ):
            self._apply(read.changes)
        self._measure(read)
        return read.changes[-1].position < read.head

    def _measure(self, read: Changes) -> None:
        reader, at = self._reading.reader, now()
        FEED_LAG.labels(reader).set(max(0, read.head - read.changes[-1].position))
        for change in read.changes:
            FEED_AGE.labels(reader).observe(max(0.0, (at - change.at).total_seconds()))

    def _apply(self, changes: tuple[Change, ...]) -> None:
        reading = self._reading
        try:
            reading.projection.apply(changes)
        except Exception as error:
            if passes(error):
                raise
            log.exception("%s goes one change at a time", reading.reader)
            for change in changes:
                self._apply_alone(change)

    def _apply_alone(self, change: Change) -> None:
        reading = self._reading
        try:
            reading.projection.apply((change,))
        except Exception as error:
            if passes(error):
                raise
            tries = self._tries[change.position] = (
                self._tries.get(change.position, 0) + 1
            )
            if tries < MOST_TRIES:
                raise
            log.exception("%s sets change %s aside", reading.reader, change.position)
            # An error may quote what a person wrote; an operator reads this.
            reading.projection.set_aside(change, told(error))
            SET_ASIDE.labels(reading.reader).inc()
        self._tries.pop(change.position, None)
