"""What browsers are told with each response, and what scripts may do (ASVS V3, V7)."""

import re
from collections.abc import Callable
from importlib.resources import files

import pytest

from clp_portal.http.headers import response_headers
from clp_portal.routes import ROUTES
from clp_portal.web import Area
from clp_suite import EmbeddedSuite
from clp_suite.development_sign_in import DevelopmentSignIn
from clp_suite.sample_data import CAST
from tests.services.portal.browser import Browser, Response
from tests.services.portal.conftest import NORTH

Open = Callable[..., Browser]
SCRIPTS = {
    item.name: item.read_text()
    for item in (files("clp_portal") / "static" / "js").iterdir()
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TYPES = {
    ("text/html", "utf-8"), ("text/plain", "utf-8"),
    ("application/json", ""), ("application/problem+json", ""),
}  # fmt: skip
SHOWN = tuple(
    sorted(
        {
            route.path.replace("<project>", "p1").replace("<partner>", "north")
            for route in ROUTES
            if route.method == "GET" and route.area is not Area.STREAM
        }
    )
)


@pytest.mark.parametrize("path", SHOWN)
@pytest.mark.parametrize("person", ["nat", None], ids=["signed in", "nobody"])
def test_every_response_has_the_headers_of_a_page(
    browser: Open, path: str, person: str | None
) -> None:
    response = browser(person).send("GET", re.sub("<[^>]+>", "1", path))
    assert response.status < 500
    assert set(response.headers["Content-Security-Policy"].split("; ")) == POLICY
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    kind, _, coding = response.headers["Content-Type"].partition("; charset=")
    assert (kind, coding) in TYPES


def test_a_download_is_an_attachment_in_a_sandbox(
    browser: Open, suite: EmbeddedSuite
) -> None:
    file = suite.files("nat").upload(channel=NORTH, name="a.csv", body=b"a,b\n")
    suite.client("nat").messages.post(channel=NORTH, key="file", attachments=[file])
    response = browser("nat").send("GET", f"/-/attachments/{file}")
    assert response.body == b"a,b\n"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-store"


def test_behind_https_browsers_are_told_to_stay_there() -> None:
    name = "Strict-Transport-Security"
    secure = response_headers("https://portal.example", provider="")
    assert secure[name] == "max-age=31536000"
    assert name not in response_headers("http://127.0.0.1:8080", provider="")


def test_a_form_may_lead_to_the_provider_and_nowhere_else() -> None:
    headers = response_headers("https://p.example", provider="https://id.example/realm")
    policy = headers["Content-Security-Policy"].split("; ")
    assert "form-action 'self' https://id.example" in policy


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_other_origin_is_let_in(browser: Open, origin: str) -> None:
    for path in ("/", "/-/api/me", "/-/api/openapi.json"):
        response = browser("nat").send("GET", path, headers={"Origin": origin})
        assert not [name for name in response.headers if "Access-Control" in name]


def raw_cookies(response: Response) -> list[str]:
    return [v for k, v in response.headers.items() if k.lower() == "set-cookie"]


def test_every_cookie_is_for_the_server_only(browser: Open) -> None:
    signing_in = browser().submit("/-/sign-in", [("person", "nat")])
    noticed = browser("nat").submit("/-/mail-settings", [("default", "daily")])
    found = [*raw_cookies(signing_in), *raw_cookies(noticed)]
    assert len(found) == 2
    for cookie in found:
        assert cookie.startswith("__Host-clp")
        for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert attribute in cookie
        assert "Domain" not in cookie
        assert len(cookie) < 4096


def test_no_token_reaches_the_browser(browser: Open) -> None:
    somebody = browser("nat")
    seen = "".join(somebody.get(path).text for path in ("/", f"/{NORTH}", "/-/api/me"))
    cookies = "".join(somebody.cookies.values())
    # A token of JSON, signed or not, begins with an encoded brace.
    assert "eyJ" not in seen + cookies


def test_every_page_has_a_way_to_sign_out(browser: Open) -> None:
    for path in ("/", f"/{NORTH}", "/-/help", "/-/mail-settings", "/nothing/here"):
        assert 'action="/-/sign-out"' in browser("nat").get(path).text


def test_a_get_changes_nothing(browser: Open, suite: EmbeddedSuite) -> None:
    ivy = suite.client("ivy")
    ivy.messages.post(channel=NORTH, key="get", text="Stays as it is.")

    def stored() -> str:
        return repr(
            (
                ivy.messages.page(channel=NORTH),
                ivy.messages.unread(projects=["p1"]),
                ivy.projects.my_projects(),
                ivy.notifications.mail_settings(),
                ivy.notifications.my_tickets(),
            )
        )

    before, somebody = stored(), browser("ivy")
    for path in SHOWN:
        address = re.sub("<[^>]+>", "1", path)
        somebody.send("GET", f"{address}?action=delete&following=0&default=off")
    assert stored() == before


def test_a_leaver_sees_one_page_and_nothing_else(
    browser: Open, suite: EmbeddedSuite
) -> None:
    sam = next(one for one in CAST if one.id == "sam")
    somebody = browser("sam")
    assert somebody.get("/").status == 200
    directory = suite.client(service="directory").projects

    def put(*, active: bool) -> None:
        directory.put_person(
            id=sam.id,
            name=sam.name,
            email=sam.email,
            partner=sam.partner,
            roles=sam.roles,
            active=active,
        )

    put(active=False)
    for path in ("/", "/p1/broadcast", "/-/help", "/-/api/me"):
        response = somebody.get(path)
        assert response.status == 403
        assert "Night Train" not in response.text
    put(active=True)


def test_the_development_sign_in_stays_on_loopback() -> None:
    for broker, address in (
        ("amqp://broker", "127.0.0.1:1"),
        ("inprocess://1", "0.0.0.0:1"),
        ("inprocess://1", "portal.example:1"),
    ):
        with pytest.raises(ValueError, match="development"):
            DevelopmentSignIn((), broker_url=broker, http_address=address)


def test_scripts_parse_html_in_one_place_only() -> None:
    parsing = re.compile(
        r"innerHTML|outerHTML\s*=|insertAdjacentHTML|DOMParser|setHTML|document\.write"
    )
    assert [name for name, text in SCRIPTS.items() if parsing.search(text)] == [
        "http.js"
    ]


def test_scripts_hear_no_other_window() -> None:
    for name, text in SCRIPTS.items():
        assert "window.open" not in text, name
        assert ".opener" not in text, name
        for source in re.findall(r'(\S+)\.addEventListener\("message"', text):
            assert source in {"this.air", "source"}, name
