"""A mail of every type, as readers of every language get it: for goldens and pictures."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from clp_notifications.mail.content import Kind, MailContent, MailMessage
from clp_notifications.mail.locales import LocalePreferences, languages
from tests.services.notifications.mail_builders import (
    AT,
    INTERNAL,
    channel,
    file,
    mail_content,
    mail_message,
    reader,
)

ZONES = {
    "en": "Europe/London",
    "fr": "Europe/Paris",
    "ja": "Asia/Tokyo",
    "ar": "Asia/Riyadh",
}
# A text that runs each way, each with a sample of the other inside.
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
class SampleMail:
    """One mail of a kind, language and direction, with or without content."""

    kind: Kind
    language: str
    direction: str
    content: bool
    mail: MailContent

    @property
    def label(self) -> str:
        return f"{self.direction}, {'with' if self.content else 'without'} content"


def samples(kind: Kind, language: str) -> Iterator[SampleMail]:
    """The four mails of a kind in a language: both directions, content on and off."""
    for direction, content in itertools.product(DIRECTIONS, (True, False)):
        written = replace(
            _letter(kind, direction),
            locale_preferences=LocalePreferences(language, ZONES[language]),
            shows_text=content,
        )
        yield SampleMail(kind, language, direction, content, written)


def all_samples() -> Iterator[SampleMail]:
    for kind, language in itertools.product(Kind, languages()):
        yield from samples(kind, language)


def _letter(kind: Kind, direction: str) -> MailContent:
    title = TITLES[direction]
    first = mail_message(
        TEXTS[direction],
        author=AUTHORS[direction],
        files=(file(FILES[direction], 1_300_000),),
    )
    if kind is Kind.DIRECT:
        # From a partner to the studio: the one that names the partner.
        return mail_content(
            replace(first, author="Nat Moreau"),
            kind=kind,
            project_title=title,
            channel=channel("north"),
            partner="North Dubbing",
            reader=INTERNAL,
        )
    if kind is Kind.DIGEST:
        return mail_content(
            *_digest(first, direction), kind=kind, project_title=title, reader=INTERNAL
        )
    if kind is Kind.MENTION:
        return mail_content(first, kind=kind, project_title=title)
    second = mail_message(
        "Audio is available: fr-FR, 5.1.",
        author="Robot",
        automatic=True,
        number=8,
        at=AT + timedelta(seconds=20),
    )
    return mail_content(first, second, kind=kind, project_title=title)


def _digest(first: MailMessage, direction: str) -> list[MailMessage]:
    """Messages of three channels; the studio sees all of them."""
    north, south = channel("north"), channel("south")
    return [
        replace(
            mail_message(SECOND[direction], author="Sam Duarte", number=2),
            channel=south,
            partner="South Subtitles",
        ),
        replace(first, channel=channel()),
        replace(
            mail_message(SECOND[direction], author="Nat Moreau", number=4),
            channel=north,
            partner="North Dubbing",
        ),
        replace(
            mail_message(SECOND[direction], author="Nia Roux", number=5),
            channel=north,
            partner="North Dubbing",
        ),
    ]


PARTNERS_READER = reader()
