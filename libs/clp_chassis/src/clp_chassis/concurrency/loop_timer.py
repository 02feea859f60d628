"""Timer of a background loop: fires when woken, and at an interval otherwise."""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from eventlet.event import Event
from eventlet.timeout import Timeout

# Under load, work that arrives within so many seconds is batched. A container setting:
# the embedded suite, with everything in one process, gains less by waiting.
MIN_INTERVAL: Final = "clp_min_interval_s"
MIN_INTERVAL_S: Final = 0.05
# While more than one wake-up comes in an interval, the interval grows up to this one.
MAX_INTERVAL_S: Final = 0.1
# The pause after a run, as a multiple of the run, up to the same: where runs take long
# because processors are busy, larger batches leave them more time.
PAUSE_PER_RUN: Final = 3
# Upper bound of the pause after a longer run, however long it took.
MAX_PAUSE_S: Final = 0.5


class LoopTimer:
    """Decide when a loop runs next. One waiter, any number of wakers.

    After a quiet period a wake-up takes effect at once. With ``min_interval``, runs
    start at least so many seconds apart, and the pause before a run is three times as
    long as the run before it, or as long as a long one (at most `MAX_PAUSE_S`). Work
    that arrives meanwhile is done in one batch, so the cost per item falls as the load
    rises. While several wake-ups come in an interval, it doubles (up to
    `MAX_INTERVAL_S`); it falls back as soon as there is nothing to gain.
    """

    def __init__(
        self,
        interval: float,
        *,
        min_interval: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._interval = interval
        self._min_interval = self._apart = min_interval
        self._monotonic = monotonic
        self._sleep = self._sleep_until_stopped if sleep is None else sleep
        self._ran_at: float | None = None
        self._is_woken = True
        self._wakeups = 0
        # Whether the current run was requested, and not only due by the interval.
        self.was_woken = True
        self._stopped = Event()
        self._wakeup: Event | None = None

    def wake(self) -> None:
        """Request a run as soon as the minimum interval allows."""
        self._is_woken = True
        self._wakeups += 1
        self._notify()

    def stop(self) -> None:
        """Make the waiter leave its loop, also from the pause before a run."""
        if not self.is_stopped:
            self._stopped.send()
        self._notify()

    @property
    def is_stopped(self) -> bool:
        """Whether the waiter is to leave its loop."""
        return bool(self._stopped.ready())

    def wait(self, interval: float | None = None) -> bool:
        """Wait for a wake-up or the interval; return False when stopped."""
        not_before = self._not_before()
        if not self._is_woken and not self.is_stopped:
            self._wait_for_wakeup(self._interval if interval is None else interval)
        early = not_before - self._monotonic()
        if early > 0 and not self.is_stopped:
            self._sleep(early)
        self.was_woken, self._is_woken = self._is_woken, False
        self._adapt_to_load()
        self._ran_at = self._monotonic()
        return not self.is_stopped

    def _not_before(self) -> float:
        """Earliest start of the next run; called as the last one ends."""
        if self._ran_at is None or not self._min_interval:
            return -math.inf
        took = self._monotonic() - self._ran_at
        short = min(PAUSE_PER_RUN * took, MAX_INTERVAL_S)
        pause = max(short, min(took, MAX_PAUSE_S))
        return self._ran_at + max(self._apart, took + pause)

    def _adapt_to_load(self) -> None:
        """Set the interval before the next run by the wake-ups before this one."""
        is_busy, self._wakeups = self._wakeups > 1, 0
        wanted = self._apart * 2 if is_busy else self._apart / 2
        longest = max(self._min_interval, MAX_INTERVAL_S)
        self._apart = max(self._min_interval, min(wanted, longest))

    def _sleep_until_stopped(self, seconds: float) -> None:
        wait_for(self._stopped, seconds)

    def _wait_for_wakeup(self, seconds: float) -> None:
        self._wakeup = Event()
        wait_for(self._wakeup, seconds)
        self._wakeup = None

    def _notify(self) -> None:
        if self._wakeup is not None and not self._wakeup.ready():
            self._wakeup.send()


def wait_for(event: Event, seconds: float) -> None:
    """Wait for an event, or for so long."""
    with Timeout(seconds, False):  # noqa: FBT003
        event.wait()


def timeout(seconds: float) -> AbstractContextManager[Any]:
    """Return a context that raises `TimeoutError` in a green thread after a while."""
    limit: AbstractContextManager[Any] = Timeout(seconds, TimeoutError("took too long"))
    return limit
