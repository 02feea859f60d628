"""Time zones by the names of the IANA database, such as ``Europe/Paris``."""

from functools import cache
from zoneinfo import available_timezones


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def is_time_zone(text: str) -> bool:
    """Whether it is the name of a zone, written as the database writes it."""
    return text in _names()
