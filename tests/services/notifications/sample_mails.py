"""A mail of every type, as readers of every language get it: for goldens and pictures."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from clp_notifications.mail.content import Kind, Letter, Said
from clp_notifications.mail.locales import Habits, catalogues
from tests.services.notifications.mail_builders import (
    AT,
    INTERNAL,
    channel,
    file,
    letter,
    reader,
    said,
)

ZONES = {
    "en": "Europe/London",
    "fr": "Europe/Paris",
    "ja": "Asia/Tokyo",
    "ar": "Asia/Riyadh",
}
# A text that runs each way, each with a piece of the other inside.
TEXTS = {
    "ltr": (
        "The mix of reel 3 is late: please hold S02E05 until Thursday.\n"
        "Title card stays רכבת לילה."
    ),
    "rtl": "المزيج الصوتي للبكرة 3 متأخر، انتظروا من فضلكم.\nالعنوان Night Train يبقى كما هو.",
}
SECOND = {"ltr": "Thank you, noted.", "rtl": "شكرًا، تم التدوين."}
TITLES = {"ltr": "Night Train", "rtl": "قطار الليل"}
AUTHORS = {"ltr": "Ivy Lane", "rtl": "دانة كمال"}
FILES = {"ltr": "cue sheet, final.pdf", "rtl": "قائمة المشاهد.pdf"}
DIRECTIONS = ("ltr", "rtl")


@dataclass(frozen=True)
class Piece:
    """One mail of the gallery."""

    kind: Kind
    language: str
    direction: str
    content: bool
    letter: Letter

    @property
    def label(self) -> str:
        return f"{self.direction}, {'with' if self.content else 'without'} content"


def pieces(kind: Kind, language: str) -> Iterator[Piece]:
    """The four mails of a kind in a language: both directions, content on and off."""
    for direction, content in itertools.product(DIRECTIONS, (True, False)):
        written = replace(
            _letter(kind, direction),
            habits=Habits(language, ZONES[language]),
            shows_text=content,
        )
        yield Piece(kind, language, direction, content, written)


def all_pieces() -> Iterator[Piece]:
    for kind, language in itertools.product(Kind, catalogues()):
        yield from pieces(kind, language)


def _letter(kind: Kind, direction: str) -> Letter:
    title = TITLES[direction]
    first = said(
        TEXTS[direction],
        author=AUTHORS[direction],
        files=(file(FILES[direction], 1_300_000),),
    )
    if kind is Kind.DIRECT:
        # From a partner to the studio: the one that names the partner.
        return letter(
            replace(first, author="Nat Moreau"),
            kind=kind,
            project_title=title,
            channel=channel("north"),
            partner="North Dubbing",
            reader=INTERNAL,
        )
    if kind is Kind.DIGEST:
        return letter(
            *_digest(first, direction), kind=kind, project_title=title, reader=INTERNAL
        )
    if kind is Kind.MENTION:
        return letter(first, kind=kind, project_title=title)
    second = said(
        "Audio is available: fr-FR, 5.1.",
        author="Robot",
        automatic=True,
        number=8,
        at=AT + timedelta(seconds=20),
    )
    return letter(first, second, kind=kind, project_title=title)


def _digest(first: Said, direction: str) -> list[Said]:
    """What was said in three channels; the studio sees all of them."""
    north, south = channel("north"), channel("south")
    return [
        replace(
            said(SECOND[direction], author="Sam Duarte", number=2),
            channel=south,
            partner="South Subtitles",
        ),
        replace(first, channel=channel()),
        replace(
            said(SECOND[direction], author="Nat Moreau", number=4),
            channel=north,
            partner="North Dubbing",
        ),
        replace(
            said(SECOND[direction], author="Nia Roux", number=5),
            channel=north,
            partner="North Dubbing",
        ),
    ]


PARTNERS_READER = reader()
