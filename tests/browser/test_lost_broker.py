"""RabbitMQ is stopped under running processes, and comes back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import READY, listening, serving
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NORTH = "/p1/direct/north"
CALL_MS = 60_000
SERVER_S = 120.0


def test_a_text_is_kept_while_the_broker_is_away(
    chromium: Browser, complaints: list[str], tmp_path: Path
) -> None:
    with serving("tests.browser.servers_world", str(tmp_path)) as url:
        page, other = (new_page(chromium, url) for _ in range(2))
        with listening(page, complaints), listening(other, complaints):
            sign_in(page)
            sign_in(other)
            stop, stopped = tmp_path / "stop", tmp_path / "stopped"
            stop.touch()
            until(stopped.exists, SERVER_S)
            require_kept(page)

            stop.unlink()
            until(lambda: not stopped.exists(), SERVER_S)
            until(lambda: is_served(page), SERVER_S)
            require_sent_once(page)
            # Live again, in a browser that was left alone.
            expect(other.get_by_text("Not lost.")).to_have_count(1, timeout=CALL_MS)
        page.context.close()
        other.context.close()


def new_page(chromium: Browser, url: str) -> Page:
    context = chromium.new_context(base_url=url, reduced_motion="reduce")
    context.set_default_timeout(CALL_MS)
    return context.new_page()


def sign_in(page: Page) -> None:
    """Go through the provider, which asks nothing."""
    page.goto(f"/-/sign-in?next={NORTH}")
    page.wait_for_url(f"**{NORTH}")
    page.wait_for_selector(READY, state="attached")


def is_served(page: Page) -> bool:
    response = page.goto(NORTH)
    return response is not None and response.ok


def require_kept(page: Page) -> None:
    """Sending says why not, and so does the page; the text stays."""
    page.locator("#text").fill("Not lost.")
    page.keyboard.press("Enter")
    failed = page.locator(".message.failed")
    expect(failed).to_contain_text("cannot be reached", timeout=CALL_MS)
    expect(failed.get_by_role("button", name="Send again")).to_be_visible()
    assert not is_served(page)
    expect(page.get_by_role("main")).to_contain_text("cannot be reached")
    expect(page.get_by_role("main")).not_to_contain_text("Traceback")
    assert violations(page) == []


def require_sent_once(page: Page) -> None:
    """The text is there after the page is drawn anew, and sent with its key."""
    page.wait_for_selector(READY, state="attached")
    expect(page.locator("#text")).to_have_value("Not lost.")
    page.locator("#text").press("Enter")
    expect(page.locator(".message.waiting")).to_have_count(0, timeout=CALL_MS)
    page.reload()
    expect(page.get_by_text("Not lost.")).to_have_count(1)
    expect(page.locator("#text")).to_have_value("")
