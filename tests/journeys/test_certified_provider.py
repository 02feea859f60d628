"""The portal with npm's certified ``oidc-provider``: sign-in, and logout both ways.

``make portal-provider`` installs it and runs these tests.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from clp_suite.process_suite import ProcessSuite
from clp_suite.server_process import free_ports
from tests.journeys.portal_pages import put_night_train
from tests.journeys.suites import process_suite
from tests.services.portal.browser import Browser, Response
from tests.support.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.provider]

FOLDER = os.environ.get("TESTS_PROVIDER_FOLDER", "")
PROGRAM = Path(__file__).parents[1] / "services/portal/provider/provider.mjs"
REDIRECTS = frozenset({302, 303})
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
ACTION = re.compile(r'action="([^"]+)"')


@dataclass
class Certified:
    """Two processes of the portal and the provider, as one browser sees them."""

    suite: ProcessSuite
    issuer: str

    def browser(self) -> Browser:
        return Browser(self.suite.portal_urls[0])

    def follow(self, browser: Browser, response: Response) -> Response:
        """Follow redirects across both hosts; a fragment stays in the browser."""
        at = response.url
        while response.status in REDIRECTS:
            at = urljoin(urljoin(browser.url, at), response.headers["Location"])
            response = browser.send("GET", at.partition("#")[0])
        return replace(response, url=at)

    def submit(self, browser: Browser, page: Response, **fields: str) -> Response:
        """Send the form of a page of the provider."""
        action = ACTION.search(page.text)
        assert action is not None, page.text
        hidden = dict(HIDDEN.findall(page.text))
        address = urljoin(page.url, unescape(action[1]))
        sent = browser.submit(address, {**hidden, **fields}.items())
        return self.follow(browser, sent)

    def sign_in(self, browser: Browser, person: str) -> Response:
        """Sign in at the provider, and let the portal know who it is."""
        page = self.follow(browser, browser.send("GET", "/p1/broadcast"))
        assert page.url.startswith(self.issuer), page.text
        page = self.submit(browser, page, login=person, password="any")
        return self.submit(browser, page)

    def is_signed_in(self, browser: Browser) -> bool:
        """Whether both processes of the portal know the session."""
        seen = {
            replace(browser, url=url).send("GET", "/").status == 200
            for url in self.suite.portal_urls
        }
        assert len(seen) == 1
        return seen.pop()


@pytest.fixture(scope="module")
def certified(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Certified]:
    suite = process_suite(request, tmp_path_factory.mktemp("certified"), portals=2)
    (port,) = free_ports(1)
    command = ["node", str(PROGRAM), str(Path(FOLDER).resolve()), str(port)]
    provider = subprocess.Popen(
        [*command, suite.portal_urls[0]], stdout=subprocess.PIPE, text=True
    )
    with provider:
        assert provider.stdout is not None
        assert provider.stdout.readline().strip() == "ready"
        suite.use_provider(f"http://127.0.0.1:{port}")
        with suite:
            put_night_train(suite)
            yield Certified(suite, f"http://127.0.0.1:{port}")
        provider.terminate()


def test_a_person_signs_in_and_comes_back_to_the_page(certified: Certified) -> None:
    browser = certified.browser()
    page = certified.sign_in(browser, "nat")
    assert page.url.endswith("/p1/broadcast")
    assert "Nat Moreau" in page.words
    assert certified.is_signed_in(browser)


def test_the_request_has_pkce_state_and_nonce(certified: Certified) -> None:
    begun = certified.browser().send("GET", "/-/sign-in")
    query = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["response_type"] == ["code"]
    assert {"state", "nonce", "code_challenge"} <= set(query)


def test_what_the_browser_brings_back_works_once(certified: Certified) -> None:
    browser = certified.browser()
    page = certified.follow(browser, browser.send("GET", "/-/sign-in"))
    page = certified.submit(browser, page, login="nia", password="any")
    action = ACTION.search(page.text)
    assert action is not None
    fields = dict(HIDDEN.findall(page.text)).items()
    sent = browser.submit(urljoin(page.url, unescape(action[1])), fields)
    resumed = browser.send("GET", sent.headers["Location"])
    back = resumed.headers["Location"]
    assert "iss=" in back
    state = dict(browser.cookies)
    # Before the code is used: afterwards it is refused whoever is named.
    other = browser.send("GET", back.replace("iss=", "iss=https%3A%2F%2Fevil."))
    assert other.status == 422
    browser.cookies = dict(state)
    assert browser.send("GET", back).status == 303
    browser.cookies = state
    again = browser.send("GET", back)
    assert again.status == 422
    assert "The sign-in did not succeed" in again.words


def test_signing_out_of_the_portal_ends_the_session_at_the_provider(
    certified: Certified,
) -> None:
    browser = certified.browser()
    certified.sign_in(browser, "nat")
    page = certified.follow(browser, browser.submit("/-/sign-out", []))
    assert page.url.startswith(certified.issuer)
    page = certified.submit(browser, page, logout="yes")
    assert "You are signed out." in page.words
    assert not certified.is_signed_in(browser)
    # The provider asks again who it is.
    page = certified.follow(browser, browser.send("GET", "/-/sign-in"))
    assert 'name="login"' in page.text


def test_signing_out_at_the_provider_ends_the_session_at_every_process(
    certified: Certified,
) -> None:
    browser, other = certified.browser(), certified.browser()
    certified.sign_in(browser, "nat")
    certified.sign_in(other, "nat")
    page = browser.send("GET", f"{certified.issuer}/session/end")
    certified.submit(browser, page, logout="yes")
    until(lambda: not certified.is_signed_in(browser))
    assert certified.is_signed_in(other)


def test_a_linguist_is_told_which_role_opens_the_portal(certified: Certified) -> None:
    page = certified.sign_in(certified.browser(), "lin")
    assert page.status == 403
    assert "dub_portal_user" in page.words
