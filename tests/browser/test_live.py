"""Live updates: two people, and several tabs of one browser."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.conftest import READY, Open

pytestmark = pytest.mark.browser

NORTH = "/p1/direct/north"
SOUTH = "/p1/direct/south"


def send(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    page.keyboard.press("Enter")
    # Until it is stored it stands last as well, without a number.
    expect(page.locator(".message.waiting")).to_have_count(0)
    expect(page.locator(".message").last).to_contain_text(text)


def edit(message: Locator, text: str) -> None:
    """Change one's own message in place."""
    message.hover()
    message.locator("summary").click()
    message.locator("[data-edit]").click()
    field = message.locator("textarea")
    field.fill(text)
    field.press("Enter")


def test_live_messages_edits_and_tombstones_appear_by_themselves(
    open_page: Open,
) -> None:
    nat, ivy = open_page("nat", NORTH), open_page("ivy", NORTH)
    send(ivy, "Live from Ivy.")
    theirs = nat.locator(".message").last
    expect(theirs).to_contain_text("Live from Ivy.")
    expect(nat.locator("#announcer")).to_have_text("Ivy Lane: Live from Ivy.")

    edit(ivy.locator(".message").last, "Edited by Ivy.")
    expect(nat.locator(".message").last.locator(".text")).to_have_text("Edited by Ivy.")

    mine = ivy.locator(".message").last
    mine.hover()
    mine.locator("summary").click()
    mine.locator("[data-delete]").click()
    ivy.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(nat.locator(".message").last).to_contain_text("This message was deleted.")


def test_live_numbers_change_in_every_tab_over_one_stream(open_page: Open) -> None:
    home = open_page("sam", "/", alone=True)
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


def messages_with(page: Page, text: str) -> Locator:
    return page.locator(".message", has_text=text)


def stream_requests(context: BrowserContext) -> list[Page]:
    """The pages that open a stream from now on, in order."""
    found: list[Page] = []

    def note(page: Page) -> None:
        page.on("request", lambda one: "/-/stream" in one.url and found.append(page))

    context.on("page", note)
    return found


def tab_of(context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.goto(path)
    page.wait_for_selector(READY, state="attached")
    return page


def hold_streams(context: BrowserContext) -> list[Route]:
    """Let requests for streams wait; return those that do."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    context.route("**/-/stream*", keep)
    return held


def test_live_three_tabs_hold_one_stream_and_hand_it_over(open_page: Open) -> None:
    first = open_page("nia", "/-/help", alone=True)
    context = first.context
    opened = stream_requests(context)
    first.close()
    tabs = [tab_of(context, f"/p1/{path}") for path in ("direct/north", "broadcast")]
    tabs.append(tab_of(context, "/"))
    ivy = open_page("ivy", NORTH)
    send(ivy, "To three tabs.")
    expect(messages_with(tabs[0], "To three tabs.")).to_have_count(1)
    expect(tabs[2].locator("li.project .badge").first).to_be_visible()
    assert set(opened) == {tabs[0]}

    # What is read in one tab is read in all.
    tabs[0].bring_to_front()
    tabs[0].locator("#timeline").evaluate("(one) => (one.scrollTop = 0)")
    badge = tabs[1].locator(".channel", has_text="North").locator(".badge")
    expect(badge).to_have_count(0)
    tabs[0].close()
    send(ivy, "After the leader closed.")
    expect(badge).to_have_attribute("data-count", "1")
    assert set(opened) == {tabs[0], tabs[1]}
    tabs[1].reload()
    expect(badge).to_have_attribute("data-count", "1")


def test_live_a_change_between_drawing_and_streaming_is_shown(
    open_page: Open,
) -> None:
    ivy = open_page("ivy", NORTH)
    send(ivy, "As it was drawn.")
    nia = open_page("nia", "/-/help", alone=True)
    held = hold_streams(nia.context)
    nia.goto(NORTH)
    nia.wait_for_selector(READY, state="attached")
    theirs = messages_with(nia, "As it was drawn.")
    expect(theirs).to_have_count(1)
    while not held:
        nia.wait_for_event("request", lambda one: "/-/stream" in one.url)

    edit(ivy.locator(".message").last, "As it is.")
    expect(messages_with(ivy, "As it is.")).to_have_count(1)
    send(ivy, "Written since.")
    for route in held:
        route.continue_()
    expect(messages_with(nia, "As it is.")).to_have_count(1)
    expect(messages_with(nia, "Written since.")).to_have_count(1)
    expect(theirs).to_have_count(0)


def test_live_messages_stand_in_the_order_of_their_numbers(open_page: Open) -> None:
    """One's own message comes before what others wrote a moment earlier."""
    nia = open_page("nia", NORTH, alone=True)
    number = int(nia.locator(".timeline-inner").get_attribute("data-last") or 0)
    held = hold_streams(nia.context)
    nia.reload()
    nia.wait_for_selector(READY, state="attached")
    ivy = open_page("ivy", NORTH)
    send(ivy, "Ivy was first.")
    send(nia, "Nia was second.")
    for route in held:
        route.continue_()
    expect(messages_with(nia, "Ivy was first.")).to_have_count(1)
    texts = nia.locator(f"#m{number} ~ .message .text, .day:last-child .text")
    shown = texts.all_inner_texts()
    assert shown[-2:] == ["Ivy was first.", "Nia was second."]


RECORDED = """
window.asked = 0
window.told = []
class Recorded extends EventTarget {
  static permission = "default"
  static async requestPermission() {
    window.asked += 1
    return (Recorded.permission = "granted")
  }
  constructor(title, options) {
    super()
    window.told.push(`${title}: ${options.body}`)
  }
}
window.Notification = Recorded
Object.defineProperty(document, "visibilityState", { get: () => window.looks ?? "visible" })
// Before telling a page asks whether somebody looks; it begins to as a message is heard,
// which it says to the other tabs first.
window.heard = []
new BroadcastChannel("stream-nia").addEventListener("message", ({ data }) => {
  if (data.event === "message") heard.push(data.data.html)
})
window.asking = 0
const query = navigator.locks.query.bind(navigator.locks)
navigator.locks.query = async () => {
  window.asking += 1
  const found = await query()
  window.asking -= 1
  return found
}
"""


def test_live_notifications_come_only_when_asked_for(open_page: Open) -> None:
    nia = open_page("nia", "/-/help", alone=True)
    nia.context.add_init_script(RECORDED)
    nia.goto("/p1/broadcast")
    nia.wait_for_selector(READY, state="attached")
    ivy = open_page("ivy", NORTH)
    send(ivy, "Before anybody asked.")
    badge = nia.locator(".channel", has_text="North").locator(".badge")
    expect(badge).to_be_visible()
    assert nia.evaluate("() => [asked, told.length]") == [0, 0]

    nia.locator(".account summary").click()
    switch = nia.get_by_role("button", name="Notify me in this browser")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    send(ivy, "While she looks.")
    nia.wait_for_function(
        "() => heard.some((one) => one.includes('While she looks.')) && !asking"
    )
    assert nia.evaluate("() => [asked, told.length]") == [1, 0]

    nia.evaluate(
        "() => { window.looks = 'hidden';"
        " document.dispatchEvent(new Event('visibilitychange')) }"
    )
    # Granted when nobody says any longer that somebody looks.
    nia.evaluate("() => navigator.locks.request('looked-at', () => {})")
    send(ivy, "While she looks away.")
    nia.wait_for_function("() => told.length === 1")
    assert nia.evaluate("() => told[0]") == "Ivy Lane: While she looks away."


def test_live_the_icon_and_the_title_say_that_something_is_new(
    open_page: Open,
) -> None:
    wes = open_page("sol", "/p1/broadcast")
    icon = wes.locator("link[rel=icon]")
    # What others said there is read by looking at it: the icon counts all channels.
    others = wes.locator(".channel", has_text="Broadcast").locator(".badge")
    expect(others).to_have_count(0)
    ivy = open_page("ivy", SOUTH)
    send(ivy, "Something new for Sol.")
    expect(icon).to_have_attribute("href", re.compile("icon-unread"))
    expect(wes).to_have_title(re.compile(r"^\(\d+\) "))
    wes.goto(SOUTH)
    wes.get_by_role("button", name="Mark all as read").click()
    wes.goto("/p1/direct/south")
    expect(icon).not_to_have_attribute("href", re.compile("icon-unread"))


def test_live_my_projects_keep_their_order_while_they_are_looked_at(
    open_page: Open,
) -> None:
    home = open_page("nat", "/")
    rows = home.locator("li.project")
    order = rows.evaluate_all("all => all.map((one) => one.dataset.project)")
    ivy = open_page("ivy", NORTH)
    badge = home.locator("li.project[data-project=p1] .badge")
    before = int(badge.get_attribute("data-count") or 0) if badge.count() else 0
    send(ivy, "Nothing moves for this.")
    expect(badge).to_have_attribute("data-count", str(before + 1))
    now = rows.evaluate_all("all => all.map((one) => one.dataset.project)")
    assert now == order


def test_live_outcomes_of_deliveries_reach_an_open_dialog(open_page: Open) -> None:
    ivy = open_page("ivy", SOUTH)
    tab = open_page("ivy", SOUTH)
    send(ivy, "Who is told of this?")
    ivy.locator(".message").last.locator(".actions > a").click()
    dialog = ivy.get_by_role("dialog", name="Who was told, and why")
    # Sol does not follow the project.
    row = dialog.locator(".told-row", has_text="Sol Reyes")
    expect(dialog.locator("[data-current]")).to_be_visible()
    expect(dialog).not_to_contain_text("mentioned in the message")

    # Mails to whom a message mentions are soon sent: this one not before the dialog.
    mine = messages_with(tab, "Who is told of this?")
    edit(mine, "Who is told of this, @Sol Reyes?")
    expect(row).to_contain_text("mentioned in the message", timeout=40_000)
    expect(row).to_contain_text("the mail server accepted the mail", timeout=40_000)


def test_live_a_lost_stream_is_said_and_resumed(open_page: Open) -> None:
    nia = open_page("nia", NORTH, alone=True)
    nia.locator("#text").fill("Half a sentence")
    nia.context.set_offline(True)
    expect(nia.locator("#connection")).to_contain_text("You are offline.")
    nia.context.set_offline(False)
    expect(nia.locator("#connection")).to_be_hidden()
    expect(nia.locator("#text")).to_have_value("Half a sentence")
    ivy = open_page("ivy", NORTH)
    send(ivy, "Back again.")
    expect(messages_with(nia, "Back again.")).to_have_count(1)
    expect(nia.locator("#announcer[aria-live=polite]")).to_contain_text("Back again.")
