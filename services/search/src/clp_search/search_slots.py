"""Slots of searches: few parts run at a time, in rotation, each paid in steps.

A search runs in small parts, and waits for a slot before each of them. Slots go
round by partner, and for the studio by person, so a short search waits for one part of
a long one. Each partner has so many steps a second; after more of them its next part
waits, whoever else searches. Nothing is refused here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from clp_chassis.concurrency.fair_queue import FairQueue
from clp_search.analysis.work import MAX_STEPS_OF_TEXT
from clp_search.engine import QueryTooExpensive, Slots

Result = TypeVar("Result")

# About a quarter of a core, and what several pages of long texts take at once.
STEPS_PER_S: Final = 500_000
MAX_SAVED_STEPS: Final = 1_000_000
# How often the accounts of idle groups are dropped.
SWEEP_INTERVAL_S: Final = 10.0


@dataclass(slots=True)
class _Account:
    """The steps that a group may still take at a moment; below zero it has to wait."""

    steps: float
    at: float


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
        self._queue = FairQueue(concurrent, max_per_caller=1)
        self._monotonic = monotonic
        self._sleep = sleep
        self._accounts: dict[str, _Account] = {}
        self._swept_at = monotonic()

    def of(self, person: str, group: str) -> Slots:
        """Return the slots of a person, who shares steps with a group."""

        def in_slot(
            part: Callable[[], Result], steps_of: Callable[[Result], int]
        ) -> Result:
            while (overdrawn := -self._account(group).steps) > 0:
                self._sleep(overdrawn / STEPS_PER_S)
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
                    self._account(group).steps -= steps
            return result

        return in_slot

    def _account(self, group: str) -> _Account:
        """Return the account of a group with the steps that it gained since."""
        now = self._monotonic()
        self._sweep(now)
        account = self._accounts.setdefault(group, _Account(MAX_SAVED_STEPS, now))
        account.steps, account.at = self._steps(account, now), now
        return account

    def _steps(self, account: _Account, now: float) -> float:
        gained = (now - account.at) * STEPS_PER_S
        return min(MAX_SAVED_STEPS, account.steps + gained)

    def _sweep(self, now: float) -> None:
        """Drop full accounts: a new one is as good."""
        if now - self._swept_at < SWEEP_INTERVAL_S:
            return
        self._swept_at = now
        self._accounts = {
            group: account
            for group, account in self._accounts.items()
            if self._steps(account, now) < MAX_SAVED_STEPS
        }
