"""Live updates: two people, and several tabs of one browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import READY, Open

pytestmark = pytest.mark.browser

NORTH = "/p1/direct/north"
SOUTH = "/p1/direct/south"


def send(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".message").last).to_contain_text(text)


def test_live_messages_edits_and_tombstones_appear_by_themselves(
    open_page: Open,
) -> None:
    nat, ivy = open_page("nat", NORTH), open_page("ivy", NORTH)
    send(ivy, "Live from Ivy.")
    theirs = nat.locator(".message").last
    expect(theirs).to_contain_text("Live from Ivy.")
    expect(nat.locator("#announcer")).to_have_text("Ivy Lane: Live from Ivy.")

    mine = ivy.locator(".message").last
    mine.hover()
    mine.locator("summary").click()
    mine.locator("[data-edit]").click()
    field = mine.locator("textarea")
    field.fill("Edited by Ivy.")
    field.press("Enter")
    expect(nat.locator(".message").last.locator(".text")).to_have_text("Edited by Ivy.")

    mine = ivy.locator(".message").last
    mine.hover()
    mine.locator("summary").click()
    mine.locator("[data-delete]").click()
    ivy.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(nat.locator(".message").last).to_contain_text("This message was deleted.")


def test_live_numbers_change_in_every_tab_over_one_stream(open_page: Open) -> None:
    home = open_page("sam", "/")
    tab = home.context.new_page()
    streams: list[str] = []
    tab.on("request", lambda request: streams.append(request.url))
    tab.goto("/p1/broadcast")
    tab.wait_for_selector(READY, state="attached")
    badge = tab.locator(".channel", has_text="South").locator(".badge")
    before = int(badge.inner_text()) if badge.count() else 0
    ivy = open_page("ivy", SOUTH)
    send(ivy, "Live to South.")
    expect(badge).to_have_text(str(before + 1))
    expect(tab).to_have_title(re.compile(r"^\(\d+\) "))
    expect(home.locator("li.project .badge").first).to_be_visible()
    assert not [url for url in streams if "/-/stream" in url]
