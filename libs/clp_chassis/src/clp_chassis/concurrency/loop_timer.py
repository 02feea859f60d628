"""A loop's rhythm: woken by news, and by the clock when there is none."""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import eventlet
from eventlet.event import Event
from eventlet.timeout import Timeout

# Under load, what comes within so many seconds is worked on together. A setting of the
# container: who runs everything in one process has less to gain by waiting.
BREATH: Final = "clp_breath_s"
BREATH_S: Final = 0.05
# No rest is longer, however long a turn took.
LONGEST_REST_S: Final = 0.5


class Pace:
    """Says when to take the next turn. One waiter, any number of wakers.

    After a quiet time, news is answered at once. With ``breath``, turns are at least
    so many seconds apart, and a rest is as long as the turn before it was: what happens
    meanwhile is the next turn's, in one go. So the busier the machine is, the more is
    done together, and the less each costs.
    """

    def __init__(
        self,
        seconds: float,
        *,
        breath: float = 0.0,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = eventlet.sleep,
    ) -> None:
        self._seconds = seconds
        self._breath = breath
        self._ticks, self._sleep = ticks, sleep
        self._turned_at: float | None = None
        self._news = True
        # Whether the turn in hand was asked for, and not only due.
        self.had_news = True
        self._stopped = False
        self._bell: Event | None = None

    def wake(self) -> None:
        """Have the next turn taken as soon as it may be."""
        self._news = True
        self._ring()

    def stop(self) -> None:
        """Have the waiter leave its loop."""
        self._stopped = True
        self._ring()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for news or the clock; false when it is time to stop."""
        may_turn_at = self._rested_at()
        if not self._news and not self._stopped:
            self._listen(self._seconds if seconds is None else seconds)
        early = may_turn_at - self._ticks()
        if early > 0 and not self._stopped:
            self._sleep(early)
        self.had_news, self._news = self._news, False
        self._turned_at = self._ticks()
        return not self._stopped

    def _rested_at(self) -> float:
        """When the next turn may be taken; asked as the last one ends."""
        if self._turned_at is None or not self._breath:
            return -math.inf
        took = self._ticks() - self._turned_at
        return self._turned_at + max(self._breath, took + min(took, LONGEST_REST_S))

    def _listen(self, seconds: float) -> None:
        self._bell = Event()
        with Timeout(seconds, False):  # noqa: FBT003
            self._bell.wait()
        self._bell = None

    def _ring(self) -> None:
        if self._bell is not None and not self._bell.ready():
            self._bell.send()


def within(seconds: float) -> AbstractContextManager[Any]:
    """A context that raises `TimeoutError` in a green thread that stays too long."""
    limit: AbstractContextManager[Any] = Timeout(seconds, TimeoutError("took too long"))
    return limit
