"""Rules 4 and 9: what a reader sees of names, titles and texts."""

import sys
from unicodedata import category

import pytest

from clp_core.visible_text import (
    code_point,
    is_blank,
    is_robot_name,
    unprintable_in,
    without_direction_marks,
)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\t\n", "\u3000\u00a0", "\u200b", "\u200e\u200f", "\u2060\ufeff",
        "\u3164", "\uffa0", "\u115f\u1160", "\u2800\u2800", "\xad", "\u034f", "\ufe0f",
        "\U000e0041", "\u2066 \u2069", "\x00\x1f", "\u180e", "\u17b4",
    ],
)  # fmt: skip
def test_these_texts_are_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", [".", "a\u200b", "\u200b字", "😀", "\u0301", "ㅤa", "-"])
def test_these_texts_are_not(text: str) -> None:
    assert not is_blank(text)


# Letters and marks in Unicode that show nothing.
FILLERS = {
    *map(
        chr,
        (
            0x34F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            0x2800,
            0x3164,
            0xFFA0,
            0x16FE4,
            0x1D159,
        ),
    ),
    *map(chr, range(0x180B, 0x1810)),
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0xE0100, 0xE01F0)),
}


@pytest.mark.property
def test_nothing_that_shows_something_is_blank() -> None:
    everything = map(chr, range(sys.maxunicode + 1))
    blank = {c for c in everything if is_blank(c)}

    assert blank >= FILLERS
    assert {category(c) for c in blank - FILLERS} <= {
        "Cc",
        "Cf",
        "Cn",
        "Zs",
        "Zl",
        "Zp",
    }


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("\u200fדנה כהן", "דנה כהן"),
        ("Ivy Lane\u200e", "Ivy Lane"),
        ("\ufeffIvy Lane", "Ivy Lane"),
        ("\u2067Ivy\u2069 \u202eLane", "Ivy Lane"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_marks_of_direction_are_dropped_and_joiners_kept(
    name: str, stored: str
) -> None:
    assert without_direction_marks(name) == stored


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("Ivy Lane", None),
        ("Ivy\nLane", "\n"),
        ("Ivy\u2028", "\u2028"),
        ("\ud800", "\ud800"),
        ("a\x00\n", "\x00"),
        ("\u2029", "\u2029"),
    ],
    # A surrogate in the name of a test cannot be written anywhere.
    ids=ascii,
)
def test_the_first_unprintable_character(text: str, character: str | None) -> None:
    assert unprintable_in(text) == character


def test_a_character_is_named_by_its_code_point() -> None:
    assert [code_point(c) for c in ("\x00", ":", "😀")] == [
        "U+0000",
        "U+003A",
        "U+1F600",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Robot", "robot", "ROBOT", " Robot ", "R\u200bobot", "Robot\u200e", "\ufeffRobot",
        "Rоbоt", "Rοbοt", "ꓣobot", "Ꭱobot", "Roboт", "ROВOT", "R0bot", "Ｒｏｂｏｔ",
        "𝐑𝐨𝐛𝐨𝐭", "Ⓡⓞⓑⓞⓣ", "Röbot", "Robo\u0336t", "“Robot”", "Robot.", "_Robot_", "rоʙоᴛ",
        "Ro\xadbot", "Rob\u3164ot", "🅡🅞🅑🅞🅣", "🆁🅾🅱🅾🆃", "🇷🇴🇧🇴🇹", "Røbøt", "Ɍobot", "Roƀot",
        "RoɃot", "Roboŧ", "Robot\U0001d159", "🤖 Robot",
    ],
)  # fmt: skip
def test_these_names_read_as_the_robot_s(name: str) -> None:
    assert is_robot_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Robotnik",
        "Mr. Robot",
        "Rob Ott",
        "Ro Bot",
        "Robert",
        "Робот",
        "",
        "机器人",
        "Rbt",
    ],
)
def test_these_names_do_not(name: str) -> None:
    assert not is_robot_name(name)
