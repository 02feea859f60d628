"""Asks and replies: strict where a service reads, forgiving where a caller reads."""

from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime

import pytest

from clp_contracts import messages, notifications, projects, search
from clp_contracts.errors import Refused
from clp_contracts.methods import Method
from clp_contracts.serialization import arguments, dump, load, load_reply

ALL_METHODS = [
    pytest.param(value, id=f"{value.service}.{value.name}")
    for module in (projects, messages, search, notifications)
    for value in vars(module).values()
    if isinstance(value, Method)
]

GOOD = {"channel": "p1/broadcast", "key": "k1", "text": "Hello", "attachments": []}
# what is wrong with the ask, the ask, the field that is named
MALFORMED = [
    ("a field nobody agreed on", GOOD | {"actor": "ivy"}, "actor"),
    ("a missing field", {"channel": "p1/broadcast"}, "key"),
    ("a number for a text", GOOD | {"text": 5}, "text"),
    ("nothing for a text", GOOD | {"text": None}, "text"),
    ("a text for a list", GOOD | {"attachments": "a1"}, "attachments"),
    ("a number in a list of texts", GOOD | {"attachments": [1]}, "attachments"),
    ("a text of megabytes", GOOD | {"text": "x" * 2_000_001}, "text"),
    ("a list of thousands", GOOD | {"attachments": ["a"] * 10_001}, "attachments"),
]


@pytest.mark.parametrize(
    ("values", "field"), [pytest.param(*row[1:], id=row[0]) for row in MALFORMED]
)
def test_a_malformed_ask_is_refused_by_value(
    values: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        load(messages.PostMessage, values)
    assert refused.value.code == "ask.malformed"
    assert list(refused.value.detail["fields"]) == [field]


@pytest.mark.parametrize("number", ["7", 7.0, True])
def test_a_number_is_a_number_and_nothing_like_it(number: object) -> None:
    with pytest.raises(Refused, match=r"ask\.malformed"):
        load(messages.AskPage, {"channel": "p1/broadcast", "before": number})


def test_a_reply_of_a_newer_service_is_still_read() -> None:
    told = {"id": "a", "changed": True, "since": "2030"}
    assert load_reply(projects.Stored, told) == projects.Stored(id="a", changed=True)


def test_a_reply_survives_the_wire() -> None:
    at = datetime(2026, 11, 23, 12, 30, 1, 250, tzinfo=UTC)
    posted = messages.Posted(
        id="m1",
        channel="p1/broadcast",
        number=1,
        posted_at=at,
        mentions=(messages.Mention(start=0, end=4, handle="Nat", outcome="unknown"),),
    )
    assert load_reply(messages.Posted, dump(posted)) == posted


def test_a_reply_may_be_longer_than_an_ask() -> None:
    person = {"id": "a", "name": "A", "email": "a@b.example", "partner": None}
    many = [person | {"roles": [], "active": True}] * 10_001
    assert len(load_reply(projects.People, {"people": many}).people) == 10_001
    with pytest.raises(Refused, match=r"ask\.malformed"):
        load(projects.AskOwners, {"keys": ["a"] * 10_001})


@pytest.mark.parametrize("method", ALL_METHODS)
def test_every_method_has_shapes_of_documented_dataclasses(
    method: Method[object, object],
) -> None:
    for shape in (method.ask, method.reply):
        assert is_dataclass(shape)
        assert shape.__doc__
        assert shape.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert all(f.kw_only for f in fields(shape))
    assert method.kinds


def test_an_ask_leaves_out_what_is_at_its_default() -> None:
    ask = messages.PostMessage(channel="p1/broadcast", key="k1", text="Hello")

    assert arguments(ask) == {"channel": "p1/broadcast", "key": "k1", "text": "Hello"}


@pytest.mark.parametrize("method", ALL_METHODS)
def test_an_ask_that_says_only_what_it_must_is_read_as_it_was(
    method: Method[object, object],
) -> None:
    must = {f.name: _some(f.type) for f in fields(method.ask) if _is_required(f)}
    ask = method.ask(**must)

    assert load(method.ask, arguments(ask)) == ask


def _is_required(field: Field[object]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _some(hint: object) -> object:
    """A value of a required field, which are texts, numbers or lists."""
    if hint is int:
        return 1
    return "a" if hint is str else ()
