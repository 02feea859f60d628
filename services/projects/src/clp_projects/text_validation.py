"""What names, titles, keys and other short texts of this service may hold."""

import unicodedata
from typing import Final

from clp_core.mentions import name_key, typing_key

LONGEST_LINE: Final = 200
# Somebody's whole name is taken as it is; whoever shows it cuts it, as mails do.
LONGEST_NAME: Final = 2000
# Titles are looked up by nobody; mails cut them where their headers end.
LONGEST_TITLE: Final = 10_000
LONGEST_KEY: Final = 128
# What an index of every database still takes; only names made of ligatures exceed it.
LONGEST_INDEXED: Final = 2000

# Control characters, lone halves of surrogate pairs, line and paragraph separators.
UNSEEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They reorder what stands beside them; letters written from right to left need none.
BIDI_CONTROLS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def is_one_line(text: str, longest: int = LONGEST_LINE) -> bool:
    """Whether a text is short, not blank and shows as one plain line."""
    return (
        len(text) <= longest
        and text.strip() != ""
        and BIDI_CONTROLS.isdisjoint(text)
        and all(unicodedata.category(c) not in UNSEEN for c in text)
    )


def is_name(text: str) -> bool:
    """Whether a person or a partner may be called this."""
    return is_one_line(text, LONGEST_NAME) and all(
        is_indexable(key(text)) for key in (name_key, typing_key)
    )


def is_title(text: str) -> bool:
    """Whether a project may be called this."""
    return is_one_line(text, LONGEST_TITLE)


def is_indexable(key: str) -> bool:
    """Whether a lookup key is short enough to be looked up."""
    return is_storable(key) and len(key.encode()) <= LONGEST_INDEXED


def is_storable(text: str) -> bool:
    """Whether every database takes this text; no stored one is beyond that."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
