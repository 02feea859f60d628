"""Unicode normalization, in time that grows linearly with the text."""

from functools import lru_cache
from itertools import takewhile
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
    return normalize(form, without_excess_marks(text))


def without_excess_marks(text: str) -> str:
    r"""A text in which no letter has more than thirty combining marks.

    Texts of up to 320 characters keep them all.

    >>> len(without_excess_marks("q" + 10_000 * "\u0316\u0301"))
    31
    """
    if len(text) <= MAX_UNCHECKED_LENGTH or text.isascii():
        return text
    if not _has_excess_marks(text):
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def _has_excess_marks(text: str) -> bool:
    # Of 31 marks in a row one stands at a multiple of 31.
    step = MAX_MARKS + 1
    return any(
        _is_mark(sample) and _marks_around(text, number * step) > MAX_MARKS
        for number, sample in enumerate(text[::step])
    )


def _marks_around(text: str, at: int) -> int:
    """Count the marks in a row that hold a position, up to 61."""
    before = takewhile(_is_mark, reversed(text[max(0, at - MAX_MARKS) : at]))
    after = takewhile(_is_mark, text[at : at + MAX_MARKS + 1])
    return sum(1 for _ in before) + sum(1 for _ in after)


@lru_cache(maxsize=4_096)
def _is_mark(character: str) -> bool:
    """Whether it is a mark, or becomes one: half-width sound marks of kana do."""
    return combining(normalize("NFKD", character)[0]) != 0
