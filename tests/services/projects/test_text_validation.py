"""Rules 4 and 9: names and titles."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from clp_contracts.errors import Refused
from clp_projects.text_validation import stored_name, stored_title
from tests.cases.loading import FieldCase, field_cases, hostile_cases

NAMES = {
    "a plain one": "Nat Moreau",
    "one letter": "N",
    "2,000 letters": "n" * 2000,
    "200 Chinese letters": "字" * 200,
    "200 Korean syllables": "각" * 200,
    "an apostrophe and a dot": "Mike O'Connor Jr.",
    "a comma": "Kowalska, Dana",
    "brackets": "Dana <thief@evil.example>",
    "an address": "ceo@studio.example",
    "markup": "<img src=x onerror=alert(1)>",
    "template marks": "{{ config }}{% for x in y %}",
    "an encoded word": "=?utf-8?q?Head_of_Studio?=",
    "Arabic": "دانة كمال",
    "Hebrew and digits": "דנה 12",
    "a family of emoji": "Dana 👨‍👩‍👧",
    "a long ligature": "Muhammad ﷺ",
}

DROPPED = {
    "an override": ("Dana\u202e txt.exe", "Dana txt.exe"),
    "isolates": ("\u2066Dana\u2069", "Dana"),
    "marks of direction": ("\u200fDana\u200e \u061cK", "Dana K"),
    "a byte order mark": ("\ufeffIvy Lane", "Ivy Lane"),
}

NO_NAMES = {
    "nothing": "",
    "blanks": "   \u00a0\u3000",
    "a filler": "\u3164",
    "blank Braille": "\u2800\u2800",
    "marks without width": "\u200b\u2060",
    "nothing but marks of direction": "\u200f\u202e",
    "the robot": "Robot",
    "the robot, with something invisible": "Ro\u200bbot",
    "the robot, in letters of another script": "Rоbοt",
    "2,001 letters": "n" * 2001,
    "a line break": "Dana\nBcc: x",
    "a carriage return": "Dana\rBcc: x",
    "a tab": "Dana\tBcc",
    "a form feed": "Dana\fBcc: x",
    "a next line": "Dana\u0085Bcc: x",
    "a line separator": "Dana\u2028Bcc: x",
    "a NUL": "Da\0na",
    "terminal codes": "\u001b[2J\u001b[31mDana",
    "half a surrogate pair": "Dana\ud83d",
    "ligatures that no index holds": "\ufdfa" * 200,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_stored_as_given(name: str) -> None:
    assert stored_name(name) == name


@pytest.mark.parametrize(("name", "stored"), DROPPED.values(), ids=DROPPED)
def test_direction_marks_are_dropped(name: str, stored: str) -> None:
    assert stored_name(name) == stored
    assert stored_title(name) == stored


def refusal(call: Callable[[str], str], text: str) -> dict[str, object]:
    with pytest.raises(Refused) as refused:
        call(text)
    noun = "title" if call is stored_title else "name"
    assert refused.value.code == f"{noun}.malformed"
    return refused.value.detail


@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
def test_a_name_is_refused(name: str) -> None:
    refusal(stored_name, name)


def test_a_refusal_names_the_character_or_the_limit() -> None:
    assert refusal(stored_name, "Da\0na") == {"character": "U+0000"}
    assert refusal(stored_title, "a\u2028b") == {"character": "U+2028"}
    assert refusal(stored_name, "n" * 2001) == {"max_characters": 2000}
    assert refusal(stored_title, "n" * 10_001) == {"max_characters": 10_000}
    assert refusal(stored_name, "\ufdfa" * 200) == {"max_bytes": 2000}
    assert refusal(stored_name, "ROBOT") == {"reserved": "Robot"}
    filler = {"character": "U+3164", "max_characters": 2000}
    assert refusal(stored_name, "\u3164") == filler
    assert refusal(stored_title, "") == {"max_characters": 10_000}


@pytest.mark.parametrize("title", ["n" * 10_000, "é" * 300, "Robot", *NAMES.values()])
def test_a_title_may_be_longer_than_a_name(title: str) -> None:
    assert stored_title(title) == title


@pytest.mark.parametrize(
    "title", ["n" * 10_001, *(name for key, name in NO_NAMES.items() if "line" in key)]
)
def test_a_title_is_short_enough_and_one_line(title: str) -> None:
    refusal(stored_title, title)


STORED = {"dir-01": "דנה כהן", "dir-02": "Ivy Lane", "dir-03": None}


@pytest.mark.parametrize("case", field_cases("directory"), ids=lambda case: case.id)
def test_a_name_from_an_export(case: FieldCase) -> None:
    stored = STORED[case.id]
    if stored is None:
        refusal(stored_name, case.input)
    else:
        assert stored_name(case.input) == stored, case.why


@pytest.mark.parametrize("area", ["display_name", "subject", "mention", "search"])
def test_every_hostile_text_is_stored_or_refused(area: str) -> None:
    for case in hostile_cases(area):
        if "value" in case.facts:
            with suppress(Refused):
                assert stored_name(case.value)
