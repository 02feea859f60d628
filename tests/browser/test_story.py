"""The help page's story by two people in two browsers."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browsers, Open

pytestmark = pytest.mark.browser

NORTH = "/p1/direct/north"
LONG = "/p2/direct/north"
LINES = 104


def send(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    page.keyboard.press("Enter")


def test_two_people_talk(open_page: Open) -> None:
    nat = open_page("nat", NORTH)
    send(nat, "Is reel 4 final, @Ivy Lane? @Sam Duarte knows.")
    mine = nat.locator(".message").last
    expect(mine).to_contain_text("Is reel 4 final")
    expect(mine.locator(".mention")).to_have_text("@Ivy Lane")
    notes = nat.locator(".outcomes")
    expect(notes).to_contain_text("Ivy Lane will be told.")
    expect(notes).to_contain_text("Sam: nobody of that name reads this channel.")

    ivy = open_page("ivy", NORTH)
    theirs = ivy.locator(".message").last
    expect(theirs).to_contain_text("Is reel 4 final")
    expect(theirs.locator("mark.mention")).to_have_text("@Ivy Lane")
    send(ivy, "It is.")
    expect(ivy.locator(".message").last).to_contain_text("It is.")

    nat.reload()
    expect(nat.locator(".message").last).to_contain_text("It is.")


def test_a_message_is_edited_and_deleted_in_place(open_page: Open) -> None:
    page = open_page("nat", NORTH)
    send(page, "A mistkae.")
    message = page.locator(".message").last
    expect(message).to_contain_text("A mistkae.")
    message.hover()
    message.locator("summary").click()
    message.locator("[data-edit]").click()
    field = message.locator("textarea")
    expect(field).to_be_focused()
    field.fill("No mistake.")
    field.press("Enter")
    expect(page.locator(".message").last.locator(".text")).to_have_text("No mistake.")
    expect(page.locator(".message").last.locator(".edited")).to_be_visible()

    message = page.locator(".message").last
    message.hover()
    message.locator("summary").click()
    message.locator("[data-delete]").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(".message").last).to_contain_text("This message was deleted.")
    expect(dialog).to_have_count(0)


def test_names_are_completed_while_typing(open_page: Open) -> None:
    page = open_page("nat", NORTH)
    field = page.locator("#text")
    requests: list[str] = []
    page.on(
        "request", lambda one: "mentionable" in one.url and requests.append(one.url)
    )
    field.press_sequentially("Hello @i")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(field).to_have_attribute("aria-activedescendant", "person-0")
    first = options.first.locator("bdi").inner_text()
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "person-1")
    second = options.nth(1).locator("bdi").inner_text()
    assert {first, second} == {"Ian Moss", "Ivy Lane"}
    page.keyboard.press("Enter")
    expect(field).to_have_value(f"Hello @{second} ")
    expect(options).to_have_count(0)
    # What begins so is in the page already; what nobody is called is asked once.
    field.press_sequentially("@i")
    expect(options).to_have_count(2)
    field.press_sequentially("vy L")
    expect(options).to_have_count(1)
    page.keyboard.press("Backspace")
    expect(options.first).to_contain_text("Ivy Lane")
    assert len(requests) == 2
    with page.expect_response("**/mentionable*"):
        field.press_sequentially("x")
    expect(options).to_have_count(0)
    field.press_sequentially("yz")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    field.press_sequentially(" and @ía")
    expect(options).to_have_count(1)
    assert len(requests) == 4


def test_the_author_sees_whom_a_draft_reaches(open_page: Open) -> None:
    page = open_page("ivy", "/p1/broadcast")
    place = page.locator("[data-audience]")
    page.locator("#text").press_sequentially("Hello")
    expect(place).to_contain_text("2 followers of North Dubbing")
    page.locator("#text").press_sequentially(" @Nat Moreau ")
    expect(place).to_have_text("Will tell Nat Moreau.")
    page.locator("#text").fill("")
    expect(place).to_have_text("")


def test_no_name_of_another_partner_is_offered(open_page: Open) -> None:
    page = open_page("nat", NORTH)
    with page.expect_response("**/mentionable*") as found:
        page.locator("#text").press_sequentially("@s")
    assert found.value.json() == {"people": []}
    expect(page.get_by_role("option")).to_have_count(0)


def test_files_are_taken_and_refused_one_by_one(
    open_page: Open, tmp_path: Path
) -> None:
    good, wrong, empty = (
        tmp_path / name for name in ("cues.csv", "tool.exe", "empty.csv")
    )
    good.write_text("scene,cue\n1,2\n")
    wrong.write_bytes(b"MZ\x90\x00")
    empty.touch()
    page = open_page("nat", NORTH)
    page.locator("[data-files]").set_input_files([good, wrong, empty])
    uploads = page.locator(".upload")
    expect(uploads).to_have_count(3)
    expect(uploads.nth(1)).to_contain_text("Files of this type cannot be attached.")
    expect(uploads.nth(2)).to_contain_text("An empty file cannot be attached.")
    expect(uploads.first.locator("progress")).to_have_count(0)
    page.locator(".send").click()
    card = page.locator(".message").last.locator(".file")
    expect(card).to_contain_text("cues.csv")
    expect(uploads).to_have_count(0)
    with page.expect_download() as download:
        card.click()
    assert Path(download.value.path()).read_text() == "scene,cue\n1,2\n"


def test_who_was_told_opens_in_a_dialog_and_gives_the_focus_back(
    open_page: Open,
) -> None:
    page = open_page("ivy", NORTH)
    link = page.locator(".actions > a").nth(2)
    link.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Who was told, and why")
    expect(dialog).to_be_visible()
    expect(dialog.locator(".told-row").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(link).to_be_focused()


def test_a_draft_is_kept_and_a_lost_message_is_sent_once(open_page: Open) -> None:
    page = open_page("nat", NORTH, alone=True)
    page.locator("#text").fill("A draft.")
    page.reload()
    expect(page.locator("#text")).to_have_value("A draft.")

    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("You are offline.")
    send(page, "Sent in a tunnel.")
    failed = page.locator(".message.failed")
    expect(failed).to_contain_text("Not sent.")
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_be_hidden()
    failed.get_by_role("button", name="Send again").click()
    expect(failed).to_have_count(0)
    expect(page.get_by_text("Sent in a tunnel.")).to_have_count(1)
    page.reload()
    expect(page.get_by_text("Sent in a tunnel.")).to_have_count(1)
    expect(page.locator("#text")).to_have_value("")


def test_after_the_session_a_text_is_kept_and_sent_once(open_page: Open) -> None:
    page = open_page("nia", NORTH, alone=True)
    page.context.clear_cookies()
    send(page, "After the session.")
    failed = page.locator(".message.failed")
    expect(failed).to_contain_text("Your session is over.")
    expect(failed.get_by_role("link", name="Sign in")).to_be_visible()
    # The page is drawn anew after the sign-in, with the text and its key.
    page.goto("/-/sign-in")
    page.locator("button[value=nia]").click()
    page.goto(NORTH)
    expect(page.locator("#text")).to_have_value("After the session.")
    page.locator("#text").press("Enter")
    expect(page.locator(".message").last).to_contain_text("After the session.")
    expect(page.locator(".waiting")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("After the session.")).to_have_count(1)
    expect(page.locator("#text")).to_have_value("")


def test_an_address_with_a_message_shows_that_message(open_page: Open) -> None:
    page = open_page("nat", f"{NORTH}/1?edit=1", viewport={"width": 900, "height": 420})
    expect(page.locator("#m1 textarea")).to_be_in_viewport()
    page.goto(f"{NORTH}/1")
    expect(page.locator("#m1")).to_be_in_viewport()


def test_what_is_refused_can_be_taken_back(open_page: Open) -> None:
    page = open_page("nat", NORTH)
    send(page, "x" * 10_001)
    failed = page.locator(".message.failed")
    expect(failed).to_contain_text("The text is too long")
    failed.get_by_role("button", name="Discard").click()
    expect(failed).to_have_count(0)
    expect(page.locator("#text")).to_have_value("x" * 10_001)
    page.locator("#text").fill("")


def test_going_back_never_reuses_a_key(open_page: Open) -> None:
    page = open_page("nat", NORTH)
    send(page, "Before going back.")
    expect(page.locator(".message").last).to_contain_text("Before going back.")
    page.goto("/")
    page.go_back()
    send(page, "After going back.")
    expect(page.locator(".message").last).to_contain_text("After going back.")
    expect(page.locator(".message.failed")).to_have_count(0)


def test_my_projects_lead_to_the_first_unread_message(open_page: Open) -> None:
    page = open_page("nia")
    count = page.locator(".project", has_text="Night Train").locator(".badge")
    expect(count).to_have_attribute("aria-label", re.compile("in Night Train"))
    count.click()
    page.wait_for_url(re.compile(r"/p1/\w+(/\w+)?/\d+"))
    expect(page.locator(".divider")).to_be_in_viewport()


@pytest.fixture(scope="module")
def many_lines(browsers: Browsers) -> str:
    """A channel with more messages than two pages hold."""
    ivy = browsers.of("ivy").request
    for number in range(LINES):
        response = ivy.post(
            f"/-/api/channels{LONG}/messages",
            headers={"Idempotency-Key": f"line-{number}"},
            data={"text": f"Line {number} of many lines."},
        )
        assert response.status == 201
    return LONG


def test_what_was_seen_is_read_and_nothing_else(
    open_page: Open, many_lines: str
) -> None:
    nat = open_page("nat", "/-/help")
    with nat.expect_response("**/read-marker"):
        nat.goto(many_lines)
    expect(nat.locator(".divider")).to_be_in_viewport()
    nat.reload()
    badge = nat.locator(".channel.current .badge")
    unread = int(badge.get_attribute("data-count") or 0)
    assert LINES - 40 < unread < LINES
    nat.get_by_role("button", name="Mark all as read").click()
    expect(nat.locator(".channel.current .badge")).to_have_count(0)
    expect(nat.locator(".divider")).to_have_count(0)


def test_older_messages_come_while_scrolling(open_page: Open, many_lines: str) -> None:
    ivy = open_page("ivy", f"{many_lines}?latest=1")
    items = ivy.locator(".message")
    expect(items).to_have_count(50)
    place = items.first.get_attribute("id")
    scroll(ivy, "up")
    expect(items).to_have_count(100)
    expect(ivy.locator(f"#{place}")).to_be_in_viewport()
    scroll(ivy, "up")
    expect(ivy.get_by_text("The beginning of this channel")).to_be_attached()
    assert items.count() > LINES
    ivy.goto(f"{many_lines}/20")
    expect(ivy.locator("#m20")).to_be_focused()
    expect(ivy.locator("#m20")).to_be_in_viewport()
    scroll(ivy, "down")
    expect(ivy.get_by_text("Line 90 of")).to_be_attached()
    scroll(ivy, "down")
    expect(ivy.get_by_text(f"Line {LINES - 1} of")).to_be_attached()


def scroll(page: Page, way: str) -> None:
    """Scroll to an end of what is loaded; the timeline is drawn from its end."""
    page.locator("#timeline").evaluate(
        "(box, up) => { box.scrollTop = up ? -box.scrollHeight : 0 }", way == "up"
    )
