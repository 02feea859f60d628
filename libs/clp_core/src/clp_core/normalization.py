"""Unicode normalization, in time that grows linearly with the text."""

from functools import lru_cache
from typing import Final, Literal
from unicodedata import combining, normalize

# No writing puts so many marks on a letter (Unicode Standard Annex 15, section 13).
MAX_MARKS: Final = 30
# To order all marks of a text of this length takes a sixth of a millisecond at most.
MAX_UNCHECKED_LENGTH: Final = 320


def normalized(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    r"""A normalization form of a text (Unicode Standard Annex 15).

    To order the marks on a letter takes the square of their number, minutes for one
    text of hostile ones. So of a text of more than 320 characters no letter keeps more
    than thirty.

    >>> normalized("NFC", "Zoe\u0308")
    'Zoë'
    >>> len(normalized("NFC", "q" + 10_000 * "\u0316\u0301"))
    31
    """
    if len(text) > MAX_UNCHECKED_LENGTH and not text.isascii():
        text = _without_excess_marks(text)
    return normalize(form, text)


def _without_excess_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


@lru_cache(maxsize=4_096)
def _is_mark(character: str) -> bool:
    """Whether it is a mark, or becomes one: half-width sound marks of kana do."""
    return combining(normalize("NFKD", character)[0]) != 0
