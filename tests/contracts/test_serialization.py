"""Requests are validated strictly; responses are read leniently."""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from typing_extensions import override

from clp_contracts import messages, notifications, projects, search
from clp_contracts.client import Clients, RpcClient
from clp_contracts.errors import Refused
from clp_contracts.methods import Method
from clp_contracts.serialization import (
    MAX_REQUEST_BYTES,
    arguments,
    dump,
    load,
    load_response,
)

ALL_METHODS = [
    pytest.param(value, id=f"{value.service}.{value.name}")
    for module in (projects, messages, search, notifications)
    for value in vars(module).values()
    if isinstance(value, Method)
]

GOOD = {"channel": "p1/broadcast", "key": "k1", "text": "Hello", "attachments": []}
# what is wrong with the request, its arguments, the field that the refusal names
MALFORMED = [
    ("an unknown field", GOOD | {"actor": "ivy"}, "actor"),
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
def test_a_malformed_request_is_refused_with_the_field(
    values: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        load(messages.PostMessage, values)
    assert refused.value.code == "request.malformed"
    assert list(refused.value.detail["fields"]) == [field]


@pytest.mark.parametrize("number", ["7", 7.0, True])
def test_a_number_is_a_number_and_nothing_like_it(number: object) -> None:
    with pytest.raises(Refused, match=r"request\.malformed"):
        load(messages.GetPage, {"channel": "p1/broadcast", "before": number})


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_a_number_that_no_database_holds_is_malformed(number: int) -> None:
    values = {"channel": "p1/broadcast", "before": number}
    with pytest.raises(Refused) as refused:
        load(messages.GetPage, values)
    assert list(refused.value.detail["fields"]) == ["before"]
    assert load(messages.GetPage, values | {"before": 2**63 - 1})
    assert load(messages.GetPage, values | {"before": None, "limit": 2**63})


@pytest.mark.parametrize("truth", [1, 0, 1.0, "true", None])
def test_a_truth_value_is_no_number(truth: object) -> None:
    values = {"channel": "p1/broadcast", "latest": truth}
    with pytest.raises(Refused) as refused:
        load(messages.GetConversation, values)
    assert list(refused.value.detail["fields"]) == ["latest"]


@pytest.mark.parametrize("seconds", ["7", True, b"7", [7], None])
def test_a_time_in_seconds_is_a_number(seconds: object) -> None:
    with pytest.raises(Refused) as refused:
        load(projects.GetFacts, {"lease_s": seconds})
    assert "lease_s" in refused.value.detail["fields"]


def test_unknown_fields_of_a_response_are_ignored() -> None:
    values = {"id": "a", "changed": True, "since": "2030"}
    assert load_response(projects.Stored, values) == projects.Stored(
        id="a", changed=True
    )


def test_a_response_survives_serialization() -> None:
    at = datetime(2026, 11, 23, 12, 30, 1, 250, tzinfo=UTC)
    posted = messages.Posted(
        id="m1",
        channel="p1/broadcast",
        number=1,
        posted_at=at,
        mentions=(messages.Mention(start=0, end=4, handle="Nat", outcome="unknown"),),
    )
    assert load_response(messages.Posted, dump(posted)) == posted


def test_a_response_may_be_longer_than_a_request() -> None:
    person = {"id": "a", "name": "A", "email": "a@b.example", "partner": None}
    many = [person | {"roles": [], "active": True}] * 10_001
    assert len(load_response(projects.People, {"people": many}).people) == 10_001
    with pytest.raises(Refused, match=r"request\.malformed"):
        load(projects.GetPeopleByHandle, {"keys": ["a"] * 10_001})


@pytest.mark.parametrize("method", ALL_METHODS)
def test_every_method_has_shapes_of_documented_dataclasses(
    method: Method[object, object],
) -> None:
    for shape in (method.request, method.response):
        assert is_dataclass(shape)
        assert shape.__doc__
        assert shape.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert all(f.kw_only for f in fields(shape))
    assert method.kinds


def test_arguments_at_their_default_are_not_sent() -> None:
    request = messages.PostMessage(channel="p1/broadcast", key="k1", text="Hello")

    assert arguments(request) == {
        "channel": "p1/broadcast",
        "key": "k1",
        "text": "Hello",
    }


@pytest.mark.parametrize("method", ALL_METHODS)
def test_a_request_with_required_fields_only_survives(
    method: Method[object, object],
) -> None:
    required = {
        f.name: _some(f.type) for f in fields(method.request) if _is_required(f)
    }
    request = method.request(**required)

    assert load(method.request, arguments(request)) == request


def _is_required(field: Field[object]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _some(hint: object) -> object:
    """Return a value for a required field: a text, a number or a list."""
    if hint is int:
        return 1
    return "a" if hint is str else ()


class Unsent(RpcClient):
    """A client that must refuse before anything is sent."""

    def __init__(self) -> None:
        pass

    @override
    def call(self, method: Method[Any, Any], request: Any) -> Any:
        return arguments(request)


# what is wrong, the call, the field that is named
WRONG_TYPES: list[tuple[str, Callable[[Clients], object], str]] = [
    ("a string for a list", lambda c: _put_person(c, roles="dub_portal_user"), "roles"),
    ("bytes for a list", lambda c: _put_person(c, roles=b"ab"), "roles"),
    ("nothing for a list", lambda c: _put_person(c, roles=None), "roles"),
    ("a number for a list", lambda c: _put_person(c, roles=5), "roles"),
    ("bytes for a text", lambda c: c.messages.edit(message="m", text=b"x"), "text"),  # type: ignore[arg-type]
    ("a number for a text", lambda c: c.search.find(query=5), "query"),  # type: ignore[arg-type]
    ("a boolean for a number", lambda c: c.search.find(query="a", limit=True), "limit"),
    ("a text for a number", lambda c: c.search.find(query="a", limit="1"), "limit"),  # type: ignore[arg-type]
    ("a number in a list", lambda c: c.messages.unread(projects=["p1", 5]), "projects"),  # type: ignore[list-item]
    (
        "a string for ids",
        lambda c: c.messages.get_messages(message_ids="m1"),
        "message_ids",
    ),  # type: ignore[arg-type]
]


def _put_person(clients: Clients, roles: Any) -> object:
    return clients.projects.put_person(
        id="x", name="X", email="x@y.example", internal=True, roles=roles
    )


@pytest.mark.parametrize(
    ("call", "field"), [pytest.param(*row[1:], id=row[0]) for row in WRONG_TYPES]
)
def test_a_client_refuses_a_value_of_another_type(
    call: Callable[[Clients], object], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        call(Clients(Unsent()))
    assert refused.value.code == "request.malformed"
    assert list(refused.value.detail["fields"]) == [field]
    assert f"({field})" in str(refused.value)


def test_any_collection_but_a_string_is_a_list() -> None:
    for roles in (["a"], ("a",), {"a"}, frozenset({"a"}), {"a": 1}.keys()):
        sent: Any = _put_person(Clients(Unsent()), roles=roles)
        assert sent["roles"] == ("a",)


WITH_LIMIT = [
    pytest.param(one.values[0], id=one.id)
    for one in ALL_METHODS
    if "limit" in {f.name for f in fields(one.values[0].request)}
]


@pytest.mark.parametrize("method", WITH_LIMIT)
@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_malformed(
    method: Method[object, object], limit: int
) -> None:
    required = {
        f.name: _some(f.type) for f in fields(method.request) if _is_required(f)
    }
    with pytest.raises(Refused) as refused:
        load(method.request, required | {"limit": limit})
    assert list(refused.value.detail["fields"]) == ["limit"]
    assert load(method.request, required | {"limit": 1_000_000})


def test_a_request_that_no_service_would_read_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Refused) as refusal:
        arguments(
            messages.PostMessage(channel="p1/broadcast", text="x" * 5_000_000, key="k")
        )

    assert refusal.value.code == "request.malformed"
    assert refusal.value.detail == {"max_bytes": MAX_REQUEST_BYTES}
