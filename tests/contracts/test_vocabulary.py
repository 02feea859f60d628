"""One vocabulary of fields: each name has one meaning and the shapes of its row."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

from clp_contracts.events import DETAIL_FIELDS, EVENT_TYPES
from clp_contracts.feed import Change
from tests.contracts.vocabulary import contracts, methods, used

TABLE = Path(__file__).with_name("vocabulary.toml")
VOCABULARY: dict[str, list[str]] = tomllib.loads(TABLE.read_text("utf-8"))
EVENTS: dict[str, list[str]] = VOCABULARY.pop("events")  # type: ignore[assignment]
# The shape that goes with an ending or a beginning.
SHAPE_OF_FORM = {
    r"\w+_at|at": "datetime",
    r"\w+_s": "float",
    r"max_\w+": "int",
    r"\w+_ids": "str*",
    r"\w+_name|name": "str",
    r"is_\w+|may_\w+|has_\w+": "bool",
}


def test_every_field_of_the_contracts_has_its_row() -> None:
    shapes = {name: " | ".join(sorted(found)) for name, found in used().items()}
    assert shapes == {name: shape for name, (shape, _) in VOCABULARY.items()}


def test_names_have_the_shape_of_their_form() -> None:
    broken = {
        name: shape
        for name, (shape, _) in VOCABULARY.items()
        for form, expected in SHAPE_OF_FORM.items()
        if re.fullmatch(form, name) and shape != expected
    }
    assert broken == {}


def test_every_event_has_its_row() -> None:
    assert {one: list(names) for one, names in DETAIL_FIELDS.items()} == EVENTS
    assert list(EVENTS) == list(EVENT_TYPES)


def test_events_speak_the_vocabulary_of_the_calls() -> None:
    in_details = {name for names in EVENTS.values() for name in names}
    in_events = {field.name for field in fields(Change)} | in_details
    assert in_events - set(VOCABULARY) == set()


def test_no_two_names_have_the_same_meaning() -> None:
    meanings = [meaning for _, meaning in VOCABULARY.values()]
    assert len(set(meanings)) == len(meanings)


def test_the_table_is_in_order_and_no_name_ends_in_an_underscore() -> None:
    assert list(VOCABULARY) == sorted(VOCABULARY)
    assert [
        name for name in VOCABULARY if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    ] == []


def test_every_service_is_looked_at() -> None:
    assert {one.service for one in methods()} >= {
        "messages",
        "notifications",
        "portal",
        "projects",
        "search",
    }
    assert len(contracts()) > 100
