"""The portal as two processes on RabbitMQ and PostgreSQL, with a provider."""

from dataclasses import dataclass, replace

import pytest

from clp_suite.process_suite import ProcessSuite
from tests.journeys.portal_pages import put_night_train
from tests.services.portal.browser import Browser, field_of
from tests.services.portal.openid_provider import OwnProvider
from tests.support.waiting import until

pytestmark = [
    pytest.mark.broker,
    pytest.mark.parametrize("suite", ["processes"], indirect=True),
]

PROJECT = "night-train"
NORTH = f"{PROJECT}/direct/north"
BY_PROVIDER = "/-/sign-out/by-provider"


@dataclass
class Portals:
    """Two processes of the portal, and the provider of both."""

    suite: ProcessSuite
    provider: OwnProvider

    def signed_in(self, person: str) -> Browser:
        """A browser at the first process; its session is at the provider as well."""
        self.provider.person = person
        browser = Browser(self.suite.portal_urls[0])
        assert browser.get("/-/sign-in").status == 200
        return browser

    def at_the_other(self, browser: Browser) -> Browser:
        """The same browser, led to the second process."""
        return replace(browser, url=self.suite.portal_urls[1])


@pytest.fixture(scope="module")
def portals(suite: ProcessSuite, provider: OwnProvider) -> Portals:
    put_night_train(suite, PROJECT)
    return Portals(suite, provider)


def is_signed_in(browser: Browser) -> bool:
    return browser.send("GET", "/").status == 200


def test_two_people_talk_by_two_processes(portals: Portals) -> None:
    nat, ivy = portals.signed_in("nat"), portals.signed_in("ivy")
    ivy.post(f"/{PROJECT}/-/following", following="1", next="/")
    nat = portals.at_the_other(nat)
    page = nat.get(f"/{NORTH}")
    page = nat.upload(
        f"/{NORTH}",
        {"key": field_of(page, "key"), "text": "The sheet, @Ivy Lane."},
        {"cues.csv": b"scene,cue\n1,2\n"},
    )
    assert "Ivy Lane will be told." in page.words
    read = ivy.get(f"/{PROJECT}")
    assert "The sheet, @Ivy Lane" in read.words
    assert "cues.csv" in read.words
    until(lambda: "1 message found" in ivy.get(f"/{NORTH}?q=sheet").words)


def test_a_session_is_known_to_every_process(portals: Portals) -> None:
    browser = portals.signed_in("nia")
    assert is_signed_in(browser)
    assert is_signed_in(portals.at_the_other(browser))
    portals.at_the_other(browser).submit("/-/sign-out", [])
    assert not is_signed_in(browser)


def test_a_logout_told_to_one_process_ends_the_session_at_the_other(
    portals: Portals,
) -> None:
    ended, kept = portals.signed_in("nat"), portals.signed_in("nat")
    token = portals.provider.logout_token(portals.provider.sessions[-2])
    told = Browser(portals.suite.portal_urls[1]).send(
        "POST",
        BY_PROVIDER,
        body=f"logout_token={token}".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert told.status == 200, told.text
    assert not is_signed_in(ended)
    assert not is_signed_in(portals.at_the_other(ended))
    assert is_signed_in(kept)


def test_an_operator_ends_the_sessions_of_every_process(portals: Portals) -> None:
    first, second = portals.signed_in("sam"), portals.signed_in("sam")
    other = portals.signed_in("nia")
    count = portals.suite.client(service="operations").portal.end_sessions(person="sam")
    assert count.count == 2
    assert not is_signed_in(first)
    assert not is_signed_in(portals.at_the_other(second))
    assert is_signed_in(other)


def test_a_lost_service_keeps_the_text_and_its_key(portals: Portals) -> None:
    nat = portals.signed_in("nat")
    key = field_of(nat.get(f"/{NORTH}"), "key")
    portals.suite.kill("messages.0")
    lost = nat.upload(f"/{NORTH}", {"key": key, "text": "Not lost."}, {})
    assert lost.status == 503
    assert "cannot be reached" in lost.words
    assert "Traceback" not in lost.text
    script = nat.submit_by_script(f"/{NORTH}", key=key, text="Not lost.", action="post")
    assert script.json["code"] == "service.unavailable"
    portals.suite.restart("messages.0")
    until(lambda: nat.get(f"/{NORTH}").status == 200, seconds=120)
    for _ in range(2):
        nat.post(f"/{NORTH}", key=key, text="Not lost.")
    assert nat.get(f"/{NORTH}").words.count("Not lost.") == 1
