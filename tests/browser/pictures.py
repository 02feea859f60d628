"""Draw every page of the portal: ``python -m tests.browser.pictures FOLDER``."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, OPENS, ROOT

NORTH = "/p1/direct/north"
DESKTOP = {"viewport": {"width": 1200, "height": 800}}
WIDE = {"viewport": {"width": 1600, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 800},
    "has_touch": True,
    "is_mobile": True,
}
DARK = {"color_scheme": "dark"}
# name, who looks, the address, and the window
PICTURES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("my-projects", "nat", "/", DESKTOP),
    ("my-projects-empty", "sol", "/", DESKTOP),
    ("conversation", "nat", NORTH, DESKTOP),
    ("conversation-studio-wide", "ivy", NORTH, WIDE),
    ("conversation-dark", "ivy", NORTH, DESKTOP | DARK),
    ("conversation-arabic", "nat", NORTH, DESKTOP | {"locale": "ar"}),
    ("conversation-japanese", "nat", NORTH, DESKTOP | {"locale": "ja"}),
    ("conversation-phone", "nat", NORTH, PHONE),
    ("conversation-phone-dark", "nat", NORTH, PHONE | DARK),
    (
        "conversation-narrow",
        "nat",
        NORTH,
        PHONE | {"viewport": {"width": 360, "height": 640}},
    ),
    ("broadcast-partner", "nat", "/p1/broadcast", DESKTOP),
    ("channel-empty", "nat", "/p3/direct/north", DESKTOP),
    ("editing", "nat", f"{NORTH}/1?edit=1", DESKTOP),
    ("deleting", "nat", f"{NORTH}/1?delete=1", DESKTOP),
    ("search", "nat", f"{NORTH}?q=scene", DESKTOP),
    ("find-projects", "ivy", "/-/projects?q=n", DESKTOP),
    ("mail-settings", "nat", "/-/mail-settings", DESKTOP),
    ("help", "nat", f"/-/help?from={NORTH}", DESKTOP),
    ("help-phone", "nat", "/-/help", PHONE),
    ("api", "nat", "/-/api", DESKTOP),
    ("not-found", "nat", "/nothing", DESKTOP),
    ("no-access", "lin", "/", DESKTOP),
    ("signed-out", "nat", "/-/signed-out", DESKTOP),
)


def main(folder: Path) -> None:
    """Draw every page, and what opens on one."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        command = ("-W", "ignore", "-m", "clp_suite.portal", "--port", "0")
        suite = subprocess.Popen(
            [sys.executable, *command, "--data-dir", f"{data}/data"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert suite.stdout is not None
        line = next(line for line in suite.stdout if line.startswith(OPENS))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=list(ARGUMENTS)
            )
            draw(browser, line.removeprefix(OPENS).split()[0], folder)
            browser.close()
        suite.terminate()
        suite.communicate(timeout=30)


def draw(browser: Browser, url: str, folder: Path) -> None:
    """Draw the pictures of the table, and three that need a hand."""
    for name, person, address, window in PICTURES:
        page = opened(browser, url, person, window)
        page.goto(address)
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"{name}.png")
        page.context.close()
    page = opened(browser, url, "ivy", DESKTOP)
    page.goto(NORTH)
    page.locator("#text").press_sequentially("@n", delay=50)
    page.get_by_role("option").first.wait_for()
    page.screenshot(path=folder / "autocomplete.png")
    page.keyboard.press("Escape")
    page.locator("#text").fill("")
    page.locator(".actions > a").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.screenshot(path=folder / "who-was-told.png")
    page.keyboard.press("Escape")
    page.locator("#text").fill("Thank you @Nia Roux, @Sam Duarte too.")
    page.keyboard.press("Enter")
    page.locator(".outcomes").wait_for()
    page.locator("#text").fill("And one more thing")
    page.wait_for_timeout(1200)
    page.screenshot(path=folder / "outcomes-and-audience.png")


def opened(browser: Browser, url: str, person: str, window: dict[str, Any]) -> Page:
    """Open a window in which somebody is signed in."""
    page = browser.new_context(base_url=url, **window).new_page()
    page.goto("/-/sign-in")
    page.locator(f"button[value={person}]").click()
    page.wait_for_url("**/")
    return page


if __name__ == "__main__":
    main(Path(sys.argv[1]))
