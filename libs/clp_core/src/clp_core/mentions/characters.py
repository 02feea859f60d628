"""Character classes that open, continue and end a handle (rules 14 to 17).

The parser matches patterns on the *classes* of a text: a string of the same length, in
which one character represents the class of each. ASCII represents itself, so most texts
are their own classes, and patterns know a dozen classes instead of Unicode.
"""

import re
from collections.abc import Iterable
from itertools import chain
from typing import Final
from unicodedata import category, east_asian_width

LETTER: Final = "x"  # of a space-separated script; any digit
ATTACHED: Final = "\xb9"  # a Hebrew or Arabic letter: "to" and "and" are attached
UNSPACED: Final = "\xba"  # a letter of a script without spaces: Han, kana, Thai ...
MARK: Final = "\xb4"  # belongs to the character before it
STOP: Final = "\xb8"  # a full stop of another keyboard, a dot in a domain
WIDE: Final = "\xb6"  # a full-width punctuation mark, the end of a web address
INVISIBLE: Final = "\xad"
OTHER: Final = "\xb7"
SPACE: Final = " "
BREAK: Final = "\n"
SIGN: Final = "@"

MARKS: Final = frozenset({"Mn", "Mc", "Me"})
KEYCAP: Final = 0x20E3

# Rule 14 names Han, kana, Hangul and Thai. Lao, Khmer and Burmese are not
# space-separated either; Bopomofo is written among Han.
UNSPACED_BLOCKS: Final = (
    range(0x0E00, 0x0F00),  # Thai, Lao
    range(0x1000, 0x10A0),  # Burmese
    range(0x1100, 0x1200),  # Hangul jamo
    range(0x1780, 0x1800),  # Khmer
    range(0x2E80, 0x2FE0),  # Han radicals
    range(0x3005, 0x3008),  # Han marks of repetition, zero
    range(0x3021, 0x3200),  # Han numerals, kana, Bopomofo, Hangul letters
    range(0x3400, 0x4DC0),  # Han
    range(0x4E00, 0xA000),
    range(0xA960, 0xA980),  # Hangul jamo
    range(0xA9E0, 0xAA00),  # Burmese
    range(0xAA60, 0xAA80),  # Burmese
    range(0xAC00, 0xD800),  # Hangul
    range(0xF900, 0xFB00),  # Han
    range(0xFF66, 0xFFDD),  # kana and Hangul of half width
    range(0x16FE2, 0x17000),  # a Han mark of repetition
    range(0x1AFF0, 0x1B170),  # kana
    range(0x20000, 0x33480),  # Han
)
ATTACHED_BLOCKS: Final = (
    range(0x0590, 0x0600),  # Hebrew
    range(0x0600, 0x0700),  # Arabic
    range(0x0750, 0x0780),
    range(0x0870, 0x0900),
    range(0x10EC0, 0x10F00),
    range(0x1EE00, 0x1EF00),  # mathematical
    range(0xFB1D, 0xFB50),  # Hebrew presentation forms
    range(0xFB50, 0xFE00),  # Arabic presentation forms
    range(0xFE70, 0xFEFF),
)
HAN_RADICALS: Final = range(0x2E80, 0x2FE0)  # symbols in Unicode, read as letters

# Letters in Unicode that never begin a syllable.
CLINGING: Final = frozenset(
    chain(
        (0x0E33, 0x0EB3),  # Thai and Lao vowel AM
        range(0x1160, 0x1200),  # Hangul vowels and finals
        range(0xD7B0, 0xD800),
        (0xFF9E, 0xFF9F),  # voicing marks of half width
    )
)

# Signs that phones and word processors insert; a handle looks through them (rule 15).
INVISIBLES: Final = re.compile("[\xad\u061c\u200b-\u200f\u2060\u2066-\u2069\ufeff]")
APOSTROPHES: Final = "\u2019\u2018\u02bc\u02bb\uff07"
# Armenian, Hebrew and typographic hyphens, the minus of Japanese keyboards.
HYPHENS: Final = "\u058a\u05be\u2010\u2011\u2212\ufe63\uff0d"
STOPS: Final = "\u3002\uff0e\uff61"

SAME: Final = {
    "＠": SIGN,
    "\uff3f": "_",
    "\x85": BREAK,
    "\u2028": BREAK,
    "\u2029": BREAK,
    **dict.fromkeys(APOSTROPHES, "'"),
    **dict.fromkeys(HYPHENS, "-"),
    **dict.fromkeys(STOPS, STOP),
}


def class_of(character: str) -> str:
    """The character that represents the class of this one."""
    if character.isascii():
        return character
    if character in SAME:
        return SAME[character]
    if INVISIBLES.match(character):
        return INVISIBLE
    kind = category(character)
    code = ord(character)
    if code in CLINGING or (kind in MARKS and code != KEYCAP):
        return MARK
    if character.isalnum() or code in HAN_RADICALS:
        return LETTER if kind == "Nd" else _letter_class(code)
    return _separator_class(character, kind)


def _separator_class(character: str, kind: str) -> str:
    if character.isspace():
        return SPACE
    width = east_asian_width(character)
    # Waves and angles of full width are symbols in Unicode, and so are wide emoji.
    is_wide = width == "F" or (kind.startswith("P") and width in {"W", "H"})
    return WIDE if is_wide else OTHER


def _letter_class(code: int) -> str:
    if any(code in block for block in UNSPACED_BLOCKS):
        return UNSPACED
    if any(code in block for block in ATTACHED_BLOCKS):
        return ATTACHED
    return LETTER


class _Classes(dict[int, str]):
    """Cache of classes by code point."""

    # Enough for every living script; bounds what a hostile text can add.
    MAX_ENTRIES: Final = 20_000

    def __missing__(self, code: int) -> str:
        found = class_of(chr(code))
        if len(self) < self.MAX_ENTRIES:
            self[code] = found
        return found


_CLASSES: Final = _Classes()


def character_classes(text: str) -> str:
    """The classes of a text, one character for each of its characters.

    >>> character_classes("hi ＠Zoë, 田中")
    'hi @Zox, ºº'
    """
    return text if text.isascii() else text.translate(_CLASSES)


def without(classes: str, stretches: Iterable[tuple[int, int]]) -> str:
    """Replace stretches by line breaks, so that no pattern reaches into them."""
    kept: list[str] = []
    done = 0
    for first, last in sorted(stretches):
        start, end = max(first, done), min(last, len(classes))
        if start < end:
            kept += (classes[done:start], BREAK * (end - start))
            done = end
    return "".join((*kept, classes[done:]))
