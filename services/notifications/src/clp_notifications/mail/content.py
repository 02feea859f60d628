"""What one mail says, before it becomes text and markup."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from clp_core.channels import Channel
from clp_core.people import PartnerId, Person, PersonId, Side
from clp_core.routing import Trigger
from clp_notifications.mail.locales import USUAL_HABITS, Habits


class Kind(StrEnum):
    """What kind of mail it is, as headers and reasons name it (H10)."""

    MENTION = "mention"
    BROADCAST = "broadcast"
    DIRECT = "direct"
    DIGEST = "digest"


KINDS: Final[dict[Trigger, Kind]] = {
    Trigger.MENTION: Kind.MENTION,
    Trigger.NEW_BROADCAST: Kind.BROADCAST,
    Trigger.DIRECT_FROM_PARTNER: Kind.DIRECT,
    Trigger.DIRECT_TO_PARTNER: Kind.DIRECT,
}


# Somebody of each side of whom nothing else is known.
NOBODY: Final[dict[Side, Person]] = {
    Side.INTERNAL: Person(id=PersonId(""), name="", email=""),
    Side.EXTERNAL: Person(id=PersonId(""), name="", email="", partner=PartnerId("")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a message: it never travels, its name and a link do (H17)."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a mail, in the letter's channel unless it names its own."""

    author: str
    automatic: bool
    number: int
    at: datetime
    text: str
    files: tuple[File, ...] = ()
    channel: Channel | None = None
    partner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to one reader about one channel, or a digest of a whole project.

    ``mail`` and ``first_message`` never change between tries, so neither does the
    Message-ID (H2). ``partner`` is the name of a direct channel's partner. A digest
    stands in the project's broadcast channel; each of its messages names its own.
    """

    mail: str
    first_message: str
    kind: Kind
    reader: Person
    project_title: str
    channel: Channel
    partner: str | None
    said: tuple[Said, ...]
    habits: Habits = USUAL_HABITS
    shows_text: bool = True

    @property
    def at(self) -> datetime:
        """When the newest of its messages was posted (H14)."""
        return max(said.at for said in self.said)

    @property
    def is_digest(self) -> bool:
        """Whether it is a digest: what was said in a project, channel by channel."""
        return self.kind is Kind.DIGEST

    def for_nobody(self) -> "Letter":
        """The same letter with nothing left of its reader but their side.

        What is made of it is the same for everybody who gets an equal one.
        """
        return replace(self, mail="", first_message="", reader=NOBODY[self.reader.side])

    def shown_partner(self, partner: str | None) -> str | None:
        """A partner's name, told to the studio only: its people know their own."""
        return partner if self.reader.side is Side.INTERNAL else None
