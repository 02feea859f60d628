"""What axe-core finds on a page, and what a screen reader finds."""

from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

SNAPSHOTS: Final = Path(__file__).parent / "snapshots"
WIDTHS: Final = (360, 390, 768, 1600)
STANDARDS: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# Dark differs by colours and by nothing else.
COLOURS: Final = {
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
    "resultTypes": ["violations"],
}
RUN: Final = """([place, options]) => axe.run(place, options).then(({ violations }) =>
  violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`))"""

# What the timeline scrolls away is out of sight on purpose.
CRAMPED: Final = """() => {
  const found = []
  if (document.documentElement.scrollWidth > innerWidth) found.push("scrolls")
  for (const one of document.querySelectorAll("a, button, label, select, summary")) {
    if (one.closest(".timeline, .skip") || !one.checkVisibility()) continue
    const box = one.getBoundingClientRect()
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const top = document.elementFromPoint(x, y)
    if (top && !one.contains(top) && !top.contains(one)) {
      found.push(`${one.outerHTML.slice(0, 80)} is under ${top.outerHTML.slice(0, 80)}`)
    }
  }
  return found
}"""


def violations(page: Page, within: str = "html") -> list[str]:
    """Return what axe-core finds on a page as it is, light and dark.

    ``within`` selects what has opened or changed on a page that has no barriers.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    expect(page.locator(within)).to_be_visible()
    light = _run(page, within, STANDARDS)
    page.emulate_media(color_scheme="dark")
    dark = [f"dark, {one}" for one in _run(page, within, COLOURS)]
    page.emulate_media(color_scheme="light")
    return light + dark


def _run(page: Page, within: str, options: dict[str, Any]) -> list[str]:
    found: list[str] = page.evaluate(RUN, [within, options])
    return found


def cramped(page: Page) -> list[str]:
    """Return what does not fit, by the width of the window.

    Nothing is scrolled sideways, and whatever can be pressed is in nobody's way.
    """
    found: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        found += [f"{width}: {one}" for one in page.evaluate(CRAMPED)]
    page.set_viewport_size({"width": 1200, "height": 800})
    return found


def expect_snapshot(place: Locator, name: str) -> None:
    """Compare the accessibility tree of a place with the stored one, all of it."""
    stored = (SNAPSHOTS / f"{name}.yml").read_text()
    expect(place).to_match_aria_snapshot(stored)
