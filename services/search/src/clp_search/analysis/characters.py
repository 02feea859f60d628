"""Character classes of words, runs and signs, and what each character folds to."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from clp_search.analysis.simplified_chinese import SIMPLIFIED

# Letters are in the first two planes; beyond them only Han matters.
_SCANNED: Final = 0x20000
_MAX_CACHED: Final = 50_000

# Scripts written without spaces: Han and its companions, kana, Bopomofo, Hangul, Thai,
# Lao, Burmese, Khmer.
_RUN_BLOCKS: Final = (
    (0x0E01, 0x0E3A), (0x0E40, 0x0E4E), (0x0E81, 0x0EC6), (0x0EC8, 0x0ECE),
    (0x0EDC, 0x0EDF), (0x1000, 0x103F), (0x1050, 0x109D), (0x1100, 0x11FF),
    (0x1780, 0x17D3), (0x17D7, 0x17D7), (0x17DC, 0x17DD), (0x2E80, 0x2FDF),
    (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035),
    (0x3038, 0x303B), (0x3041, 0x3096),
    (0x3099, 0x309A), (0x309D, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF),
    (0x3105, 0x312F), (0x3131, 0x318E), (0x31A0, 0x31BF), (0x31F0, 0x31FF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xA9E0, 0xA9EF),
    (0xA9FA, 0xA9FE), (0xAA60, 0xAA7F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF),
    (0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip

# Marks that people omit or that change no word: Latin, Greek and Cyrillic accents,
# Hebrew points, Arabic vowels, the Indic nukta, variation selectors.
_LOOSE_MARKS: Final = (
    (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05BD), (0x05BF, 0x05BF),
    (0x05C1, 0x05C2), (0x05C4, 0x05C5), (0x05C7, 0x05C7), (0x0610, 0x061A),
    (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06DC), (0x06DF, 0x06E4),
    (0x06E7, 0x06E8), (0x06EA, 0x06ED), (0x08D3, 0x08E1), (0x08E3, 0x08FF),
    (0x093C, 0x093C), (0x09BC, 0x09BC), (0x0A3C, 0x0A3C), (0x0ABC, 0x0ABC),
    (0x0B3C, 0x0B3C), (0x0CBC, 0x0CBC), (0x180B, 0x180D), (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F),
    (0x1F3FB, 0x1F3FF), (0xE0100, 0xE01EF),
)  # fmt: skip

# Scripts whose letters are decomposed to remove their accents.
_ACCENTED_SCRIPTS: Final = (
    "LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "BENGALI",
    "GURMUKHI", "GUJARATI", "ORIYA", "KANNADA",
)  # fmt: skip

# Korean letters that people type alone, half-width ones as well.
JAMO: Final = re.compile("([\u3131-\u318e\uffa1-\uffdc]+)")
WIDE_JAMO: Final = {
    code: int(unicodedata.decomposition(chr(code)).split()[1], 16)
    for code in range(0xFFA1, 0xFFDD)
    if unicodedata.decomposition(chr(code))
}

# Characters newer than the Unicode tables that run: emoji, and Han.
_NEW_EMOJI: Final = (0x1F000, 0x1FAFF)
_NEW_HAN: Final = (0x20000, 0x3FFFD)

HYPHEN: Final = "-"
APOSTROPHE: Final = "'"
MIDDLE_DOT: Final = "\N{MIDDLE DOT}"
QUOTE: Final = '"'

_SIGNS: Final = {
    **dict.fromkeys("\u05be\u2010\u2011\u2012\u2013\u2043\u2212", HYPHEN),
    **dict.fromkeys("\u02b9\u02bb\u02bc\u05f3\u2018\u2019\u2032\ua78c", APOSTROPHE),
    **dict.fromkeys("\u2027\u30a0\u30fb", MIDDLE_DOT),
    "\u05f4": QUOTE,
    "\u066b": ".",
    "\u066c": ",",
}

# Equivalent letters without a Unicode decomposition.
_LETTERS: Final = {
    "\u0131": "i", "\u0142": "l", "\u00f8": "o", "\u0111": "d", "\u0127": "h",
    "\u0167": "t", "\u00e6": "ae", "\u0153": "oe", "\u00f0": "d", "\u00fe": "th",
    "\u0640": "", "\u0649": "\u064a", "\u0629": "\u0647", "\u06a9": "\u0643",
    "\u06aa": "\u0643", "\u06cc": "\u064a", "\u06d5": "\u0647", "\u06c1": "\u0647",
    "\u0671": "\u0627",
    # Conjoining Korean letters that stand alone are like those typed alone.
    **{
        unicodedata.normalize("NFKC", chr(code)): chr(code)
        for code in range(0x3131, 0x318F)
    },
}  # fmt: skip

# A separate letter in every alphabet that has it.
_SHORT_I: Final = "\u0439"

# The spelling used where the character cannot be typed.
SPELLED_OUT: Final = {
    "\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00f8": "oe", "\u00e5": "aa",
}  # fmt: skip


def _inside(code: int, blocks: Iterable[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in blocks)


def _beside_runs() -> Iterator[int]:
    """Iterate the characters of the scanned planes outside of run scripts."""
    start = 0
    for first, last in _RUN_BLOCKS:
        yield from range(start, min(first, _SCANNED))
        start = last + 1


def _class_of(predicate: Callable[[str], bool], codes: Iterable[int]) -> str:
    """Return the character set of a regular expression for matching characters."""
    spans: list[list[int]] = []
    for code in codes:
        if not predicate(chr(code)):
            continue
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in spans)


def _is_word_character(character: str) -> bool:
    kind = unicodedata.category(character)[0]
    return kind in "LN" or (kind == "M" and not _inside(ord(character), _LOOSE_MARKS))


def _is_pictograph(character: str) -> bool:
    # Degrees and copyright signs are punctuation; regional indicators count in pairs.
    if unicodedata.category(character) == "So":
        return "\xff" < character < FLAGS[0] or character > FLAGS[1]
    return _is_new(character)


def _is_new(character: str) -> bool:
    """Return whether a character without a category is an emoji or Han by its place."""
    return unicodedata.category(character) == "Cn" and _inside(
        ord(character), (_NEW_EMOJI, _NEW_HAN)
    )


FLAGS: Final = ("\U0001f1e6", "\U0001f1ff")
RUN: Final = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _RUN_BLOCKS)
WORD: Final = _class_of(_is_word_character, _beside_runs())
PICTOGRAPH: Final = _class_of(_is_pictograph, _beside_runs())

# Second halves of pairs that normalization composes; never split a text before them.
_COMPOSING: Final = frozenset(
    {
        parts[1]
        for code in range(0xA0, 0x12000)
        if len(parts := unicodedata.decomposition(chr(code)).split()) == 2  # noqa: PLR2004
        and not parts[0].startswith("<")
    }
    | {f"{code:04X}" for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
)


class FoldingTable(dict[int, str]):
    """A table for `str.translate`, filled when a character is first met."""

    def __init__(self, first: dict[str, str]) -> None:
        super().__init__()
        self._first = first

    def __missing__(self, code: int) -> str:
        if len(self) > _MAX_CACHED:
            self.clear()
        folded = self[code] = _folded(chr(code), self._first)
        return folded


def _folded(character: str, first: dict[str, str]) -> str:
    """Fold a normalized character: to nothing, itself, letters, or a space."""
    category = unicodedata.category(character)
    if character in _SIGNS:
        return _SIGNS[character]
    if category == "Cf" or _inside(ord(character), _LOOSE_MARKS):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if _is_new(character):
        return character
    if category[0] in "CZ":
        return " "
    return "".join(first.get(c) or _unaccented(c) for c in character.casefold())


def _unaccented(letter: str) -> str:
    if letter == _SHORT_I or letter.isascii():
        return letter
    if (simple := _LETTERS.get(letter) or SIMPLIFIED.get(letter)) is not None:
        return simple
    if not unicodedata.name(letter, "").startswith(_ACCENTED_SCRIPTS):
        return "" if _inside(ord(letter), _LOOSE_MARKS) else letter
    bare = (
        _LETTERS.get(part, part)
        for part in unicodedata.normalize("NFD", letter)
        if not _inside(ord(part), _LOOSE_MARKS)
    )
    return unicodedata.normalize("NFC", "".join(bare))


PLAIN: Final = FoldingTable({})
SPELLED: Final = FoldingTable(SPELLED_OUT)
HAS_SPELLINGS: Final = re.compile(
    f"[{''.join(SPELLED_OUT)}\u00c4\u00d6\u00dc\u00d8\u00c5]"
)

_continuing: dict[str, bool] = {}


def continues(character: str) -> bool:
    """Return whether a character extends the one before it, and must stay with it."""
    if JAMO.match(character):
        return False
    known = _continuing.get(character)
    if known is None:
        if len(_continuing) > _MAX_CACHED:
            _continuing.clear()
        first = unicodedata.normalize("NFKD", character)[0]
        known = _continuing[character] = (
            unicodedata.combining(first) != 0
            or f"{ord(first):04X}" in _COMPOSING
            or PLAIN[ord(character)] == ""
        )
    return known
