"""The only place that reads the clock or generates an id."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return 128 random bits as hexadecimal: cannot be guessed and shows no order."""
    return secrets.token_hex(16)
