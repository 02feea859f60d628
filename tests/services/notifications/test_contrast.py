"""Contrast of at least 4.5 to 1, light and dark."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from typing_extensions import override

from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.content import Kind
from tests.services.notifications.harness import COMPOSER
from tests.services.notifications.mail_builders import (
    checked,
    mail_content,
    mail_message,
)
from tests.services.notifications.sample_mails import samples

ENOUGH = 4.5
DARK = re.compile(
    r"@media \(prefers-color-scheme: dark\) \{(.*)\}\s*</style>", re.DOTALL
)
RULE = re.compile(r"\.?([\w-]+) \{([^}]*)\}")
DECLARED = re.compile(r"(?:^|;)\s*(color|background):\s*(#[0-9a-f]{6})")
EMPTY = {"meta", "br"}


def brightness(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


@dataclass
class Painter(HTMLParser):
    """Follows the colours of a mail down to each word, in one scheme."""

    dark: dict[str, dict[str, str]]
    layers: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in EMPTY:
            return
        given = dict(attrs)
        colours = dict(self.layers[-1][1]) if self.layers else {}
        colours |= dict(DECLARED.findall(given.get("style") or ""))
        for name in (tag, given.get("class") or ""):
            colours |= self.dark.get(name, {})
        self.layers.append((tag, colours))

    @override
    def handle_endtag(self, tag: str) -> None:
        while self.layers and self.layers.pop()[0] != tag:
            pass

    @override
    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self.layers]
        if data.strip() and "body" in inside:
            colours = self.layers[-1][1]
            found = contrast(colours["color"], colours["background"])
            self.words.append((data.strip(), found))


def painted(html: str, scheme: str) -> list[tuple[str, float]]:
    dark: dict[str, dict[str, str]] = {}
    if scheme == "dark":
        rules = DARK.search(html)
        assert rules
        for name, declared in RULE.findall(rules[1]):
            dark.setdefault(name, {}).update(DECLARED.findall(declared))
    painter = Painter(dark)
    painter.feed(html)
    return painter.words


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", Kind)
def test_every_text_has_enough_contrast(kind: Kind, scheme: str) -> None:
    many = [mail_message("x" * 30_000, number=n) for n in range(1, 4)]
    contents = [sample.mail for sample in samples(kind, "en")]
    contents.append(mail_content(*many, kind=kind))
    for written in contents:
        mail = COMPOSER.compose(written, address_of(written.reader.email))
        words = painted(checked(mail).html, scheme)
        assert len(words) > 5
        for word, found in words:
            assert found >= ENOUGH, f"{word!r} in {scheme}: {found:.2f}"


def test_the_judge_knows_black_and_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
