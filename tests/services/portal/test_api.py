"""The JSON API: every method for people has an address, described and used."""

import json
from collections.abc import Callable
from types import ModuleType

import pytest
from openapi_spec_validator import validate

from clp_contracts import messages, notifications, projects, search
from clp_contracts.methods import Method, PassportKind
from clp_portal.api.openapi import openapi
from clp_portal.api.routes import OPERATIONS
from clp_portal.routes import ROUTES
from clp_portal.web import Area, Body
from tests.services.portal.browser import Browser
from tests.services.portal.conftest import NORTH

Open = Callable[..., Browser]
MESSAGES = f"/-/api/channels/{NORTH}/messages"


def methods_for_people(contract: ModuleType) -> set[str]:
    return {
        f"{method.service}.{method.name}"
        for method in vars(contract).values()
        if isinstance(method, Method) and PassportKind.PERSON in method.kinds
    }


def test_every_method_for_people_has_an_address() -> None:
    served = {f"{one.method.service}.{one.method.name}" for one in OPERATIONS}
    wanted: set[str] = set()
    for contract in (messages, notifications, projects, search):
        wanted |= methods_for_people(contract)
    assert served == wanted


def test_the_description_is_valid_openapi() -> None:
    validate(json.loads(json.dumps(openapi())))


def test_every_operation_is_described_and_served() -> None:
    described = {
        (verb.upper(), path)
        for path, verbs in openapi()["paths"].items()
        for verb in verbs
    }
    served = {
        (route.method, route.path.replace("<path:channel>", "<channel>"))
        for route in ROUTES
        if route.area is Area.API
    }
    assert {
        (verb, path.replace("{", "<").replace("}", ">")) for verb, path in described
    } == served
    ids = [
        one["operationId"]
        for verbs in openapi()["paths"].values()
        for one in verbs.values()
    ]
    assert len(set(ids)) == len(ids)


def test_no_route_that_changes_something_takes_a_link() -> None:
    for route in ROUTES:
        if route.method == "GET":
            assert route.body is Body.NONE, route.path


def test_the_description_is_served(browser: Open) -> None:
    response = browser().get("/-/api/openapi.json")
    assert response.json == json.loads(json.dumps(openapi()))
    page = browser("nat").get("/-/api")
    assert "Post a message" in page.text


def test_a_message_is_posted_once_however_often(browser: Open) -> None:
    somebody = browser("nat")
    first, again = (
        somebody.call("POST", MESSAGES, {"text": "By a program."}, Idempotency_Key="k1")
        for _ in range(2)
    )
    assert first.status == again.status == 201
    assert first.json == again.json
    other = somebody.call("POST", MESSAGES, {"text": "Other."}, Idempotency_Key="k1")
    assert (other.status, other.json["code"]) == (422, "idempotency_key.reused")


def test_without_a_key_nothing_is_posted(browser: Open) -> None:
    response = browser("nat").call("POST", MESSAGES, {"text": "No key."})
    assert response.status == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json["fields"] == {"Idempotency-Key": ["missing header"]}


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {"text": 7},
        {"text": "x", "author": "ivy"},
        {"text": "x", "key": "in the body"},
        {"text": "x", "channel": "p1/broadcast"},
        {"attachments": "x"},
    ],
)
def test_a_malformed_body_is_refused_by_field(browser: Open, body: object) -> None:
    response = browser("nat").call("POST", MESSAGES, body, Idempotency_Key="k2")
    assert response.status == 400
    assert response.json["code"] == "request.malformed"
    assert response.json["fields"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(browser: Open, body: bytes) -> None:
    response = browser("nat").send(
        "POST",
        MESSAGES,
        body=body,
        headers={
            "Content-Type": "application/json",
            "Idempotency-Key": "k3",
            "Sec-Fetch-Site": "same-origin",
        },
    )
    assert response.status == 400
    assert response.json["code"] == "request.malformed"


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", ""]
)
def test_a_form_of_another_site_cannot_speak_json(
    browser: Open, media_type: str
) -> None:
    response = browser("nat").send(
        "POST",
        MESSAGES,
        body=b'{"text": "Hello"}',
        headers={"Content-Type": media_type, "Idempotency-Key": "k4"},
    )
    assert response.status == 415


def test_a_body_without_an_end_is_refused(browser: Open) -> None:
    response = browser("nat").send(
        "POST",
        MESSAGES,
        body=b'{"text": "' + b"x" * (1024 * 1024) + b'"}',
        headers={"Content-Type": "application/json", "Idempotency-Key": "k5"},
    )
    assert response.status == 413


def test_an_edit_names_the_revision_that_it_replaces(browser: Open) -> None:
    somebody = browser("nat")
    posted = somebody.call(
        "POST", MESSAGES, {"text": "One."}, Idempotency_Key="to-be-edited"
    ).json
    address = f"/-/api/messages/{posted['id']}"
    edited = somebody.call("PUT", address, {"text": "Two."}, If_Match='"1"')
    assert edited.status == 200
    assert edited.headers["Etag"] == '"2"'
    stale = somebody.call("PUT", address, {"text": "Three."}, If_Match='"1"')
    assert (stale.status, stale.json["code"]) == (412, "message.changed")
    assert somebody.call("PUT", address, {"text": "x"}, If_Match="2").status == 400
    anyhow = somebody.call("PUT", address, {"text": "Four."}, If_Match="*")
    assert (anyhow.status, anyhow.headers["Etag"]) == (200, '"3"')


def test_pages_are_linked(browser: Open) -> None:
    somebody = browser("nat")
    for number in range(5):
        somebody.call(
            "POST", MESSAGES, {"text": f"{number}"}, Idempotency_Key=f"link-{number}"
        )
    page = somebody.call("GET", f"{MESSAGES}?limit=2")
    assert [len(page.json["messages"]), page.json["more_before"]] == [2, True]
    link = page.headers["Link"]
    assert (
        link == f'<{MESSAGES}?before={page.json["messages"][0]["number"]}>; rel="prev"'
    )
    assert somebody.call("GET", link[1 : link.index(">")]).status == 200


@pytest.mark.parametrize("query", ["before=x", "limit=-1", "before=1&limit=ten"])
def test_a_query_that_is_no_number_is_refused(browser: Open, query: str) -> None:
    response = browser("nat").call("GET", f"{MESSAGES}?{query}")
    assert response.json["code"] == "request.malformed"


@pytest.mark.parametrize(
    ("latest", "taken"), [("1", True), ("false", True), ("yes", False), ("", False)]
)
def test_a_truth_value_of_a_query_is_one_or_refused(
    browser: Open, latest: str, *, taken: bool
) -> None:
    path = f"/-/api/conversation?channel={NORTH}&latest={latest}"
    response = browser("nat").call("GET", path)
    if taken:
        assert response.status == 200
    else:
        assert response.json["code"] == "request.malformed"
        assert list(response.json["fields"]) == ["latest"]


def test_without_a_session_there_is_a_problem_and_no_page(browser: Open) -> None:
    response = browser().call("GET", MESSAGES)
    assert response.status == 401
    assert response.json["code"] == "session.missing"
    assert "Location" not in response.headers


def test_a_partner_cannot_post_a_broadcast(browser: Open) -> None:
    response = browser("nat").call(
        "POST",
        "/-/api/channels/p1/broadcast/messages",
        {"text": "Hello all"},
        Idempotency_Key="b",
    )
    assert (response.status, response.json["code"]) == (403, "broadcast.internal_only")


def test_an_upload_is_refused_before_it_is_whole(browser: Open) -> None:
    somebody = browser("nat")
    response = somebody.send(
        "POST",
        f"/-/api/channels/{NORTH}/attachments?name=tool.exe",
        body=b"MZ" + b"\x00" * 5_000_000,
        headers={
            "Content-Type": "application/octet-stream",
            "Sec-Fetch-Site": "same-origin",
        },
    )
    assert response.status == 415
    assert response.json["code"] == "attachment.type_refused"
    assert somebody.call("GET", "/-/api/me").json["id"] == "nat"


def test_every_problem_has_a_page(browser: Open) -> None:
    page = browser().get("/-/problems/text.too_long")
    assert page.status == 200
    assert "10,000 characters" in page.text
    assert browser().get("/-/problems/nothing").status == 404
    assert browser().get("/-/problems/project.missing").status == 404
