"""For everybody: without scripts, by keyboard, on a phone, dark, right to left."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import READY, Open

pytestmark = pytest.mark.browser

NORTH = "/p1/direct/north"
PAGES = {
    "my projects": "/",
    "nothing followed": "/",
    "conversation": NORTH,
    "broadcast": "/p1/broadcast",
    "empty channel": "/p3/direct/north",
    "message": f"{NORTH}/3",
    "editing": f"{NORTH}/1?edit=1",
    "deleting": f"{NORTH}/1?delete=1",
    "search": f"{NORTH}?q=scene",
    "nothing found": f"{NORTH}?q=giraffe",
    "find projects": "/-/projects?q=n",
    "mail settings": "/-/mail-settings",
    "help": "/-/help",
    "no access": "/",
    "api": "/-/api",
    "problem": "/-/problems/text.too_long",
    "not found": "/nothing/here",
    "signed out": "/-/signed-out",
}
WHO = {"nothing followed": "sol", "no access": "lin"}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES)
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found.response["violations"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_barriers(open_page: Open, name: str) -> None:
    page = open_page(WHO.get(name, "nat"), PAGES[name])
    assert violations(page) == []


def test_the_sign_in_has_no_barriers(open_page: Open) -> None:
    assert violations(open_page(None, "/-/sign-in")) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dialogs_and_lists_have_no_barriers(open_page: Open, scheme: str) -> None:
    page = open_page("ivy", NORTH, color_scheme=scheme)
    page.locator("#text").press_sequentially("@n")
    expect(page.get_by_role("option").first).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("#text").fill("")
    page.locator(".actions > a").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator(".account summary").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    message = page.locator(".message", has_text="Yes, it is.")
    message.hover()
    message.locator("summary").click()
    assert violations(page) == []
    message.locator("[data-delete]").click()
    expect(page.get_by_role("dialog")).to_contain_text("Delete this message?")
    assert violations(page) == []


def test_earlier_texts_and_refused_files_have_no_barriers(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page("ivy", "/p2/broadcast")
    page.locator("#text").fill("Before, @Nobody Here.")
    page.keyboard.press("Enter")
    expect(page.locator(".outcomes")).to_be_visible()
    assert violations(page) == []
    message = page.locator(".message").last
    message.hover()
    message.locator("summary").click()
    message.locator("[data-edit]").click()
    message.locator("textarea").fill("After.")
    assert violations(page) == []
    page.keyboard.press("Enter")
    message = page.locator(".message").last
    expect(message.locator(".edited")).to_be_visible()
    message.hover()
    message.locator("summary").click()
    message.locator("[data-dialog]").click()
    dialog = page.get_by_role("dialog", name="Earlier texts")
    expect(dialog).to_contain_text("Before, @Nobody Here.")
    assert violations(page) == []
    page.keyboard.press("Escape")
    file = tmp_path / "tool.exe"
    file.write_bytes(b"MZ")
    page.locator("[data-files]").set_input_files(file)
    expect(page.locator(".upload.refused")).to_be_visible()
    assert violations(page) == []


def test_somebody_signs_in_and_out(open_page: Open) -> None:
    page = open_page(None, "/p1/broadcast")
    page.get_by_role("button", name="Nat Moreau").click()
    page.wait_for_url("**/p1/broadcast")
    page.locator(".account summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out.")
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 390, 768, 1600])
@pytest.mark.parametrize(
    "name", ["my projects", "conversation", "search", "mail settings", "api"]
)
def test_nothing_is_wider_than_the_window(
    open_page: Open, width: int, name: str
) -> None:
    page = open_page("nat", PAGES[name], viewport={"width": width, "height": 740})
    wider = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0


def test_everything_works_by_keyboard(open_page: Open) -> None:
    page = open_page("nat", NORTH)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
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
    page = open_page("nat", NORTH)

    def switch() -> None:
        page.locator(".account summary").click()
        page.get_by_role("button", name="Keyboard").click()
        dialog = page.get_by_role("dialog", name="Keyboard")
        assert violations(page) == []
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
    assert violations(page) == []


def test_a_screen_reader_hears_what_is_new(open_page: Open) -> None:
    page = open_page("wes")
    expect(page.locator("main")).to_match_aria_snapshot(
        """
        - main:
          - heading "My Projects" [level=1]
          - list:
            - listitem
            - listitem
        """
    )
    page = open_page("nat", NORTH)
    expect(page.locator(".conversation-head")).to_match_aria_snapshot(
        """
        - heading "North Dubbing" [level=1]
        - paragraph: The studio and this partner read this.
        - search "Keyword search":
          - searchbox "Keyword search"
        """
    )
    expect(page.locator(".message").first).to_match_aria_snapshot(
        """
        - listitem:
          - paragraph:
            - text: Nat Moreau North Dubbing
            - link
          - text: Is the zebra line still in French?
          - link "Who was told?"
        """
    )
