"""The errors of dead letters in words; texts of errors are not stored, kinds are."""

from collections.abc import Mapping
from typing import Final

from clp_contracts.error_codes import CODES

WORDS: Final[Mapping[str, str]] = {
    "IntegrityError": "the database refused it: it contradicts a row that is there",
    "DataError": "the database refused it: a value does not fit its column",
    "ProgrammingError": "the database lacks a table, a column or a permission",
    "KeyError": "the change lacks a part that this version expects",
    "LookupError": "something that the change names is not there",
    "ValueError": "a value of the change is not what this version expects",
    "TypeError": "a value of the change is not what this version expects",
    "ValidationError": "the change has a form that this version does not know",
    "TextTooLarge": "the text is too large to be indexed",
    "EngineTimeout": "indexing it takes too long",
    "RecursionError": "it is nested too deeply",
}


def in_words(error: str) -> str:
    """An error as it was recorded, ``Kind`` or ``Kind: text``, with its meaning."""
    kind, _, text = error.partition(": ")
    if kind == "Refused":
        return f"refused: {CODES.get(text, text)} ({text})"
    if kind in WORDS:
        return f"{WORDS[kind]} ({error})"
    return f"an error of the program; its log has the trace ({error})"
