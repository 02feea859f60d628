"""Mails by the thousand: letters made of hostile and of random words, from a seed."""

import random
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from clp_core.people import PersonId
from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.mail.content import Kind, Letter, Said
from clp_notifications.mail.locales import Habits, catalogues
from tests.cases.loading import hostile_cases
from tests.services.notifications.harness import MAILER
from tests.services.notifications.mail_builders import (
    AT,
    INTERNAL,
    channel,
    file,
    letter,
    reader,
    said,
)

ADDRESSES: Final = (
    "nat@north.example",
    "o'hara+x@north.example",
    "dana@bücher.example",
    "däna@bücher.example",
    "a@" + "b" * 60 + ".example",
)
ZONES: Final = ("UTC", "Europe/Paris", "Asia/Tokyo", "Asia/Riyadh", "America/St_Johns")
# First letters of what people write in, and what stands between words.
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
LONGEST_TEXT: Final = 10_000


def letters(number: int, seed: int) -> Iterator[Letter]:
    """So many letters; the same seed gives the same ones."""
    chance = random.Random(seed)
    for _ in range(number):
        yield _letter(chance)


def mails(number: int, seed: int) -> Iterator[tuple[Letter, ReadyMail]]:
    """So many letters with their mails."""
    for written in letters(number, seed):
        yield written, MAILER.compose(written, address_of(written.reader.email))


def _letter(chance: random.Random) -> Letter:
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
    return letter(
        *(_said(chance, kind, index) for index in range(1, number + 1)),
        kind=kind,
        reader=who,
        project_title=_words(chance, "subject", 400),
        channel=channel(partner),
        partner=_words(chance, "display_name", 120),
        habits=Habits(chance.choice(catalogues()), chance.choice(ZONES)),
        shows_text=chance.random() < 0.8,
    )


def _said(chance: random.Random, kind: Kind, number: int) -> Said:
    own = chance.choice((None, "north", "south")) if kind is Kind.DIGEST else None
    return said(
        _words(chance, "body", LONGEST_TEXT),
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
    """A hostile value of an area, or words of any script with odd joints."""
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
    letters = (chr(start + chance.randrange(40)) for _ in range(chance.randrange(1, 9)))
    return "".join(one for one in letters if unicodedata.category(one) != "Cs")
