"""What a name or a title may be."""

import pytest

from clp_projects.text_validation import is_name, is_title
from tests.cases.loading import hostile_cases

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

NO_NAMES = {
    "nothing": "",
    "blanks": "   \u00a0\u3000",
    "2,001 letters": "n" * 2001,
    "a line break": "Dana\nBcc: x",
    "a carriage return": "Dana\rBcc: x",
    "a tab": "Dana\tBcc",
    "a form feed": "Dana\fBcc: x",
    "a next line": "Dana\u0085Bcc: x",
    "a line separator": "Dana\u2028Bcc: x",
    "a NUL": "Da\0na",
    "an override": "Dana\u202e txt.exe",
    "an isolate": "Dana\u2066 txt.exe",
    "a mark of direction": "Dana\u200f",
    "terminal codes": "\u001b[2J\u001b[31mDana",
    "half a surrogate pair": "Dana\ud83d",
    "ligatures that no index holds": "\ufdfa" * 200,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_may_be(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
def test_a_name_is_not(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize("title", ["n" * 10_000, "é" * 300, *NAMES.values()])
def test_a_title_may_be_longer_than_a_name(title: str) -> None:
    assert is_title(title)


@pytest.mark.parametrize(
    "title", ["n" * 10_001, *(name for key, name in NO_NAMES.items() if "line" in key)]
)
def test_a_title_is_short_enough_and_one_line(title: str) -> None:
    assert not is_title(title)


@pytest.mark.parametrize("area", ["display_name", "subject", "mention", "search"])
def test_every_hostile_text_gets_its_verdict(area: str) -> None:
    for case in hostile_cases(area):
        if "value" in case.facts:
            assert is_name(case.value) in {True, False}
