"""A loop's rhythm: woken by news, and by the clock when there is none."""

import time
from contextlib import AbstractContextManager
from typing import Any, Final

import eventlet
from eventlet.event import Event
from eventlet.timeout import Timeout

# Under load, what comes within so many seconds is worked on together. A setting of the
# container: who runs everything in one process has less to gain by waiting.
BREATH: Final = "clp_breath_s"
BREATH_S: Final = 0.05


class Pace:
    """Says when to take the next turn. One waiter, any number of wakers.

    After a quiet time, news is answered at once. With ``breath``, turns are at least
    so many seconds apart: what happens meanwhile is the next turn's, in one go.
    """

    def __init__(self, seconds: float, *, breath: float = 0.0) -> None:
        self._seconds = seconds
        self._breath = breath
        self._turned_at = -breath
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
        if not self._news and not self._stopped:
            self._listen(self._seconds if seconds is None else seconds)
        early = self._turned_at + self._breath - time.monotonic()
        if early > 0 and not self._stopped:
            eventlet.sleep(early)
        self.had_news, self._news = self._news, False
        self._turned_at = time.monotonic()
        return not self._stopped

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
