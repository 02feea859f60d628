"""No page and no dialog has a barrier: axe-core, narrow and wide, snapshots."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import (
    cramped,
    expect_snapshot,
    violations,
)
from tests.browser.conftest import READY, Open, World

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
    "refused": "/-/projects?q=n&cursor=broken",
    "signed out": "/-/signed-out",
}
WHO = {"nothing followed": "sol", "no access": "lin"}
# What a screen reader finds on them, all of it.
SNAPSHOTS = {
    "not found": "not-found",
    "refused": "refused",
    "mail settings": "mail-settings",
    "help": "help",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_barriers(open_page: Open, name: str) -> None:
    # Nothing that other tests do is on the pages of Wes.
    person = "wes" if name in SNAPSHOTS else WHO.get(name, "nat")
    page = open_page(person, PAGES[name])
    if snapshot := SNAPSHOTS.get(name):
        expect_snapshot(page.get_by_role("main"), snapshot)
    assert violations(page) == []
    assert cramped(page) == []


def test_what_went_wrong_has_no_barriers(open_page: Open, world: World) -> None:
    page = open_page("nat", NORTH, alone=True)
    page.locator("#text").fill("Written while nobody answers.")
    with world.without_services():
        send_without_a_script(page)
        expect(page.get_by_role("main")).to_contain_text("cannot be reached")
        require_no_barriers(page, "cannot-be-reached")
    page.go_back()
    expect(page.locator("#text")).to_have_value("Written while nobody answers.")

    # A partner's person has no form for this.
    page.locator("form.composer").evaluate(
        "form => form.setAttribute('action', '/p1/broadcast')"
    )
    send_without_a_script(page)
    said = page.get_by_role("alert")
    expect(said).to_have_text("Only the studio writes in the broadcast.")
    assert violations(page) == []

    page.goto(NORTH)
    page.context.clear_cookies()
    page.locator("#text").fill("Written after the session.")
    send_without_a_script(page)
    require_no_barriers(page, "session-over")


def send_without_a_script(page: Page) -> None:
    """Send the form of a message as a browser without scripts does."""
    with page.expect_navigation():
        page.locator("form.composer").evaluate(
            "form => HTMLFormElement.prototype.submit.call(form)"
        )
    page.wait_for_selector(READY, state="attached")


def require_no_barriers(page: Page, name: str) -> None:
    expect_snapshot(page.get_by_role("main"), name)
    assert violations(page) == []
    assert cramped(page) == []


def test_the_sign_in_has_no_barriers(open_page: Open) -> None:
    require_no_barriers(open_page(None, "/-/sign-in"), "sign-in")


def test_dialogs_and_lists_have_no_barriers(open_page: Open) -> None:
    page = open_page("ivy", NORTH)
    page.locator("#text").press_sequentially("@n")
    expect(page.get_by_role("option").first).to_be_visible()
    expect_snapshot(page.get_by_role("listbox"), "names")
    assert violations(page, ".composer") == []
    page.keyboard.press("Escape")
    page.locator("#text").fill("")
    page.locator(".account summary").click()
    expect_snapshot(page.locator(".account"), "account")
    assert violations(page, ".account") == []
    page.keyboard.press("Escape")
    message = page.locator(".message", has_text="Yes, it is.")
    message.hover()
    message.locator("summary").click()
    expect_snapshot(message.locator(".menu"), "menu-of-a-message")
    assert violations(page, ".message:has([open])") == []
    message.locator("[data-delete]").click()
    dialog = page.get_by_role("dialog", name="Delete this message?")
    expect_snapshot(dialog, "delete-a-message")
    assert violations(page, "dialog") == []


@pytest.mark.parametrize(("person", "name"), [("ivy", "studio"), ("nat", "partner")])
def test_who_was_told_has_no_barriers(open_page: Open, person: str, name: str) -> None:
    page = open_page(person, NORTH)
    message = page.locator(".message", has_text="is it “the night train”")
    message.locator(".actions > a").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Who was told, and why")
    expect_snapshot(dialog, f"who-was-told-{name}")
    assert violations(page, "dialog") == []


def test_keys_and_their_switch_have_no_barriers(open_page: Open) -> None:
    page = open_page("nat", NORTH)
    page.keyboard.press("?")
    expect_snapshot(page.get_by_role("dialog", name="Keyboard"), "keyboard")
    assert violations(page, "dialog") == []


def test_what_was_sent_and_changed_has_no_barriers(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page("ivy", "/p2/broadcast")
    page.locator("#text").fill("Before, @Zoe Here. @Nat Moreau, look.")
    page.keyboard.press("Enter")
    expect(page.locator(".outcomes")).to_be_visible()
    expect_snapshot(page.locator(".outcomes"), "outcomes")
    assert violations(page, ".outcomes") == []
    message = page.locator(".message").last
    message.hover()
    message.locator("summary").click()
    message.locator("[data-edit]").click()
    message.locator("textarea").fill("After.")
    expect_snapshot(message, "edit-a-message")
    assert violations(page, ".message:has(form)") == []
    page.keyboard.press("Enter")
    message = page.locator(".message").last
    expect(message.locator(".edited")).to_be_visible()
    message.hover()
    message.locator("summary").click()
    message.locator("[data-dialog]").click()
    dialog = page.get_by_role("dialog", name="Earlier texts")
    expect_snapshot(dialog, "earlier-texts")
    assert violations(page, "dialog") == []
    page.keyboard.press("Escape")
    file = tmp_path / "tool.exe"
    file.write_bytes(b"MZ")
    page.locator("[data-files]").set_input_files(file)
    expect(page.locator(".upload.refused")).to_be_visible()
    expect_snapshot(page.locator("form.composer"), "a-refused-file")
    assert violations(page, ".composer") == []


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
