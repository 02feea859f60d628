"""Normalization takes no more time than a text is long (rule 21)."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_core.file_names import safe_name
from clp_core.mentions.lookup_keys import name_key
from clp_core.normalization import (
    MAX_MARKS,
    MAX_UNCHECKED_LENGTH,
    normalized,
    without_excess_marks,
)

ABOVE, BELOW = "\u0301", "\u0316"
STACKED = [
    ("marks in the opposite order", (ABOVE + BELOW) * 5_000),
    ("all of one kind before the other", ABOVE * 5_000 + BELOW * 5_000),
    ("half-width sound marks, which become marks", (ABOVE + "\uff9e") * 5_000),
]


@pytest.mark.parametrize("marks", [pytest.param(m, id=i) for i, m in STACKED])
def test_t28_a_letter_of_a_long_text_keeps_thirty_marks(marks: str) -> None:
    composed = normalized("NFKC", f"x{marks}q{marks}")

    longest = max(map(len, composed.removeprefix("x").split("q")))
    assert longest == MAX_MARKS


@given(
    st.integers(0, 2 * MAX_MARKS),
    st.lists(st.sampled_from(["q", ABOVE, 29 * ABOVE, 31 * BELOW]), max_size=8),
)
def test_no_letter_keeps_more_wherever_it_stands(
    before: int, pieces: list[str]
) -> None:
    long = before * "." + "".join(pieces) + MAX_UNCHECKED_LENGTH * "."

    longest = max(map(len, re.split("[^\u0301\u0316]", without_excess_marks(long))))
    whole = max(map(len, re.split("[^\u0301\u0316]", long)))
    assert longest == min(whole, MAX_MARKS)


def test_a_letter_of_a_short_text_keeps_them_all() -> None:
    text = "a" + BELOW * (MAX_UNCHECKED_LENGTH - 1)

    assert normalized("NFD", text) == text


@given(st.text(max_size=60), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_a_long_text_without_them_is_normalized_as_usual(text: str, form: str) -> None:
    long = text + MAX_UNCHECKED_LENGTH * "."

    assert normalized(form, long) == unicodedata.normalize(form, long)  # type: ignore[arg-type]


def test_names_of_people_and_files_are_normalized_so() -> None:
    marked = "a" + ABOVE * 5_000

    assert len(name_key(marked)) <= 1 + MAX_MARKS
    assert safe_name(f"{marked}.pdf") == safe_name(f"a{ABOVE * MAX_MARKS}.pdf")
