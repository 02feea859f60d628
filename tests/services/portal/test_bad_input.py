"""Requests that are foreign, oversized, malformed, sent twice or hit a lost service.

The rows follow from the table of routes: a new unsafe route is tested or named here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from clp_chassis.http import HttpLimits
from clp_chassis.http.seats import Seats
from clp_contracts.client.rpc_client import RpcClient
from clp_contracts.errors import CallFailed
from clp_portal.http.csrf import SAFE_METHODS
from clp_portal.http.decoding import MAX_FORM_BYTES, MAX_JSON_BYTES
from clp_portal.problems import known_codes
from clp_portal.routes import ROUTES
from clp_portal.web import Area, Body, Route
from clp_suite import EmbeddedSuite
from tests.services.portal.browser import Browser, Response, field_of, words_of
from tests.services.portal.conftest import NORTH, PROJECT

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TRACE = re.compile(r"Traceback|File \"|clp_portal[./]|clp_chassis|\.py\b|<class ")
UNSAFE = tuple(route for route in ROUTES if route.method not in SAFE_METHODS)
BY_PROVIDER = "/-/sign-out/by-provider"


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@dataclass(frozen=True)
class Valid:
    """A request that does something: its body and headers."""

    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


# What each unsafe route takes. Forms that need no value of their own are equal.
POST_FORM = Valid({"action": "post", "text": "Once.", "key": "form-{number}"})
VALID: Mapping[str, Valid] = {
    "POST /<project>/broadcast": POST_FORM,
    "POST /<project>/broadcast/<int:number>": POST_FORM,
    "POST /<project>/direct/<partner>": POST_FORM,
    "POST /<project>/direct/<partner>/<int:number>": POST_FORM,
    "POST /<project>/-/following": Valid({"following": "1", "next": "/"}),
    "POST /-/mail-settings": Valid({"default": "daily", "content": "1"}),
    "POST /-/help": Valid({"summary": "Once.", "urgency": "delays", "key": "h"}),
    "POST /-/sign-in": Valid({"person": "ivy"}),
    "POST /-/sign-out": Valid({}),
    "PUT /-/api/projects/<project>/following": Valid(),
    "DELETE /-/api/projects/<project>/following": Valid(),
    "POST /-/api/channels/<path:channel>/messages": Valid(
        {"text": "Once."}, {"Idempotency-Key": "api"}
    ),
    "PUT /-/api/channels/<path:channel>/read-marker": Valid({"number": 1}),
    "PUT /-/api/messages/<message>": Valid({"text": "Changed."}),
    "DELETE /-/api/messages/<message>": Valid(),
    "PATCH /-/api/mail-settings": Valid({"mode": "off"}),
    "POST /-/api/tickets": Valid({"summary": "Once."}, {"Idempotency-Key": "t"}),
    "POST /-/api/channels/<path:channel>/attachments": Valid(b"a,b\n"),
}
QUERIES: Mapping[str, str] = {
    "POST /-/api/channels/<path:channel>/attachments": "?name=a.csv",
    "GET /-/api/search": "?query=word&project=p1",
    "GET /-/api/unread": "?projects=p1",
}
# They go over HTTP to `messages`, or need nothing but to know who is there.
WITHOUT_CALLS = {
    "POST /-/api/channels/<path:channel>/attachments",
    "GET /-/attachments/<attachment>",
    "GET /-/api",
    "GET /<path:path>",
}
# Its token is signed: tests/services/portal/test_oidc.py.
SIGNED = {f"POST {BY_PROVIDER}"}


def test_every_unsafe_route_has_a_valid_request() -> None:
    assert {name_of(route) for route in UNSAFE} == set(VALID) | SIGNED


@pytest.fixture(scope="module")
def world(suite: EmbeddedSuite) -> Iterator["World"]:
    return World(suite)


@dataclass
class World:
    """The embedded suite, a message to be changed, and what is stored."""

    suite: EmbeddedSuite
    number: int = 0
    # What was stored when it was last looked at; empty after an accepted request.
    seen: str = ""

    def __post_init__(self) -> None:
        posted = self.suite.client("ivy").messages.post(
            channel=NORTH, key="to-be-changed", text="As it was."
        )
        self.message = posted.id
        self.browser = self.signed_in()

    def signed_in(self) -> Browser:
        browser = Browser(self.suite.portal_url)
        browser.submit("/-/sign-in", [("person", "ivy")])
        return browser

    def address(self, route: Route) -> str:
        values = {
            "<project>": PROJECT,
            "<partner>": "north",
            "<int:number>": "1",
            "<message>": self.message,
            "<path:channel>": NORTH,
        }
        address = route.path
        for hole, value in values.items():
            address = address.replace(hole, value)
        return f"{address}{QUERIES.get(name_of(route), '')}"

    def stored(self) -> str:
        """Everything that a request of Ivy could change, as text."""
        ivy = self.suite.client("ivy")
        found = (
            ivy.messages.page(channel=NORTH, limit=100),
            ivy.messages.page(channel=f"{PROJECT}/broadcast", limit=100),
            ivy.messages.unread(projects=[PROJECT]),
            ivy.projects.my_projects(),
            ivy.notifications.mail_settings(),
            ivy.notifications.my_tickets(),
        )
        self.seen = repr(found)
        return self.seen

    def stored_before(self) -> str:
        """The same, known already when all requests since then were refused."""
        return self.seen or self.stored()

    def send(
        self,
        route: Route,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        browser: Browser | None = None,
    ) -> Response:
        sent = {"Sec-Fetch-Site": "same-origin", **headers}
        response = (browser or self.browser).send(
            route.method, self.address(route), body=body, headers=sent
        )
        if response.status < 400:
            self.seen = ""
        return response

    def encoded(self, route: Route) -> tuple[bytes | None, dict[str, str]]:
        """The valid request of a route, each time with the same key."""
        valid = VALID[name_of(route)]
        headers = dict(valid.headers)
        if route.body is Body.STREAM:
            return valid.body, headers
        if route.body is Body.JSON:
            return json.dumps(valid.body).encode(), {"Content-Type": JSON, **headers}
        if route.body is Body.NONE:
            return None, headers
        number = abs(hash(route.path)) % 10**6
        fields = {k: v.format(number=number) for k, v in valid.body.items()}
        return urlencode(fields).encode(), {"Content-Type": FORM}


def require_help(response: Response, *, area: Area) -> None:
    """A problem (RFC 9457) or a page that says what to do, and no trace."""
    assert not TRACE.search(response.text), response.text[:2000]
    assert response.headers["Cache-Control"] == "private, no-store"
    if area is Area.API or "json" in response.headers["Content-Type"]:
        assert response.headers["Content-Type"] == "application/problem+json"
        problem = response.json
        assert problem["status"] == response.status
        assert problem["code"] in known_codes()
        assert problem["type"] == f"/-/problems/{problem['code']}"
        assert problem["title"].endswith(".")
    else:
        page = words_of(response.text)
        helps = ("My Projects", "Send", "Sign in", "Try again")
        assert any(one in page for one in helps), page


def rows(routes: Iterator[Route] | tuple[Route, ...]) -> Any:
    return pytest.mark.parametrize("route", [*routes], ids=name_of)


@rows(UNSAFE)
@pytest.mark.parametrize(
    "origin",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Accept": JSON},
    ],
    ids=["cross-site", "same-site", "cross-site script"],
)
def test_a_request_of_another_site_does_nothing(
    world: World, route: Route, origin: dict[str, str]
) -> None:
    body, headers = (
        (b"logout_token=x", {"Content-Type": FORM})
        if name_of(route) in SIGNED
        else world.encoded(route)
    )
    before = world.stored_before()
    response = world.send(route, body, headers | origin)
    assert response.status == 403
    require_help(response, area=route.area)
    assert world.stored() == before
    assert world.browser.get("/").status == 200


@rows(tuple(route for route in UNSAFE if route.body is not Body.NONE))
def test_too_much_is_refused_before_it_is_read(world: World, route: Route) -> None:
    limit, kind = {
        Body.FORM: (MAX_FORM_BYTES, FORM),
        Body.JSON: (MAX_JSON_BYTES, JSON),
        Body.STREAM: (10 * 1024 * 1024, "application/octet-stream"),
    }[route.body]
    headers = {"Content-Type": kind, "Idempotency-Key": "large"}
    before = world.stored_before()
    response = world.send(route, b"a" * (limit + 1), headers)
    assert response.status == 413
    require_help(response, area=route.area)
    assert world.stored() == before


MALFORMED: Mapping[Body, Mapping[str, tuple[bytes, dict[str, str]]]] = {
    Body.FORM: {
        "broken multipart": (
            b"--x\r\nno header",
            {"Content-Type": "multipart/form-data; boundary=x"},
        ),
        "many fields": (b"a=b&" * 5000, {"Content-Type": FORM}),
        "no text": (b"\xff\xfe\x00%zz=%", {"Content-Type": FORM}),
        "nothing": (b"", {"Content-Type": FORM}),
        "unknown action": (b"action=explode", {"Content-Type": FORM}),
    },
    Body.JSON: {
        "half": (b'{"text": ', {"Content-Type": JSON}),
        "no object": (b"[]", {"Content-Type": JSON}),
        "unknown field": (b'{"nothing": 1}', {"Content-Type": JSON}),
        "deep": (b"[" * 100_000, {"Content-Type": JSON}),
        "no text": (b"\xff\xfe", {"Content-Type": JSON}),
        "other type": (b"{}", {"Content-Type": "text/plain"}),
        "no type": (b"{}", {}),
        "wrong kinds": (
            b'{"text": 1, "number": "x", "mode": [], "summary": {}}',
            {"Content-Type": JSON},
        ),
    },
    Body.STREAM: {"empty": (b"", {"Content-Type": "application/octet-stream"})},
    Body.NONE: {},
}
# Forms in which nothing is a choice: they change nothing or end what they end.
TAKES_ANYTHING = {
    "POST /<project>/-/following",
    "POST /-/mail-settings",
    "POST /-/sign-out",
}


@pytest.mark.parametrize(
    ("route", "kind"),
    [
        pytest.param(route, kind, id=f"{name_of(route)} {kind}")
        for route in UNSAFE
        for kind in MALFORMED[route.body]
        if name_of(route) not in TAKES_ANYTHING
    ],
)
def test_what_is_malformed_is_refused(world: World, route: Route, kind: str) -> None:
    body, headers = MALFORMED[route.body][kind]
    before = world.stored_before()
    response = world.send(route, body, {"Idempotency-Key": "malformed", **headers})
    assert 400 <= response.status < 500, response.text
    require_help(response, area=route.area)
    assert world.stored() == before


@rows(tuple(r for r in UNSAFE if "sign-" not in r.path and r.body is not Body.STREAM))
def test_what_is_sent_twice_is_done_once(world: World, route: Route) -> None:
    if route.path == "/-/api/messages/<message>":
        world.message = (
            world.suite.client("ivy")
            .messages.post(channel=NORTH, key=f"twice-{route.method}", text="Before.")
            .id
        )
    body, headers = world.encoded(route)
    first = world.send(route, body, headers)
    assert first.status in {200, 201, 303}, first.text
    after = world.stored()
    second = world.send(route, body, headers)
    # What is deleted already is refused, and nothing else happens.
    assert second.status == (
        422 if "DELETE /-/api/m" in name_of(route) else first.status
    )
    assert world.stored() == after


@pytest.mark.parametrize(
    "name",
    [
        "POST /<project>/direct/<partner>",
        "POST /-/api/channels/<path:channel>/messages",
        "POST /-/api/tickets",
    ],
)
def test_a_key_with_other_content_is_refused(world: World, name: str) -> None:
    (route,) = (one for one in UNSAFE if name_of(one) == name)
    body, headers = world.encoded(route)
    assert body is not None
    world.send(route, body, headers)
    before = world.stored_before()
    response = world.send(route, body.replace(b"Once", b"Twice"), headers)
    assert 400 <= response.status < 500
    require_help(response, area=route.area)
    assert world.stored() == before


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/-/api", "GET, HEAD"),
        ("DELETE", "/-/api/me", "GET, HEAD"),
        ("PUT", "/-/api/tickets", "GET, HEAD, POST"),
        ("POST", "/-/api/nothing/here", "GET, HEAD"),
        ("OPTIONS", f"/-/api/channels/{NORTH}/messages", "GET, HEAD, POST"),
        ("POST", "/-/stream", "GET, HEAD"),
    ],
)
def test_a_wrong_verb_is_a_problem_for_programs(
    world: World, method: str, path: str, allowed: str
) -> None:
    for browser in (world.browser, Browser(world.suite.portal_url)):
        response = browser.send(method, path)
        assert (response.status, response.json["code"]) == (405, "verb.refused")
        require_help(response, area=Area.API)
        assert response.headers["Allow"] == allowed
        assert response.json["facts"] == {"verbs": allowed.split(", ")}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", f"/{NORTH}", 405),
        ("PUT", "/-/mail-settings", 405),
        ("POST", "/nothing/at/all/here", 405),
        ("GET", "/-/static/0/js/nothing.js", 404),
    ],
)
def test_what_no_route_takes_is_a_page_for_people(
    world: World, method: str, path: str, status: int
) -> None:
    response = world.browser.send(method, path)
    assert response.status == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    require_help(response, area=Area.PAGE)
    script = world.browser.send(method, path, headers={"Accept": JSON})
    require_help(script, area=Area.API)


def test_nothing_below_the_api_is_a_page(world: World) -> None:
    for path in ("/-/api/nothing", "/-/api/channels/x"):
        missing = world.browser.send("GET", path)
        assert (missing.status, missing.json["code"]) == (404, "path.missing")
        stranger = Browser(world.suite.portal_url).send("GET", path)
        assert (stranger.status, stranger.json["code"]) == (401, "session.missing")


def test_a_full_house_is_a_page_or_a_problem_that_says_when(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Seats.take

    def taken(seats: Seats, key: str) -> bool:
        """Take a seat of a connection, and none of a request."""
        return seats.limit > HttpLimits().max_requests and take(seats, key)

    monkeypatch.setattr(Seats, "take", taken)
    page = world.browser.send("GET", "/?all=1")
    problem = world.browser.send("GET", "/-/api/me")
    require_help(page, area=Area.PAGE)
    require_help(problem, area=Area.API)
    for response in (page, problem):
        assert (response.status, response.headers["Retry-After"]) == (503, "2")
    assert '<a class="button primary" href="/?all=1">' in page.text


def fail(_self: RpcClient, _method: object, _request: object) -> object:
    raise CallFailed("no answer")


@pytest.fixture
def without_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RpcClient, "call", fail)
    # What was asked a moment ago is asked again: a stream would open without a call.
    monkeypatch.setattr("clp_portal.auth.identities.TTL_S", 0.0)


@pytest.mark.usefixtures("without_services")
@rows(
    tuple(
        route
        for route in ROUTES
        if route.area is not Area.PUBLIC and name_of(route) not in WITHOUT_CALLS
    )
)
def test_a_lost_service_is_said_as_such(world: World, route: Route) -> None:
    body, headers = (
        world.encoded(route) if route in UNSAFE else (None, dict[str, str]())
    )
    response = world.send(route, body, headers)
    assert response.status == 503, response.text
    require_unavailable(response)


def require_unavailable(response: Response) -> None:
    assert not TRACE.search(response.text)
    assert response.headers["Retry-After"] == "2"
    if "json" in response.headers["Content-Type"]:
        assert response.json["code"] == "service.unavailable"
    else:
        assert "cannot be reached" in response.words


TEXT = "Not lost: <b>\n\nas it was written."


def test_a_text_is_sent_from_the_page_that_says_that_it_was_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"action": "post", "text": TEXT, "key": "kept"}
    with monkeypatch.context() as lost:
        lost.setattr(RpcClient, "call", fail)
        page = world.browser.submit(f"/{NORTH}", fields.items())
    require_unavailable(page)
    assert text_of(page) == TEXT
    names = re.findall(r'<input type="hidden" name="(\w+)"', page.text)
    again = {name: field_of(page, name) for name in names} | {"text": text_of(page)}
    assert again == fields
    assert f'method="post" action="/{NORTH}"' in page.text
    for _ in range(2):
        sent = world.browser.submit(f"/{NORTH}", again.items())
        assert sent.status == 303
    assert world.stored().count(repr(TEXT)) == 1


def test_a_text_is_kept_when_the_session_is_over(world: World) -> None:
    fields = {"action": "post", "text": TEXT, "key": "kept after the session"}
    page = Browser(world.suite.portal_url).submit(f"/{NORTH}", fields.items())
    assert page.status == 401
    assert text_of(page) == TEXT


def test_files_are_not_left_out_by_trying_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RpcClient, "call", fail)
    fields = {"action": "post", "text": TEXT, "key": "kept with a file"}
    page = world.browser.upload(f"/{NORTH}", fields, {"a.csv": b"a,b"})
    assert page.status == 503
    assert "<textarea" not in page.text
    assert "what you wrote is still there" in page.words


def text_of(page: Response) -> str:
    match = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
    assert match is not None, page.text
    return unescape(match[1])
