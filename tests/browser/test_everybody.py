"""For everybody: without scripts, by keyboard, on a phone, dark, right to left."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import violations
from tests.browser.conftest import READY, Open

pytestmark = pytest.mark.browser

NORTH = "/p1/direct/north"


def test_somebody_signs_in_and_out(open_page: Open) -> None:
    page = open_page(None, "/p1/broadcast")
    page.get_by_role("button", name="Nat Moreau").click()
    page.wait_for_url("**/p1/broadcast")
    page.locator(".account summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out.")
    assert violations(page) == []


def test_everything_works_by_keyboard(open_page: Open) -> None:
    page = open_page("nat", NORTH)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    # While it is open nothing behind it takes the focus.
    expect(dialog).to_have_count(0)
    page.locator("#main").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".message").last).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".message").nth(-2)).to_be_focused()
    page.keyboard.press("r")
    expect(page.locator("#text")).to_have_value(re.compile(r"^@\w+ \w+ $"))
    page.locator("#text").fill("")
    page.locator(".message").last.focus()
    page.keyboard.press("/")
    expect(page.locator(".keyword input")).to_be_focused()
    page.keyboard.type("zebra")
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_contain_text("zebra")


def test_the_keys_are_switched_off_and_on_again(open_page: Open) -> None:
    page = open_page("nat", NORTH, alone=True)

    def switch() -> None:
        page.locator(".account summary").click()
        page.get_by_role("button", name="Keyboard").click()
        dialog = page.get_by_role("dialog", name="Keyboard")
        dialog.get_by_label("Use these keys").click()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.reload()
        page.wait_for_selector(READY, state="attached")
        page.locator("#main").focus()
        page.keyboard.press("/")

    switch()
    expect(page.locator("#main")).to_be_focused()
    switch()
    expect(page.locator(".keyword input")).to_be_focused()


def test_everything_works_without_scripts(open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("a,b\n")
    page = open_page("nat", NORTH, scripts=False)
    page.locator("#text").fill("Written without a script. @Nia Roux")
    page.locator("[name=files]").set_input_files(file)
    page.locator(".send").click()
    expect(page.locator(".message").last).to_contain_text("Written without a script.")
    expect(page.locator(".message").last).to_contain_text("plain.csv")
    expect(page.locator(".outcomes")).to_contain_text("Nia Roux will be told.")
    page.locator(".message").last.locator(".actions > a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who was told, and why")
    page.goto(NORTH)
    page.locator(".keyword input").fill("script")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    page.goto("/")
    page.get_by_role("button", name="Unfollow Paper Moon").click()
    expect(page.get_by_text("Paper Moon")).to_have_count(0)
    page.locator(".find input").fill("paper")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Follow Paper Moon").click()
    expect(page.get_by_role("button", name="Unfollow Paper Moon")).to_be_visible()


def test_a_channel_opens_at_its_end_without_scripts(open_page: Open) -> None:
    page = open_page(
        "ian", NORTH, scripts=False, viewport={"width": 800, "height": 500}
    )
    page.goto(f"{NORTH}?latest=1")
    expect(page.locator(".message").last).to_be_in_viewport()
    expect(page.locator(".message").first).not_to_be_in_viewport()


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Diffusion générale"), ("ja", "全体連絡"), ("ar", "بث عام")],
)
def test_pages_speak_the_language_of_the_browser(
    open_page: Open, language: str, words: str
) -> None:
    page = open_page("nat", NORTH, locale=language)
    expect(page.locator(".channels")).to_contain_text(words)
    sidebar = page.locator(".sidebar").bounding_box()
    assert sidebar is not None
    assert (sidebar["x"] > 600) == (language == "ar")
    if language == "ar":
        assert violations(page) == []
