"""Draw every page of the portal: ``python -m tests.browser.pictures FOLDER``."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import (
    READY,
    World,
    serving,
    sign_in,
)
from tests.support.chromium import ARGUMENTS, CHROMIUM
from tests.support.command_line import command_parser

NORTH: Final = "/p1/direct/north"
LONG: Final = "/long/direct/long"
DESKTOP: Final = {"viewport": {"width": 1200, "height": 800}}
WIDE: Final = {"viewport": {"width": 1600, "height": 900}}
PHONE: Final = {
    "viewport": {"width": 390, "height": 800},
    "has_touch": True,
    "is_mobile": True,
}
NARROW: Final = PHONE | {"viewport": {"width": 360, "height": 640}}
DARK: Final = {"color_scheme": "dark"}
FRENCH: Final = NARROW | {"locale": "fr"}
JAPANESE: Final = NARROW | {"locale": "ja"}
ARABIC: Final = NARROW | {"locale": "ar"}

Act = Callable[[Page], None]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture: its name, who looks at which address, the window, and what they do."""

    name: str
    person: str | None
    address: str
    window: dict[str, Any] = field(default_factory=lambda: DESKTOP)
    act: Act | None = None
    # On paper, as long as it takes.
    prints: bool = False


def complete_a_name(page: Page) -> None:
    """Type the beginning of a mention."""
    page.locator("#text").press_sequentially("@n")
    page.get_by_role("option").first.wait_for()


def ask_who_was_told(page: Page) -> None:
    """Open the dialog of the first message."""
    page.locator(".actions > a").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.locator(".facts summary").first.click()


def open_the_menu(page: Page) -> None:
    """Open the menu of one's last message."""
    message = page.locator(".message.own").last
    message.scroll_into_view_if_needed()
    message.hover()
    message.locator("summary").click()


def ask_before_deleting(page: Page) -> None:
    """Begin to delete one's last message."""
    open_the_menu(page)
    page.locator(".message.own [data-delete]").last.click()
    page.get_by_role("dialog").wait_for()


def open_the_account(page: Page) -> None:
    """Open the menu at the top."""
    page.locator(".account summary").click()


def show_the_keys(page: Page) -> None:
    """Open the list of keys."""
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()


def fail_to_send(page: Page) -> None:
    """Send what is refused, and attach what is not taken."""
    page.locator("#text").fill("Much too long. " * 700)
    page.keyboard.press("Enter")
    page.locator(".message.failed .error").wait_for()
    page.locator("[data-files]").set_input_files(
        [
            {"name": "cue sheet.csv", "mimeType": "text/csv", "buffer": b"a,b"},
            {"name": "tool.exe", "mimeType": "", "buffer": b"MZ"},
        ]
    )
    page.locator(".upload.refused").wait_for()
    page.locator("#text").fill("Here is the cue sheet.")
    page.get_by_text("Will tell").wait_for()


def say_more(page: Page) -> None:
    """Send a message with mentions, and begin another one."""
    page.locator("#text").fill("Thank you @Nia Roux, @Sam Duarte too.")
    page.keyboard.press("Enter")
    page.locator(".outcomes").wait_for()
    page.locator("#text").fill("And one more thing")
    page.get_by_text("Will tell").wait_for()


def ask_for_help(page: Page) -> None:
    """Go to the form from a conversation: it names the page."""
    page.get_by_role("link", name="Help").click()
    page.get_by_role("heading", name="Help").wait_for()


def scroll_up(page: Page) -> None:
    """Scroll to the beginning of the messages."""
    page.locator("#timeline").evaluate("(box) => (box.scrollTop = -box.scrollHeight)")


def lose_the_session(page: Page) -> None:
    """Send a form after the session was ended."""
    page.context.clear_cookies()
    with page.expect_navigation():
        page.locator("form.composer").evaluate(
            "form => HTMLFormElement.prototype.submit.call(form)"
        )


PICTURES: Final = (
    Picture("sign-in", None, "/-/sign-in"),
    Picture("my-projects", "nat", "/"),
    Picture("my-projects-dark-phone", "nat", "/", NARROW | DARK),
    Picture("my-projects-empty", "sol", "/"),
    Picture("conversation", "nat", NORTH),
    Picture("conversation-studio-wide", "ivy", NORTH, WIDE),
    Picture("conversation-dark", "ivy", NORTH, DESKTOP | DARK),
    Picture("conversation-arabic", "nat", NORTH, DESKTOP | {"locale": "ar"}),
    Picture("conversation-japanese", "nat", NORTH, DESKTOP | {"locale": "ja"}),
    Picture("conversation-phone", "nat", NORTH, PHONE),
    Picture("conversation-phone-dark", "nat", NORTH, PHONE | DARK),
    Picture("conversation-narrow", "nat", NORTH, NARROW),
    Picture("conversation-printed", "ivy", NORTH, prints=True),
    Picture("broadcast-partner", "nat", "/p1/broadcast"),
    Picture("channel-empty", "nat", "/p3/direct/north"),
    Picture("editing", "nat", f"{NORTH}/1?edit=1"),
    Picture("deleting", "nat", f"{NORTH}/1?delete=1"),
    Picture("deleting-dialog", "nat", NORTH, act=ask_before_deleting),
    Picture("menu", "nat", NORTH, act=open_the_menu),
    Picture("menu-narrow", "nat", NORTH, NARROW, open_the_menu),
    Picture("account", "nat", "/", DESKTOP | DARK, open_the_account),
    Picture("keys", "nat", NORTH, act=show_the_keys),
    Picture("autocomplete", "ivy", NORTH, act=complete_a_name),
    Picture("autocomplete-narrow", "ivy", NORTH, NARROW, complete_a_name),
    Picture("who-was-told", "ivy", NORTH, act=ask_who_was_told),
    Picture("who-was-told-narrow", "ivy", NORTH, NARROW | DARK, ask_who_was_told),
    Picture("search", "nat", f"{NORTH}?q=scene"),
    Picture("search-narrow", "nat", f"{NORTH}?q=scene&in=project", NARROW),
    Picture("search-nothing", "ivy", f"{NORTH}?q=giraffe", WIDE | DARK),
    Picture("find-projects", "ivy", "/-/projects?q=n"),
    Picture("mail-settings", "nat", "/-/mail-settings"),
    Picture("mail-settings-narrow", "nat", "/-/mail-settings", NARROW),
    Picture("help", "nat", NORTH, act=ask_for_help),
    Picture("help-phone", "nat", "/-/help", PHONE),
    Picture("help-french", "nat", "/-/help", FRENCH),
    Picture("menu-french", "nat", NORTH, FRENCH, open_the_menu),
    Picture("search-french", "nat", f"{NORTH}?q=scene&in=project", FRENCH),
    Picture("mail-settings-french", "nat", "/-/mail-settings", FRENCH),
    Picture("my-projects-japanese", "nat", "/", JAPANESE),
    Picture("keys-japanese", "nat", NORTH, JAPANESE, show_the_keys),
    Picture("my-projects-arabic", "nat", "/", ARABIC),
    Picture("menu-arabic", "nat", NORTH, ARABIC, open_the_menu),
    Picture("who-was-told-arabic", "ivy", NORTH, ARABIC, ask_who_was_told),
    Picture("help-arabic", "nat", "/-/help", DESKTOP | {"locale": "ar"}),
    Picture("api", "nat", "/-/api"),
    Picture("not-found", "nat", "/nothing"),
    Picture("no-access", "lin", "/"),
    Picture("session-over", "nat", NORTH, act=lose_the_session),
    Picture("signed-out", "nat", "/-/signed-out"),
    Picture("not-sent", "ivy", NORTH, act=fail_to_send),
    Picture("not-sent-narrow", "ian", NORTH, NARROW | DARK, fail_to_send),
    Picture("outcomes-and-audience", "ivy", NORTH, act=say_more),
)
# What fits no sketch; `odd_world` says who is who.
ODD: Final = (
    Picture("odd-projects", "nat", "/"),
    Picture("odd-projects-narrow", "nat", "/", NARROW),
    Picture("odd-projects-wide-dark", "ivy", "/", WIDE | DARK),
    Picture("odd-conversation", "nat", LONG),
    Picture("odd-conversation-up", "nat", LONG, act=scroll_up),
    Picture("odd-conversation-narrow", "nat", LONG, NARROW),
    Picture("odd-conversation-narrow-up", "nat", LONG, NARROW | DARK, scroll_up),
    Picture("odd-conversation-studio-wide", "ivy", LONG, WIDE),
    Picture("odd-conversation-long-name", "ian", LONG, NARROW),
    Picture("odd-conversation-printed", "nat", LONG, prints=True),
    Picture("odd-names", "ivy", LONG, NARROW, complete_a_name),
    Picture("odd-right-to-left", "sam", "/rtl/direct/rtl", DESKTOP | {"locale": "ar"}),
    Picture("odd-robot", "nat", "/robot/broadcast", DESKTOP | DARK),
    Picture("odd-empty-narrow", "nat", "/empty/direct/long", NARROW),
    Picture("odd-many-unread", "nat", "/busy/broadcast"),
    Picture("odd-search-narrow", "nat", f"{LONG}?q=line&in=project", NARROW),
    Picture("odd-who-was-told", "ivy", LONG, NARROW, ask_who_was_told),
    Picture("odd-find-projects", "nat", "/-/projects?q=project", NARROW | DARK),
    Picture("odd-mail-settings", "nat", "/-/mail-settings", NARROW),
)


def main(folder: Path, names: list[str]) -> None:
    """Draw every page of both worlds, or those that are named."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as data:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS)
        )
        place, lost = Path(data), Path(data) / "lost"
        sample = (str(lost), "--port", "0", "--data-dir", str(place / "data"))
        chosen = [one for one in (*PICTURES, *ODD) if not names or one.name in names]
        if not set(chosen).isdisjoint(PICTURES):
            with serving("tests.browser.sample_world", *sample) as url:
                draw(browser, url, folder, [one for one in chosen if one in PICTURES])
                draw_lost(browser, World(url, lost), folder)
        if not set(chosen).isdisjoint(ODD):
            with serving("tests.browser.odd_world", str(place / "odd")) as url:
                draw(browser, url, folder, [one for one in chosen if one in ODD])
        browser.close()


def draw(browser: Browser, url: str, folder: Path, pictures: list[Picture]) -> None:
    """Draw pictures, each in a browser of its own."""
    for picture in pictures:
        page = opened(browser, url, picture)
        if picture.act:
            picture.act(page)
        if picture.prints:
            page.emulate_media(media="print")
        # What was pressed has changed its colour, and the pointer is away.
        page.wait_for_timeout(300)
        file = folder / f"{picture.name}.png"
        page.screenshot(path=file, full_page=picture.prints)
        page.context.close()


def draw_lost(browser: Browser, world: World, folder: Path) -> None:
    """Draw what is said while no service can be reached."""
    page = opened(browser, world.url, Picture("lost", "nat", NORTH))
    with world.without_services():
        page.locator("#text").fill("Written while nobody answers.")
        page.keyboard.press("Enter")
        page.locator(".message.failed .error").wait_for()
        page.screenshot(path=folder / "not-reached-in-place.png")
        page.goto("/")
        page.screenshot(path=folder / "not-reached.png")
    page.context.close()


def opened(browser: Browser, url: str, picture: Picture) -> Page:
    """Open a page in which somebody is signed in."""
    context = browser.new_context(
        base_url=url, reduced_motion="reduce", **picture.window
    )
    if picture.person:
        sign_in(context, picture.person)
    page = context.new_page()
    page.goto(picture.address)
    page.wait_for_selector(READY, state="attached")
    return page


if __name__ == "__main__":
    parser = command_parser()
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("names", metavar="NAME", nargs="*", help="these pictures only")
    arguments = parser.parse_args()
    main(arguments.folder, arguments.names)
