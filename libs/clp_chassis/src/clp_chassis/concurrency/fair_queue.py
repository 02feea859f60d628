"""Fair queue of calls: a busy caller waits for itself and for nobody else.

A process runs a limited number of calls at a time. While others wait, the next call is
of the group (a partner's people, or one person of the studio) with the fewest running
calls; within a group of the caller with the fewest; among equals in rotation. One
caller never has more than a few running calls, and a group leaves some slots to others,
so a new one always finds a free slot soon. Waiting depends on the load of others;
refusals never do (see `rate_limiter`).
"""

import itertools
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eventlet.event import Event

# Running calls of all callers, and of one.
MAX_RUNNING: Final = 10
MAX_RUNNING_PER_CALLER: Final = 2
# Of the people of one partner together.
MAX_RUNNING_PER_GROUP: Final = 8


class FairQueue:
    """Hand out slots; `slot` waits for one and gives it back."""

    def __init__(
        self,
        max_running: int = MAX_RUNNING,
        max_per_caller: int = MAX_RUNNING_PER_CALLER,
        *,
        max_per_group: int | None = None,
    ) -> None:
        self._free = max_running
        self._max_per_caller = max_per_caller
        self._max_per_group = max_running if max_per_group is None else max_per_group
        self._waiting: dict[str, deque[Event]] = {}
        self._running: Counter[str] = Counter()
        self._groups: dict[str, str] = {}
        self._running_of_group: Counter[str] = Counter()
        # When callers and groups had their last slot: numbers that only grow.
        self._served: dict[str, int] = {}
        self._group_served: dict[str, int] = {}
        self._numbers = itertools.count(1)

    @contextmanager
    def slot(self, caller: str, group: str | None = None) -> Iterator[None]:
        """Wait for a slot of this caller's and hold it until the end.

        ``group`` is whom the caller shares a place in the rotation with; without one,
        the caller is a group of its own.
        """
        wakeup = Event()
        if caller not in self._groups:
            self._groups[caller] = caller if group is None else group
        self._waiting.setdefault(caller, deque()).append(wakeup)
        self._hand_out()
        try:
            wakeup.wait()
        except BaseException:
            self._leave(caller, wakeup)
            raise
        try:
            yield
        finally:
            self._release(caller)

    def _hand_out(self) -> None:
        while self._free and (caller := self._next()) is not None:
            wakeup = self._waiting[caller].popleft()
            group = self._groups[caller]
            self._free -= 1
            self._running[caller] += 1
            self._running_of_group[group] += 1
            self._served[caller] = self._group_served[group] = next(self._numbers)
            self._forget_idle(caller)
            wakeup.send()

    def _next(self) -> str | None:
        """The caller whose call runs next."""
        may_run = filter(self._may_run, self._waiting)
        return min(may_run, key=self._rank, default=None)

    def _may_run(self, caller: str) -> bool:
        return (
            self._running[caller] < self._max_per_caller
            and self._running_of_group[self._groups[caller]] < self._max_per_group
        )

    def _rank(self, caller: str) -> tuple[int, int, int, int]:
        group = self._groups[caller]
        return (
            self._running_of_group[group],
            self._group_served.get(group, 0),
            self._running[caller],
            self._served.get(caller, 0),
        )

    def _release(self, caller: str) -> None:
        self._free += 1
        self._running[caller] -= 1
        self._running_of_group[self._groups[caller]] -= 1
        self._forget_idle(caller)
        self._hand_out()

    def _leave(self, caller: str, wakeup: Event) -> None:
        """Take a caller that was stopped while waiting out of the queue."""
        if wakeup.ready():
            self._release(caller)
        else:
            self._waiting[caller].remove(wakeup)
            self._forget_idle(caller)

    def _forget_idle(self, caller: str) -> None:
        """Keep no state of callers and groups with no call."""
        if self._waiting.get(caller):
            return
        self._waiting.pop(caller, None)
        if self._running[caller]:
            return
        del self._running[caller]
        self._served.pop(caller, None)
        group = self._groups.pop(caller)
        if group not in self._groups.values():
            del self._running_of_group[group]
            self._group_served.pop(group, None)
