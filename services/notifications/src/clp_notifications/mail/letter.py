"""What one mail says, before it becomes text and markup."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from clp_core.channels import Channel
from clp_core.people import Person, Side
from clp_core.routing import Trigger


class Kind(StrEnum):
    """What kind of mail it is, as headers and reasons name it (H10)."""

    MENTION = "mention"
    BROADCAST = "broadcast"
    DIRECT = "direct"


KINDS: Final[dict[Trigger, Kind]] = {
    Trigger.MENTION: Kind.MENTION,
    Trigger.NEW_BROADCAST: Kind.BROADCAST,
    Trigger.DIRECT_FROM_PARTNER: Kind.DIRECT,
    Trigger.DIRECT_TO_PARTNER: Kind.DIRECT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a message: it never travels, its name and a link do (H17)."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a mail."""

    author: str
    automatic: bool
    number: int
    at: datetime
    text: str
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to one reader about one channel.

    ``mail`` and ``first_message`` never change between tries, so neither does the
    Message-ID (H2). ``partner`` is the name of a direct channel's partner.
    """

    mail: str
    first_message: str
    kind: Kind
    reader: Person
    project_title: str
    channel: Channel
    partner: str | None
    said: tuple[Said, ...]

    @property
    def at(self) -> datetime:
        """When the newest of its messages was posted (H14)."""
        return max(said.at for said in self.said)

    @property
    def shows_partner(self) -> str | None:
        """The partner's name, told to the studio only: its people know their own."""
        return self.partner if self.reader.side is Side.INTERNAL else None
