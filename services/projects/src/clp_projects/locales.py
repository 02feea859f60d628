"""Language tags (BCP 47) and time zones (IANA)."""

from functools import cache
from typing import Final
from zoneinfo import available_timezones

from langcodes import tag_is_valid

MAX_TAG_LENGTH: Final = 64
REGION_LENGTH: Final = 2
SCRIPT_LENGTH: Final = 4


def language_tag(text: str) -> str | None:
    """Return a valid tag in its usual case (``pt-BR``), or None for any other text.

    Valid means well-formed with registered subtags (RFC 5646, section 2.2.9).
    """
    if len(text) > MAX_TAG_LENGTH or not text.isascii() or "_" in text:
        return None
    return _in_usual_case(text) if tag_is_valid(text) else None


def is_time_zone(text: str) -> bool:
    """Whether a text is the name of a time zone, in the case of the database."""
    return text in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _in_usual_case(tag: str) -> str:
    """Apply the case conventions of RFC 5646, section 2.1.1."""
    first, *rest = tag.lower().split("-")
    subtags = [first]
    after_singleton = len(first) == 1
    for subtag in rest:
        if after_singleton:
            subtags.append(subtag)
        elif len(subtag) == REGION_LENGTH:
            subtags.append(subtag.upper())
        elif len(subtag) == SCRIPT_LENGTH and subtag.isalpha():
            subtags.append(subtag.title())
        else:
            subtags.append(subtag)
        after_singleton = after_singleton or len(subtag) == 1
    return "-".join(subtags)
