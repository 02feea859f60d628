"""Feed reader: apply another service's feed, when woken and at an interval."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from typing_extensions import override

from clp_chassis.clock import new_id, now
from clp_chassis.concurrency.loop_timer import (
    MIN_INTERVAL,
    MIN_INTERVAL_S,
    LoopTimer,
    wait_for,
)
from clp_chassis.concurrency.periodic import BackgroundLoop
from clp_chassis.events.projections import Projection
from clp_chassis.observability.call_chain import in_chain
from clp_chassis.observability.gauges import require_well
from clp_chassis.observability.logs import safe_error_text
from clp_chassis.observability.metrics import (
    DEAD_LETTERS,
    DEAD_LETTERS_KEPT,
    FEED_AGE,
    FEED_AHEAD,
    FEED_LAG,
    FEED_OLDEST,
)
from clp_chassis.observability.tracing import span
from clp_chassis.transient_errors import TRANSIENT, is_transient
from clp_contracts import health
from clp_contracts.feed import Change
from clp_contracts.health import SignValue

log = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 5
RETRY_INTERVAL_S: Final = 0.5
# Upper bound of a fetch when its container stops: the source may have stopped before.
LAST_FETCH_S: Final = 1.0


class Batch(Protocol):
    """Consecutive changes, and the newest position of their feed."""

    @property
    def changes(self) -> tuple[Change, ...]: ...
    @property
    def head(self) -> int: ...


@dataclass(frozen=True, slots=True)
class FeedSubscription:
    """A reader of a service's feed: how to fetch changes, and where to apply them."""

    reader: str
    source: str
    fetch: Callable[[int], Batch]
    projection: Projection
    interval_s: float = 2.0


class FeedReader(BackgroundLoop):
    """Keep a projection up to date.

    An event only wakes the reader. It applies the feed after its cursor, so a lost,
    duplicated or reordered event does no harm.
    """

    loop_name = "feed reader"

    def __init__(self, subscription_of: Callable[[Any], FeedSubscription]) -> None:
        self._subscription_of = subscription_of

    @override
    def setup(self) -> None:
        """Look up the feed in the container's settings."""
        self._subscription = self._subscription_of(self.container)
        self._attempts: dict[int, int] = {}
        self._is_fetching = False
        self._current_at = time.monotonic()
        self._oldest_at: datetime | None = None
        self._ahead = 0
        reader = self._subscription.reader
        FEED_OLDEST.labels(reader).set_function(self._oldest_s)
        FEED_AHEAD.labels(reader).set_function(lambda: self._ahead)
        DEAD_LETTERS_KEPT.labels(reader).set_function(self._dead_letters_if_known)
        super().setup()

    @override
    def make_timer(self) -> LoopTimer:
        """Return a timer that batches changes under load."""
        min_interval = self.container.config.get(MIN_INTERVAL, MIN_INTERVAL_S)
        return LoopTimer(self._subscription.interval_s, min_interval=min_interval)

    def get_dependency(self, worker_ctx: Any) -> "FeedReader":
        """Return the reader itself, for event handlers to wake."""
        del worker_ctx
        return self

    def stop_calling(self) -> None:
        """Stop while the service whose feed this reads still answers."""
        if self._ended is not None:
            self.stop()

    @override
    def stop(self) -> None:
        """Stop after the current run, or without it when its fetch takes too long."""
        self.timer.stop()
        if self._is_fetching and self._ended is not None:
            wait_for(self._ended, LAST_FETCH_S)
            if self._is_fetching:
                self._thread.kill()
        super().stop()

    def readiness_checks(self) -> dict[str, Callable[[], None]]:
        """Return the readiness check of this feed."""
        return {f"feed of {self._subscription.source}": self._check}

    def _check(self) -> None:
        """Raise while the feed was not read to its end for too long."""
        require_well(self._signs_of_the_cursor())

    def signs(self) -> tuple[SignValue, ...]:
        """Measure the health of this reader: age, cursor and dead letters."""
        reader, kept = self._subscription.reader, self._dead_letters()
        return (
            *self._signs_of_the_cursor(),
            SignValue(metric=health.DEAD_LETTERS.metric, of=reader, value=kept),
        )

    def _signs_of_the_cursor(self) -> tuple[SignValue, ...]:
        reader, ahead = self._subscription.reader, float(self._ahead)
        return (
            SignValue(
                metric=health.FEED_WAITS.metric, of=reader, value=self._oldest_s()
            ),
            SignValue(metric=health.FEED_AHEAD.metric, of=reader, value=ahead),
        )

    def _oldest_s(self) -> float:
        """Age of the oldest change that is known and not applied.

        While the feed cannot be read it is unknown: the time since it last was.
        """
        late_s = time.monotonic() - self._current_at
        if self._oldest_at is None:
            return late_s
        return max(late_s, (now() - self._oldest_at).total_seconds())

    def _dead_letters_if_known(self) -> float:
        try:
            return self._dead_letters()
        except TRANSIENT:
            # One gauge that cannot be read must hide no other.
            return float("nan")

    def _dead_letters(self) -> float:
        return float(self._subscription.projection.count_dead_letters())

    def wake(self) -> None:
        """Read the feed soon: it has new changes."""
        self.timer.wake()

    @override
    def run_once(self) -> None:
        """Apply the feed to its end, or until this reader is to stop."""
        while self._read_batch():
            if self.timer.is_stopped:
                return
        self._current_at, self._oldest_at = time.monotonic(), None

    @override
    def on_error(self, error: Exception) -> float | None:
        """Log the error; try again soon."""
        reader = self._subscription.reader
        if is_transient(error):
            log.warning("%s waits: %s", reader, type(error).__name__)
        else:
            log.error("%s cannot read its feed", reader, exc_info=error)
        return RETRY_INTERVAL_S

    def _read_batch(self) -> bool:
        """Apply the next changes; return whether there are more."""
        subscription = self._subscription
        cursor = subscription.projection.cursor()
        self._is_fetching = True
        try:
            batch = subscription.fetch(cursor)
        finally:
            self._is_fetching = False
        self._ahead = max(0, cursor - batch.head)
        self._oldest_at = batch.changes[0].at if batch.changes else None
        if not batch.changes:
            FEED_LAG.labels(subscription.reader).set(0)
            return False
        call_id = f"{subscription.reader}.apply.{new_id()}"
        causes = [change.detail for change in batch.changes]
        with (
            in_chain([call_id]),
            span(f"apply {subscription.source}", "consumer", links=causes),
        ):
            self._apply(batch.changes)
        self._measure(batch)
        return batch.changes[-1].position < batch.head

    def _measure(self, batch: Batch) -> None:
        reader, at = self._subscription.reader, now()
        FEED_LAG.labels(reader).set(max(0, batch.head - batch.changes[-1].position))
        for change in batch.changes:
            FEED_AGE.labels(reader).observe(max(0.0, (at - change.at).total_seconds()))

    def _apply(self, changes: tuple[Change, ...]) -> None:
        subscription = self._subscription
        try:
            subscription.projection.apply(changes)
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("%s applies one change at a time", subscription.reader)
            for change in changes:
                self._apply_one(change)

    def _apply_one(self, change: Change) -> None:
        subscription, position = self._subscription, change.position
        try:
            subscription.projection.apply((change,))
        except Exception as error:
            if is_transient(error):
                raise
            self._attempts[position] = self._attempts.get(position, 0) + 1
            if self._attempts[position] < MAX_ATTEMPTS:
                raise
            log.exception("%s: dead letter %s", subscription.reader, position)
            # An operator reads it: the error may quote a person's text.
            subscription.projection.add_dead_letter(change, safe_error_text(error))
            DEAD_LETTERS.labels(subscription.reader).inc()
        self._attempts.pop(position, None)
