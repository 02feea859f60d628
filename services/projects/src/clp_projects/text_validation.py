"""Validate names, titles, keys and other short texts."""

import re
import unicodedata
from typing import Final

from clp_contracts.errors import Refused
from clp_core.mentions import name_key, search_key
from clp_core.visible_text import (
    code_point,
    is_blank,
    is_robot_name,
    unprintable_in,
    without_direction_marks,
)

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
# A null character, or half of a surrogate pair.
NOT_STORABLE: Final = re.compile("[\0\ud800-\udfff]")

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
        and not is_blank(text)
        and BIDI_CONTROLS.isdisjoint(text)
        and all(unicodedata.category(c) not in REFUSED_CATEGORIES for c in text)
    )


def stored_name(name: str) -> str:
    """Return the name of a person or partner as it is stored (rules 4 and 9).

    Marks of direction are dropped. The detail of a refusal has the ``character`` at
    fault, the ``reserved`` name, or the ``max_characters``; none for a blank name.

    Raises:
        Refused: ``name.malformed``.
    """
    stored = _stored(name, MAX_NAME_LENGTH, code="name.malformed")
    if is_robot_name(stored):
        raise Refused.because("name.malformed", reserved="Robot")
    if not all(is_indexable(key(stored)) for key in (name_key, search_key)):
        raise Refused.because("name.malformed", max_bytes=MAX_INDEX_BYTES)
    return stored


def stored_title(title: str) -> str:
    """Return the title of a project as it is stored (rule 9).

    Raises:
        Refused: ``title.malformed``, with a detail as of a name.
    """
    return _stored(title, MAX_TITLE_LENGTH, code="title.malformed")


def _stored(text: str, max_length: int, *, code: str) -> str:
    stored = without_direction_marks(text)
    if (character := unprintable_in(stored)) is not None:
        raise Refused.because(code, character=code_point(character))
    if len(stored) > max_length:
        raise Refused.because(code, max_characters=max_length)
    if is_blank(stored):
        shown = {"character": code_point(stored[0])} if stored else {}
        raise Refused.because(code, max_characters=max_length, **shown)
    return stored


def title_key(text: str) -> str:
    """Return the folded beginning of a title or of a query, for order and search."""
    return search_key(text[:MAX_TITLE_KEY_LENGTH])[:MAX_TITLE_KEY_LENGTH]


def is_indexable(key: str) -> bool:
    """Whether a lookup key fits an index."""
    return is_storable(key) and len(key.encode()) <= MAX_INDEX_BYTES


def is_storable(text: str) -> bool:
    """Whether every supported database can store the text."""
    return NOT_STORABLE.search(text) is None
