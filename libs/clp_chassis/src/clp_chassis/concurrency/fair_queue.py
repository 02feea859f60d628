"""Turns of callers: whoever asks much waits for themselves, and for nobody else.

A process works on so many calls at a time. While others wait, the next one to be worked
on is of the caller with the fewest under way; among equals turns go round. One caller
never has more than a few under way, so there is always room for somebody new; and not
so many waiting that a process holds nothing else. What is done for whoever calls
without a pause also takes the time of databases and of the processes that come after,
so beside others they have no more than their allowance.
"""

import itertools
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import eventlet
from eventlet.event import Event
from eventlet.greenthread import GreenThread

from clp_chassis.concurrency.rate_limiter import Allowances
from clp_contracts.errors import Refused

# Calls under way of all callers, and of one; and those of one that may wait.
AT_ONCE: Final = 10
OF_ONE: Final = 2
MOST_WAITING: Final = 64
# Of one that has used up its allowance fewer may: they are answered only slowly.
MOST_SLOWED: Final = 16


class Turns:
    """Hands out turns; `hold` waits for one and gives it back."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        of_one: int = OF_ONE,
        allowances: Allowances | None = None,
    ) -> None:
        self._free = at_once
        self._of_one = of_one
        self._allowances = allowances or Allowances()
        self._later: GreenThread | None = None
        self._waiting: dict[str, deque[Event]] = {}
        self._running: Counter[str] = Counter()
        # The number of the last turn of whoever waits or has a call under way.
        self._last: dict[str, int] = {}
        self._turns = itertools.count(1)

    @contextmanager
    def hold(self, caller: str) -> Iterator[None]:
        """Wait for a turn of this caller's and have it until the end.

        Raises:
            Refused: ``calls.too_many``, when very many of this caller's wait already.
        """
        line, bell = self._waiting.setdefault(caller, deque()), Event()
        is_slowed = len(line) >= MOST_SLOWED and self._allowances.wait_of(caller) > 0
        if is_slowed or len(line) >= MOST_WAITING:
            raise Refused.because("calls.too_many")
        line.append(bell)
        self._hand_out()
        try:
            bell.wait()
        except BaseException:
            self._leave(caller, bell)
            raise
        try:
            yield
        finally:
            self._give_back(caller)

    def _hand_out(self) -> None:
        while self._free and (caller := self._next()) is not None:
            bell = self._waiting[caller].popleft()
            self._free -= 1
            self._running[caller] += 1
            self._last[caller] = next(self._turns)
            self._allowances.took(caller)
            self._forget(caller)
            bell.send()

    def _next(self) -> str | None:
        """Whose turn it is: fewest under way, then longest without one."""
        waits = {
            one: self._allowances.wait_of(one)
            for one in self._waiting
            if self._running[one] < self._of_one
        }
        if waits and (soonest := min(waits.values())) > 0:
            self._look_again(soonest)
        return min(
            (one for one, wait in waits.items() if wait <= 0),
            key=lambda one: (self._running[one], self._last.get(one, 0)),
            default=None,
        )

    def _look_again(self, seconds: float) -> None:
        """Somebody may have a turn by then, whether or not a call ends before."""
        if self._later is None:
            self._later = eventlet.spawn_after(seconds, self._hand_out_later)

    def _hand_out_later(self) -> None:
        self._later = None
        self._hand_out()

    def _give_back(self, caller: str) -> None:
        self._free += 1
        self._running[caller] -= 1
        self._forget(caller)
        self._hand_out()

    def _leave(self, caller: str, bell: Event) -> None:
        """Whoever was stopped while waiting takes no turn, and keeps none."""
        if bell.ready():
            self._give_back(caller)
        else:
            self._waiting[caller].remove(bell)
            self._forget(caller)

    def _forget(self, caller: str) -> None:
        """Keep nothing of a caller of whom there is nothing to keep."""
        if not self._waiting.get(caller):
            self._waiting.pop(caller, None)
            if not self._running[caller]:
                del self._running[caller]
                self._last.pop(caller, None)
