"""Limits of calls in one process: per person, per service, and fair among partners."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import eventlet

from clp_chassis.concurrency.fair_queue import MAX_RUNNING_PER_GROUP, FairQueue
from clp_chassis.concurrency.rate_limiter import RateLimit, TokenBucketLimiter

# The container setting that holds the rate limit of a person.
RATE_LIMIT: Final = "clp_rate_limit"
# Running calls of one service. Services work for everybody and have no rate limit.
MAX_RUNNING_PER_SERVICE: Final = 32
MAX_RUNNING_SERVICES: Final = 1_000


class CallLimits:
    """Decide when a call may run.

    Args:
        limit: the rate limit of one person; None for no limit.
        group_of: gives the group of a person in the fair queue: the partner, or the
            person for the studio. It must not wait.
    """

    def __init__(
        self, limit: RateLimit | None, group_of: Callable[[str], str] | None = None
    ) -> None:
        self._rates = None if limit is None else TokenBucketLimiter(limit)
        self._group_of = group_of
        self._people = FairQueue(max_per_group=MAX_RUNNING_PER_GROUP)
        self._services = FairQueue(MAX_RUNNING_SERVICES, MAX_RUNNING_PER_SERVICE)

    @contextmanager
    def person(self, person: str, characters: int = 0) -> Iterator[None]:
        """Wait until a call of this person, of so many characters, may run.

        Raises:
            Refused: ``calls.too_many`` when this person calls too often.
        """
        if self._rates and (delay := self._rates.delay_for(person, characters)):
            eventlet.sleep(delay)
        group = None if self._group_of is None else self._group_of(person)
        with self._people.slot(person, group):
            yield

    @contextmanager
    def service(self, service: str) -> Iterator[None]:
        """Wait until a call of this service may run."""
        with self._services.slot(service):
            yield
