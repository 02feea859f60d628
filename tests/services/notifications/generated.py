"""Generate mails with hostile and random texts from a seed."""

import random
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from clp_core.people import PersonId
from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.mail.content import Kind, MailContent, MailMessage
from clp_notifications.mail.locales import LocalePreferences, languages
from tests.cases.loading import hostile_cases
from tests.services.notifications.harness import COMPOSER
from tests.services.notifications.mail_builders import (
    AT,
    INTERNAL,
    channel,
    file,
    mail_content,
    mail_message,
    reader,
)

ADDRESSES: Final = (
    "nat@north.example",
    "o'hara+x@north.example",
    "dana@bücher.example",
    "däna@bücher.example",
    "a@" + "b" * 60 + ".example",
)
ZONES: Final = ("UTC", "Europe/Paris", "Asia/Tokyo", "Asia/Riyadh", "America/St_Johns")
# First characters of scripts, and separators between words.
SCRIPTS: Final = (0x20, 0x41, 0xE0, 0x3B1, 0x431, 0x5D0, 0x627, 0x905, 0xE01, 0x1F600)
SCRIPTS_FAR: Final = (0x3042, 0x4E00, 0xAC00, 0x2000, 0x2028, 0x80, 0x00)
JOINTS: Final = (
    " ",
    "\n",
    "\r\n",
    "  ",
    "\t",
    "=?",
    "?=",
    "> ",
    "From ",
    ".\r\n",
    "<b>",
)
MAX_TEXT: Final = 10_000


def contents(number: int, seed: int) -> Iterator[MailContent]:
    """Generate so many contents; an equal seed gives equal ones."""
    chance = random.Random(seed)
    for _ in range(number):
        yield _letter(chance)


def mails(number: int, seed: int) -> Iterator[tuple[MailContent, OutgoingMail]]:
    """So many contents with their mails."""
    for written in contents(number, seed):
        yield written, COMPOSER.compose(written, address_of(written.reader.email))


def _letter(chance: random.Random) -> MailContent:
    kind = chance.choice(list(Kind))
    partner = "north" if kind is Kind.DIRECT else None
    who = chance.choice((INTERNAL, reader(email=chance.choice(ADDRESSES))))
    who = reader(
        id=PersonId(who.id),
        name=_words(chance, "display_name", 120),
        email=who.email,
        partner=who.partner,
    )
    number = chance.choice((1, 1, 1, 2, 5, 60))
    return mail_content(
        *(_random_message(chance, kind, index) for index in range(1, number + 1)),
        kind=kind,
        reader=who,
        project_title=_words(chance, "subject", 400),
        channel=channel(partner),
        partner=_words(chance, "display_name", 120),
        locale_preferences=LocalePreferences(
            chance.choice(languages()), chance.choice(ZONES)
        ),
        shows_text=chance.random() < 0.8,
    )


def _random_message(chance: random.Random, kind: Kind, number: int) -> MailMessage:
    own = chance.choice((None, "north", "south")) if kind is Kind.DIGEST else None
    return mail_message(
        _words(chance, "body", MAX_TEXT),
        author=_words(chance, "display_name", 120),
        automatic=chance.random() < 0.2,
        number=number,
        at=AT + timedelta(seconds=number),
        files=tuple(
            file(_words(chance, "display_name", 100), chance.randrange(1, 10**7))
            for _ in range(chance.choice((0, 0, 1, 3)))
        ),
        channel=channel(own) if kind is Kind.DIGEST else None,
        partner=own,
    )


def _words(chance: random.Random, area: str, most: int) -> str:
    """A hostile value of an area, or words of any script with odd separators."""
    if chance.random() < 0.4:
        value = chance.choice(hostile_cases(area)).value
    else:
        value = "".join(
            _word(chance) + chance.choice(JOINTS)
            for _ in range(chance.randrange(1, 12))
        )
    return value.encode("utf-8", "replace").decode()[:most]


def _word(chance: random.Random) -> str:
    start = chance.choice(SCRIPTS + SCRIPTS_FAR)
    contents = (
        chr(start + chance.randrange(40)) for _ in range(chance.randrange(1, 9))
    )
    return "".join(one for one in contents if unicodedata.category(one) != "Cs")
