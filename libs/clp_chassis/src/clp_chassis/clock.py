"""The only place that reads the clock or mints an id."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def new_id() -> str:
    """128 random bits: an id that cannot be guessed and tells no order."""
    return secrets.token_hex(16)
