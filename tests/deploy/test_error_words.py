"""The error of a dead letter is told in words, whatever its kind."""

import pytest

from clp_ops.error_words import in_words

# fmt: off
ERRORS = [
    ("KeyError",                        "the change lacks a part that this version expects (KeyError)"),
    ("Refused: announcement.malformed", "refused: "),
    ("IntegrityError",                  "the database refused it: it contradicts a row that is there"),
    ("ZeroDivisionError",               "an error of the program; its log has the trace (ZeroDivisionError)"),
]
# fmt: on


@pytest.mark.parametrize(("error", "words"), ERRORS)
def test_an_error_is_told_in_words(error: str, words: str) -> None:
    assert in_words(error).startswith(words)
    assert error.partition(": ")[2] in in_words(error)
