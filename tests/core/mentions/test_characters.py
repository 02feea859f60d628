"""The class of every Unicode character follows from its name and category."""

from collections.abc import Callable
from unicodedata import category

import pytest

from clp_core.mentions import characters
from clp_core.mentions.characters import (
    ATTACHED,
    BREAK,
    INVISIBLE,
    LETTER,
    MARK,
    OTHER,
    SPACE,
    STOP,
    UNSPACED,
    WIDE,
    character_classes,
    class_of,
    without,
)
from tests.core.mentions import reference_parser

PLANES = (*range(0x80, 0x34000), *range(0xE0000, 0xE0200))


@pytest.mark.parametrize("character", [*map(chr, range(0x80))])
def test_ascii_stands_for_itself(character: str) -> None:
    assert class_of(character) == character


# what it is                    | character     | class
OF_EACH_KIND = [
    ("a full-width at sign", "＠", "@"),
    ("a zero width space", "\u200b", INVISIBLE),
    ("a combining mark", "\u0301", MARK),
    ("an accented letter", "ë", LETTER),
    ("a digit of another script", "\u0663", LETTER),
    ("a syllable of a script without spaces", "\u30b1", UNSPACED),
    ("a letter of a script that prefixes are attached in", "\u05d0", ATTACHED),
    ("a wide space", "\u3000", SPACE),
    ("a bracket that ends a web address", "\u300d", WIDE),
    ("a sign of no kind", "\u20ac", OTHER),
]


@pytest.mark.parametrize(
    ("character", "kind"), [pytest.param(c, k, id=i) for i, c, k in OF_EACH_KIND]
)
def test_a_character_stands_for_its_kind(character: str, kind: str) -> None:
    # Each in a call of its own: a text finds classes that others have looked up.
    assert class_of(character) == kind


@pytest.mark.property
def test_every_other_character_has_the_class_of_its_name_and_kind() -> None:
    assigned = [c for c in map(chr, PLANES) if category(c) != "Cn"]

    differing = [hex(ord(c)) for c in assigned if class_of(c) != _class_by_name(c)]

    assert differing == []


FIXED = {
    "＠": "@",
    "＿": "_",
    **dict.fromkeys(reference_parser.APOSTROPHES, "'"),
    **dict.fromkeys(reference_parser.HYPHENS, "-"),
    **dict.fromkeys(reference_parser.DOTS, STOP),
    **dict.fromkeys(reference_parser.BREAKS, BREAK),
}
KINDS: list[tuple[Callable[[str], bool], str]] = [
    (reference_parser.is_invisible, INVISIBLE),
    (reference_parser.is_mark, MARK),
    (reference_parser.is_unspaced, UNSPACED),
    (reference_parser.is_attached, ATTACHED),
    (reference_parser.is_letter, LETTER),
    (str.isspace, SPACE),
    (reference_parser.ends_web_address, WIDE),
]


def _class_by_name(c: str) -> str:
    kinds = (kind for is_kind, kind in KINDS if is_kind(c))
    return FIXED.get(c) or next(kinds, OTHER)


def test_classes_have_the_length_of_its_text() -> None:
    text = "".join(map(chr, range(0x3000)))

    assert len(character_classes(text)) == len(text)
    assert character_classes(text)[:0x80] == text[:0x80]


def test_a_class_is_the_same_the_second_time() -> None:
    classes = characters._Classes()

    assert ["é田\u0301\u3000".translate(classes) for _ in range(2)] == ["xº´ "] * 2


def test_a_text_of_ascii_is_its_own_classes() -> None:
    text = "@Nat `code`\n"

    assert character_classes(text) is text


def test_the_cache_of_classes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(characters._Classes, "MAX_ENTRIES", 2)
    classes = characters._Classes()
    text = "é田\u3000ñ"

    found = text.translate(classes)

    assert found == "xº x"
    assert len(classes) == 2
    assert text.translate(classes) == found


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        pytest.param([], "abcdef", id="nothing"),
        pytest.param([(1, 3)], "a\n\ndef", id="one"),
        pytest.param([(4, 6), (0, 2)], "\n\ncd\n\n", id="two out of order"),
        pytest.param([(1, 3), (2, 5)], "a\n\n\n\nf", id="two that overlap"),
        pytest.param([(1, 5), (2, 3)], "a\n\n\n\nf", id="one inside of another"),
        pytest.param([(0, 6)], "\n" * 6, id="all"),
        pytest.param([(-3, 2)], "\n\ncdef", id="from before the start"),
        pytest.param([(4, 99)], "abcd\n\n", id="to beyond the end"),
        pytest.param([(7, 9)], "abcdef", id="beyond the end"),
        pytest.param([(-3, -1)], "abcdef", id="before the start"),
        pytest.param([(3, 3)], "abcdef", id="empty"),
        pytest.param([(4, 2)], "abcdef", id="backwards"),
    ],
)
def test_blanked_stretches_keep_the_length(
    stretches: list[tuple[int, int]], expected: str
) -> None:
    assert without("abcdef", stretches) == expected
