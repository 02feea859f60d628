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
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("TESTS_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
READY = "html[data-ready]"
# What tests cause on purpose: a refusal, and a connection that is cut.
EXPECTED = ("Failed to load resource", "ERR_INTERNET_DISCONNECTED")
OPENS = "  Open "

Open = Callable[..., "Page"]
# `make test-browser` installs Playwright; without it there is nothing to collect.
collect_ignore_glob = [] if importlib.util.find_spec("playwright") else ["test_*.py"]


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a portal with the sample world."""
    if not os.environ.get("TESTS_UNPATCHED"):
        pytest.fail("run these tests with `make test-browser`")
    folder = tmp_path_factory.mktemp("portal") / "data"
    command = ("-W", "ignore", "-m", "clp_suite.portal", "--port", "0")
    suite = subprocess.Popen(
        [sys.executable, *command, "--data-dir", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert suite.stdout is not None
    line = next(line for line in suite.stdout if line.startswith(OPENS))
    yield line.removeprefix(OPENS).split()[0]
    suite.terminate()
    suite.communicate(timeout=120)


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


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What browsers complain of: nothing, not even the content security policy."""
    found: list[str] = []
    yield found
    assert not found


@pytest.fixture
def open_page(chromium: Browser, url: str, complaints: list[str]) -> Iterator[Open]:
    """Open a page in a browser of its own; as nobody, or signed in as somebody."""
    contexts: list[BrowserContext] = []

    def opened(
        person: str | None, path: str = "/", *, scripts: bool = True, **options: object
    ) -> Page:
        settings: dict[str, object] = {
            "viewport": {"width": 1200, "height": 800},
            "base_url": url,
            "java_script_enabled": scripts,
            **options,
        }
        context = chromium.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(8000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: note(message, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if person is None:
            page.goto(path)
            return page
        # The form of the sign-in, without its page: one test goes through that.
        signed_in = context.request.post(
            "/-/sign-in",
            form={"person": person},
            headers={"Sec-Fetch-Site": "same-origin"},
            max_redirects=0,
        )
        assert signed_in.status == 303
        page.goto(path)
        if scripts:
            page.wait_for_selector(READY, state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()


def note(message: ConsoleMessage, complaints: list[str]) -> None:
    """Keep errors and warnings of the console."""
    is_complaint = message.type in {"error", "warning"}
    if is_complaint and not any(text in message.text for text in EXPECTED):
        complaints.append(message.text)
