"""Rate limit of one caller: a token bucket that depends on no other caller.

A limit that moved with the load of others would tell a caller whether others are
calling. So the bucket sees the calls of its own caller only. A call with a long text
counts as several: it is stored, sent, indexed and shown at the cost of its length.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from clp_contracts.errors import Refused

# Longest wait for a token; a call that would wait longer is refused.
MAX_DELAY_S: Final = 1.0
# A longer request counts as so many calls more.
CHARACTERS_OF_A_CALL: Final = 500
# How often full buckets are dropped.
SWEEP_INTERVAL_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The calls that one caller may make at once, and in each second after that."""

    burst: float = 40
    per_second: float = 20.0


DEFAULT_LIMIT: Final = RateLimit()
# For programs of ours that make the calls of many people as one person.
NO_LIMIT: Final = RateLimit(burst=1_000_000, per_second=1_000_000.0)


@dataclass(slots=True)
class Bucket:
    """Tokens left at a moment; below zero when more were taken than there were."""

    tokens: float
    at: float


class TokenBuckets:
    """One token bucket per caller, refilled at a steady rate up to the burst."""

    def __init__(
        self, limit: RateLimit, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._buckets: dict[str, Bucket] = {}
        self._swept_at = monotonic()

    def of(self, caller: str) -> Bucket:
        """Return the bucket of a caller as it is now."""
        now = self._monotonic()
        self._sweep(now)
        bucket = self._buckets.setdefault(caller, Bucket(self._limit.burst, now))
        bucket.tokens, bucket.at = self._refilled(bucket, now), now
        return bucket

    def _refilled(self, bucket: Bucket, now: float) -> float:
        gained = (now - bucket.at) * self._limit.per_second
        return min(self._limit.burst, bucket.tokens + gained)

    def _sweep(self, now: float) -> None:
        """Drop full buckets: a new one is as good."""
        if now - self._swept_at < SWEEP_INTERVAL_S:
            return
        self._swept_at = now
        self._buckets = {
            caller: bucket
            for caller, bucket in self._buckets.items()
            if self._refilled(bucket, now) < self._limit.burst
        }


class TokenBucketLimiter:
    """Let each caller take tokens for a call, and wait or be refused without them."""

    def __init__(
        self, limit: RateLimit, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = limit.per_second
        # Of one call: who has paid what came before waits for no more than the delay.
        self._max_cost = max(1.0, limit.per_second * MAX_DELAY_S)
        self._buckets = TokenBuckets(limit, monotonic)

    def delay_for(self, caller: str, characters: int = 0) -> float:
        """Take the tokens of a request of so many characters; return the delay in s.

        Raises:
            Refused: ``calls.too_many`` when it would take longer than `MAX_DELAY_S`;
                no token is taken then.
        """
        bucket = self._buckets.of(caller)
        cost = min(max(1.0, characters / CHARACTERS_OF_A_CALL), self._max_cost)
        delay = max(0.0, (cost - bucket.tokens) / self._per_second)
        if delay > MAX_DELAY_S:
            raise Refused.because("calls.too_many", max_per_second=self._per_second)
        bucket.tokens -= cost
        return delay
