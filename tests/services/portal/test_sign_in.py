"""Signing in and out over HTTP: cookies, redirects, sessions, who has no access."""

from collections.abc import Callable

import pytest

from clp_suite import EmbeddedSuite
from tests.services.portal.browser import Browser

Open = Callable[..., Browser]
ATTRIBUTES = {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


def test_without_a_session_every_page_leads_to_the_sign_in(browser: Open) -> None:
    for path in ("/", "/p1", "/p1/broadcast", "/-/mail-settings", "/nothing/here"):
        response = browser().send("GET", path)
        assert response.status == 303
        assert response.headers["Location"].startswith("/-/sign-in")


def test_the_sign_in_leads_back_to_where_one_wanted_to_go(browser: Open) -> None:
    somebody = browser()
    page = somebody.get("/p1/direct/north")
    assert page.url.startswith("/-/sign-in?next=")
    response = somebody.submit(
        "/-/sign-in", [("person", "nat"), ("next", "/p1/direct/north")]
    )
    assert response.headers["Location"] == "/p1/direct/north"


def test_the_sign_in_leads_to_no_other_site(browser: Open) -> None:
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example"):
        response = browser().submit(
            "/-/sign-in", [("person", "nat"), ("next", elsewhere)]
        )
        assert response.headers["Location"] == "/"


def test_the_cookie_is_bound_to_this_host(browser: Open) -> None:
    response = browser().submit("/-/sign-in", [("person", "nat")])
    cookies = response.headers["Set-Cookie"]
    assert cookies.startswith("__Host-clp")
    session = next(c for c in [cookies] if "__Host-clp" in c)
    assert {part.strip() for part in session.split(";")[1:]} >= ATTRIBUTES
    assert "Domain" not in session


def test_a_session_id_is_new_at_each_sign_in(browser: Open) -> None:
    somebody = browser("nat")
    before = dict(somebody.cookies)
    somebody.submit("/-/sign-in", [("person", "nat")])
    assert somebody.cookies["__Host-clp"] != before["__Host-clp"]
    stale = Browser(somebody.url, cookies=before)
    assert stale.send("GET", "/").status == 303


def test_a_session_id_that_was_made_up_opens_nothing(browser: Open) -> None:
    somebody = browser()
    somebody.cookies["__Host-clp"] = "A" * 43
    assert somebody.send("GET", "/").status == 303


def test_signing_out_ends_the_session_and_clears_the_browser(browser: Open) -> None:
    somebody = browser("nat")
    kept = dict(somebody.cookies)
    response = somebody.submit("/-/sign-out", [])
    assert response.status == 303
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "__Host-clp" not in somebody.cookies
    assert Browser(somebody.url, cookies=kept).send("GET", "/").status == 303


def test_signing_out_without_a_session_is_fine(browser: Open) -> None:
    assert browser().submit("/-/sign-out", []).status == 303


def test_the_operator_ends_all_sessions_of_a_person(
    browser: Open, suite: EmbeddedSuite
) -> None:
    tabs = [browser("wes"), browser("wes")]
    other = browser("nat")
    ended = suite.client(service="operations").portal.end_sessions(person="wes")
    assert ended.count == 2
    assert [tab.send("GET", "/").status for tab in tabs] == [303, 303]
    assert other.send("GET", "/").status == 200


def test_a_linguist_sees_which_role_opens_the_portal_and_nothing_else(
    browser: Open,
) -> None:
    somebody = browser("lin")
    for path in ("/", "/p1", "/p1/broadcast", "/-/projects?q=night", "/-/help"):
        page = somebody.get(path)
        assert page.status == 403
        assert "dub_portal_user" in page.text
        assert "Night Train" not in page.text


def test_a_form_after_the_session_says_so_and_does_nothing(
    browser: Open, suite: EmbeddedSuite
) -> None:
    before = suite.client("ivy").messages.page(channel="p1/direct/north")
    response = browser().submit(
        "/p1/direct/north", [("text", "Hello"), ("key", "after-the-session")]
    )
    assert response.status == 401
    assert "Your session is over" in response.text
    after = suite.client("ivy").messages.page(channel="p1/direct/north")
    assert after == before


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/-/sign-in", b"person=nat"),
        ("/-/sign-out", b""),
        ("/p1/-/following", b"following=0"),
        ("/p1/direct/north", b"text=Hello&key=foreign"),
        ("/-/mail-settings", b"default=off"),
        ("/-/help", b"summary=Hello&key=foreign"),
    ],
)
def test_no_other_site_can_send_a_form(
    browser: Open, site: str, path: str, body: bytes
) -> None:
    somebody = browser("nat")
    cookies = dict(somebody.cookies)
    response = somebody.send(
        "POST",
        path,
        body=body,
        headers={
            "Sec-Fetch-Site": site,
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert response.status == 403
    assert somebody.cookies == cookies


def test_every_page_bears_the_banner_of_the_development_sign_in(browser: Open) -> None:
    somebody = browser("nat")
    for path in ("/", "/p1/broadcast", "/-/mail-settings", "/nothing"):
        assert "anybody can be anybody" in somebody.get(path).text
