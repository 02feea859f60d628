"""When to try again: growing delays, spread so that mails do not come back together."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 14400, 43200)
)
GIVEN_UP_AFTER: Final = timedelta(days=3)
SPREAD: Final = 0.2


def next_try(
    mail: str, attempts: int, *, first_tried_at: datetime, now: datetime
) -> datetime | None:
    """When to try for the next time after so many attempts; None to give up."""
    at = now + _spread(DELAYS[min(attempts, len(DELAYS)) - 1], f"{mail} {attempts}")
    return None if at > first_tried_at + GIVEN_UP_AFTER else at


def _spread(delay: timedelta, seed: str) -> timedelta:
    """Up to a fifth more or less: random enough, and the same for the same try."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4])
    return delay * (1 - SPREAD + 2 * SPREAD * number / 0xFFFFFFFF)
