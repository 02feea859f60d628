"""Validate names, titles, keys and other short texts."""

import unicodedata
from typing import Final

from clp_core.mentions import name_key, search_key

MAX_LINE_LENGTH: Final = 200
# Names are stored whole; mails and pages truncate them for display.
MAX_NAME_LENGTH: Final = 2000
# Titles have no lookup index; mail headers truncate them.
MAX_TITLE_LENGTH: Final = 10_000
MAX_KEY_LENGTH: Final = 128
# An index entry of four bytes per character at most.
MAX_TITLE_KEY_LENGTH: Final = 400
# The index entry size that every database supports; only names of ligatures exceed it.
MAX_INDEX_BYTES: Final = 2000

# Control characters, lone halves of surrogate pairs, line and paragraph separators.
REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They reorder the text around them; right-to-left scripts do not need them.
BIDI_CONTROLS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def is_one_line(text: str, max_length: int = MAX_LINE_LENGTH) -> bool:
    """Whether a text is short, not blank, and displays as one plain line."""
    return (
        len(text) <= max_length
        and text.strip() != ""
        and BIDI_CONTROLS.isdisjoint(text)
        and all(unicodedata.category(c) not in REFUSED_CATEGORIES for c in text)
    )


def is_name(text: str) -> bool:
    """Whether a text may be the name of a person or partner."""
    return is_one_line(text, MAX_NAME_LENGTH) and all(
        is_indexable(key(text)) for key in (name_key, search_key)
    )


def is_title(text: str) -> bool:
    """Whether a text may be the title of a project."""
    return is_one_line(text, MAX_TITLE_LENGTH)


def title_key(text: str) -> str:
    """Return the folded beginning of a title or of a query, for order and search."""
    return search_key(text[:MAX_TITLE_KEY_LENGTH])[:MAX_TITLE_KEY_LENGTH]


def is_indexable(key: str) -> bool:
    """Whether a lookup key fits an index."""
    return is_storable(key) and len(key.encode()) <= MAX_INDEX_BYTES


def is_storable(text: str) -> bool:
    """Whether every supported database can store the text."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
