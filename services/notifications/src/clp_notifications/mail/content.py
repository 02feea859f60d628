"""Contents of a mail and of its sender, before they become text and markup."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from clp_contracts.messages import Message
from clp_contracts.projects import ProjectFacts
from clp_core.channels import Channel
from clp_core.people import ROBOT, PartnerId, Person, PersonId, Side
from clp_core.routing import Trigger
from clp_notifications.mail.locales import DEFAULT_LOCALE_PREFERENCES, LocalePreferences
from clp_notifications.mapping import partner_name

# The local part at the bounce domain that unsubscribes (rule 61).
UNSUBSCRIBE_LOCAL_PART: Final = "unsubscribe"


class Kind(StrEnum):
    """The kind of a mail, as headers and reasons name it (H10)."""

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


# A reader of each side without any personal data.
ANONYMOUS_READERS: Final[dict[Side, Person]] = {
    Side.INTERNAL: Person(id=PersonId(""), name="", email=""),
    Side.EXTERNAL: Person(id=PersonId(""), name="", email="", partner=PartnerId("")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a message: only its name, its size and a link are mailed (H17)."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMessage:
    """One message of a mail, in the channel of the mail unless it names its own."""

    author: str
    automatic: bool
    number: int
    at: datetime
    text: str
    files: tuple[File, ...] = ()
    channel: Channel | None = None
    partner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContent:
    """A mail to one reader about one channel, or a digest of a whole project.

    ``mail`` and ``first_message`` never change between attempts, so neither does the
    Message-ID (H2). ``partner`` is the name of a direct channel's partner. A digest is
    in the project's broadcast channel, each of its messages names its own, and
    ``digested_at`` is when it was made.
    """

    mail: str
    first_message: str
    kind: Kind
    reader: Person
    project_title: str
    channel: Channel
    partner: str | None
    messages: tuple[MailMessage, ...]
    locale_preferences: LocalePreferences = DEFAULT_LOCALE_PREFERENCES
    shows_text: bool = True
    unsubscribe_token: str = ""
    digested_at: datetime | None = None

    @property
    def at(self) -> datetime:
        """The time of the newest message, or at which a digest was made (H14)."""
        return self.digested_at or max(message.at for message in self.messages)

    def channel_of(self, message: MailMessage) -> Channel:
        """The channel of a message: that of the mail unless it names its own."""
        return message.channel or self.channel

    def can_reply_to(self, message: MailMessage) -> bool:
        """Whether the reader may post in its channel: partners read broadcasts only."""
        is_broadcast = self.channel_of(message).partner is None
        return not is_broadcast or self.reader.side is Side.INTERNAL

    @property
    def is_digest(self) -> bool:
        """Whether it is a digest: messages of a project, channel by channel."""
        return self.kind is Kind.DIGEST

    def without_reader(self) -> "MailContent":
        """The same content with nothing of its reader but the side.

        A mail made from it is the same for every reader of an equal one.
        """
        return replace(
            self,
            mail="",
            first_message="",
            unsubscribe_token="",
            reader=ANONYMOUS_READERS[self.reader.side],
        )

    def shown_partner(self, partner: str | None) -> str | None:
        """A partner's name, shown to the studio only."""
        return partner if self.reader.side is Side.INTERNAL else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderPreferences:
    """Defaults of a deployment for readers whose own preferences are unknown."""

    language: str = "en"
    time_zone: str = "UTC"
    content: bool = True


DEFAULT_READER_PREFERENCES: Final = ReaderPreferences()


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderIdentity:
    """Names, domains and links of the sender, the same in every mail."""

    base_url: str
    mail_domain: str
    bounce_domain: str
    sender_name: str
    studio_name: str

    def channel_link(self, channel: Channel) -> str:
        """Link to a channel."""
        return f"{self.base_url}/{channel.name}"

    def message_link(self, channel: Channel, number: int) -> str:
        """Link to a message."""
        return f"{self.base_url}/{channel.name}/{number}"

    def file_link(self, attachment: str) -> str:
        """Link to a file; access is checked again there (H17)."""
        return f"{self.base_url}/-/attachments/{quote(attachment, safe='')}"

    def unsubscribe_link(self, token: str) -> str:
        """Link that stops the mails about a project without a login (H7)."""
        return f"{self.base_url}/-/unsubscribe/{token}"


def to_mail_message(message: Message, project: ProjectFacts) -> MailMessage:
    """A message of `messages` as a mail shows it."""
    channel = Channel.named(message.channel)
    return MailMessage(
        author=message.author.name,
        automatic=message.author.id == ROBOT.id,
        channel=channel,
        partner=partner_name(channel, project),
        number=message.number,
        at=message.posted_at,
        text=message.text,
        files=tuple(
            File(id=file.id, name=file.name, size=file.size)
            for file in message.attachments
        ),
    )
