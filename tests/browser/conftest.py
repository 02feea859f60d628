"""The portal in a process of its own, and browsers in which people are signed in.

Playwright runs on asyncio and wants the standard library as it is, so these tests run in
a plain interpreter (``TESTS_UNPATCHED``) and the suite in another one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.chromium import ARGUMENTS, CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

ROOT = Path(__file__).parents[2]
READY = "html[data-ready]"
# What tests cause on purpose: a refusal, and a connection that is cut.
EXPECTED = ("Failed to load resource", "ERR_INTERNET_DISCONNECTED")
OPENS = "  Open "
VIEWPORT = {"width": 1200, "height": 800}

Open = Callable[..., "Page"]
# `make test-browser` installs Playwright; without it there is nothing to collect.
collect_ignore_glob = [] if importlib.util.find_spec("playwright") else ["test_*.py"]


@dataclass(frozen=True)
class World:
    """A running portal; while ``lost`` exists no service can be reached."""

    url: str
    lost: Path

    @contextmanager
    def without_services(self) -> Iterator[None]:
        """Lose every service for a while."""
        self.lost.touch()
        try:
            yield
        finally:
            self.lost.unlink()


@pytest.fixture(scope="session")
def starting_world(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], World]]:
    """A portal with the sample world that starts, beside Chromium; a call waits for it."""
    if not os.environ.get("TESTS_UNPATCHED"):
        pytest.exit("run these tests with `make test-browser`")
    folder = tmp_path_factory.mktemp("portal")
    lost = folder / "lost"
    data = ("--port", "0", "--data-dir", str(folder / "data"))
    with running("tests.browser.sample_world", str(lost), *data) as program:
        yield lambda: World(address_of(program), lost)


@pytest.fixture(scope="session")
def world(starting_world: Callable[[], World]) -> World:
    """A portal with the sample world."""
    return starting_world()


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[str]:
    """Run a program that prints the address of its portal; end it afterwards."""
    with running(module, *arguments) as program:
        yield address_of(program)


@contextmanager
def running(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program; end it afterwards."""
    program = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", module, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield program
    finally:
        program.terminate()
        program.communicate(timeout=120)


def address_of(program: subprocess.Popen[str]) -> str:
    """Wait until a program prints the address of its portal."""
    assert program.stdout is not None
    line = next(line for line in program.stdout if line.startswith(OPENS))
    return line.removeprefix(OPENS).split()[0]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS)
        )
        yield browser
        browser.close()


@dataclass(frozen=True)
class Browsers:
    """Browsers of people, each signed in once; tests share them, and their tabs.

    A tab of its own costs a second of processor, because it is a process.
    """

    chromium: Browser
    url: str
    shared: dict[str, BrowserContext] = field(default_factory=dict)
    idle: dict[str, list[Page]] = field(default_factory=dict)

    def of(self, person: str) -> BrowserContext:
        """The browser of a person that tests share."""
        if person not in self.shared:
            self.shared[person] = self.new(person)
        return self.shared[person]

    def new(self, person: str | None, **options: Any) -> BrowserContext:
        """A browser of its own, in which somebody is signed in, or nobody."""
        settings: dict[str, Any] = {
            "viewport": VIEWPORT,
            "reduced_motion": "reduce",
            "base_url": self.url,
            **options,
        }
        context = self.chromium.new_context(**settings)
        context.set_default_timeout(8000)
        if person is not None:
            sign_in(context, person)
        return context

    @contextmanager
    def tab(self, person: str) -> Iterator[Page]:
        """A tab in the shared browser, as new: without drafts, wide and light."""
        idle = self.idle.setdefault(person, [])
        page = idle.pop() if idle else self.of(person).new_page()
        yield page
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        page.goto("about:blank")
        page.set_viewport_size(VIEWPORT)
        page.emulate_media(color_scheme="light")
        idle.append(page)


def sign_in(context: BrowserContext, person: str) -> None:
    """Send the form of the sign-in, without its page: one test goes through that."""
    signed_in = context.request.post(
        "/-/sign-in",
        form={"person": person},
        headers={"Sec-Fetch-Site": "same-origin"},
        max_redirects=0,
    )
    assert signed_in.status == 303


@pytest.fixture(scope="session")
def browsers(
    starting_world: Callable[[], World], chromium: Browser, world: World
) -> Browsers:
    """The browsers of everybody."""
    del starting_world
    return Browsers(chromium, world.url)


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What browsers complain of: nothing, not even the content security policy."""
    found: list[str] = []
    yield found
    assert not found


@pytest.fixture
def open_page(browsers: Browsers, complaints: list[str]) -> Iterator[Open]:
    """Open a page: as nobody, or as somebody in the browser that tests share.

    With options of a browser, without scripts or ``alone`` it is a browser of its own:
    for tests that change what belongs to all its tabs.
    """
    with ExitStack() as closing:

        def opened(
            person: str | None,
            path: str = "/",
            *,
            scripts: bool = True,
            alone: bool = False,
            **options: object,
        ) -> Page:
            if person and scripts and not alone and not options:
                page = closing.enter_context(browsers.tab(person))
            else:
                options["java_script_enabled"] = scripts
                context = closing.enter_context(browsers.new(person, **options))
                page = context.new_page()
            closing.enter_context(listening(page, complaints))
            page.goto(path)
            if person and scripts:
                page.wait_for_selector(READY, state="attached")
            return page

        yield opened


@contextmanager
def listening(page: Page, complaints: list[str]) -> Iterator[None]:
    """Keep the errors and warnings of a page."""

    def note_message(message: ConsoleMessage) -> None:
        note(message, complaints)

    def note_error(error: object) -> None:
        complaints.append(str(error))

    page.on("console", note_message)
    page.on("pageerror", note_error)
    yield
    page.remove_listener("console", note_message)
    page.remove_listener("pageerror", note_error)


def note(message: ConsoleMessage, complaints: list[str]) -> None:
    """Keep errors and warnings of the console."""
    is_complaint = message.type in {"error", "warning"}
    if is_complaint and not any(text in message.text for text in EXPECTED):
        complaints.append(message.text)
