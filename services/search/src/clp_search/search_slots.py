"""Slots of searches: few parts run at a time, in rotation, each paid in steps.

A search runs in small parts, and waits for a slot before each of them. Slots go
round by partner, and for the studio by person, so a short search waits for one part of
a long one. Each partner has so many steps a second; after more of them its next part
waits, whoever else searches. Nothing is refused here.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from clp_chassis.concurrency.fair_queue import FairQueue
from clp_chassis.concurrency.rate_limiter import RateLimit, TokenBuckets
from clp_search.analysis.work import MAX_STEPS_OF_TEXT
from clp_search.engine import QueryTooExpensive, Slots, StepsSpent

Result = TypeVar("Result")

# About a thirtieth of a core, which verifies five hundred ordinary texts, and what a
# page of the longest texts takes at once.
STEPS_PER_S: Final = 100_000
MAX_SAVED_STEPS: Final = 400_000
# Of a search in all its parts: its caller gives up after ten.
MAX_WAIT_S: Final = 8.0
# A wait that rounding left may be too short to move the clock.
MIN_WAIT_S: Final = 0.001


class SearchSlots:
    """Give slots to the parts of searches.

    Args:
        concurrent: the number of parts that run at the same time.
        monotonic: the clock.
        sleep: waits; also between two parts, so that other calls get through.
    """

    def __init__(
        self,
        concurrent: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # With several slots, one partner leaves one to the others.
        self._queue = FairQueue(
            concurrent, max_per_caller=1, max_per_group=max(1, concurrent - 1)
        )
        self._sleep = sleep
        limit = RateLimit(burst=MAX_SAVED_STEPS, per_second=STEPS_PER_S)
        # The steps that a group may still take; below zero it has to wait.
        self._steps_left = TokenBuckets(limit, monotonic)

    def of(self, person: str, group: str) -> Slots:
        """Return the slots of one search of a person, who shares steps with a group.

        A part raises `StepsSpent` when the search would wait for steps too long.
        """
        waited = 0.0

        def in_slot(
            part: Callable[[], Result], steps_of: Callable[[Result], int]
        ) -> Result:
            nonlocal waited
            while (overdrawn := -self._steps_left.of(group).tokens) > 0:
                wait = overdrawn / STEPS_PER_S
                waited += wait
                if waited > MAX_WAIT_S:
                    raise StepsSpent
                self._sleep(max(wait, MIN_WAIT_S))
            self._sleep(0)
            steps = 0
            with self._queue.slot(person, group):
                try:
                    result = part()
                    steps = steps_of(result)
                except QueryTooExpensive:
                    steps = MAX_STEPS_OF_TEXT
                    raise
                finally:
                    self._steps_left.of(group).tokens -= steps
            return result

        return in_slot
