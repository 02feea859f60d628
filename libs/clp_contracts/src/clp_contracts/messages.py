"""Calls to `messages`: channels, posts, read markers, the feed of changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clp_contracts.feed import apply_again_of, aside_of, changes_of, progress_of
from clp_contracts.methods import AUTHORS, PEOPLE, SERVICES, Method
from clp_contracts.projects import Facts

SERVICE: Final = "messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMessage:
    """Post a message; ``key`` makes a repeated call harmless (rule 10)."""

    channel: str
    key: str
    text: str = ""
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A person whom an ambiguous handle could mean."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """What became of one handle; the span counts code points of the text (rule 19)."""

    start: int
    end: int
    handle: str
    outcome: str
    person: str | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The message as stored; a replay gives the same one."""

    id: str
    channel: str
    number: int
    posted_at: datetime
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage:
    """Replace the text of one's own message (rule 12)."""

    message: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The message after the edit."""

    id: str
    revision: int
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneMessage:
    """Name a message."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """The tombstone."""

    id: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierText:
    """What a message said at a revision, until somebody replaced or deleted it."""

    revision: int
    text: str
    replaced_at: datetime
    replaced_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierTexts:
    """What a message said before, the oldest first; for internal audit (rule 12)."""

    texts: tuple[EarlierText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPage:
    """Ask for messages before, after or around a number; the newest without one."""

    channel: str
    before: int | None = None
    after: int | None = None
    around: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who posted: a person or the robot."""

    id: str
    name: str
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a message."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as its readers see it; a deleted one is a tombstone without text."""

    id: str
    channel: str
    number: int
    revision: int
    author: Author
    text: str
    posted_at: datetime
    edited_at: datetime | None
    deleted: bool
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Messages in their order, and whether there are more on either side."""

    messages: tuple[Message, ...]
    more_before: bool
    more_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskChannels:
    """Name the project whose channels are wanted."""

    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """A channel the actor may read; may they post to it?"""

    name: str
    kind: str
    partner: str | None
    title: str
    may_post: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """The channels of a project that exist for the actor."""

    channels: tuple[ChannelFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRead:
    """Move the read marker of the actor forward to a message number."""

    channel: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """Where the marker stands now."""

    channel: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskUnread:
    """Name the projects whose unread numbers are wanted."""

    projects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUnread:
    """Unread messages of one channel; ``first`` is the number of the oldest."""

    channel: str
    unread: int
    first: int | None
    marker: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectUnread:
    """Unread messages of a project, summed over the channels the actor may read."""

    project: str
    unread: int
    channels: tuple[ChannelUnread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Unread numbers in the order asked for, without hidden projects."""

    projects: tuple[ProjectUnread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMentionable:
    """Begin a name or an address, for a type-ahead."""

    channel: str
    typed: str = ""
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentionable:
    """People the actor may mention in this channel, best first."""

    people: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskContents:
    """Name the messages whose stored state is wanted."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A message with what projections and routing need of it."""

    message: Message
    mentioned: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The messages that exist, in no promised order."""

    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForMail:
    """Ask for messages of one channel as one person may read them now (rule 23)."""

    person: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailItem:
    """One message for a mail.

    ``readable`` is false, and nothing else is told, when the person may not read it now
    or it is gone; ``read`` when the person's marker has passed it; ``mentioned`` when
    the text mentions the person now.
    """

    id: str
    readable: bool
    read: bool = False
    mentioned: bool = False
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForMail:
    """The messages asked for, in that order."""

    items: tuple[MailItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailReader:
    """Somebody to mail, and the messages to mail them."""

    person: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForMails:
    """Ask for messages as each of several people may read them now (rule 23).

    ``good_for_s`` asks for facts that hold for so many seconds, as in `AskFacts`.
    """

    readers: tuple[MailReader, ...]
    good_for_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderMail:
    """What one reader may be mailed now: ids of the messages asked for.

    Of the ``readable`` ones, the reader's marker has passed those in ``read``, and
    those in ``mentioned`` mention the reader as they read now.
    """

    person: str
    readable: tuple[str, ...]
    read: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForMails:
    """Each reader's part, in the order asked, and the messages that any may read.

    ``deleted`` are those that nobody can read any more. ``facts`` are those by which it
    was judged: of the readers, of the projects of the messages, and who follows them.
    A service of before does not tell them.
    """

    readers: tuple[ReaderMail, ...]
    messages: tuple[Message, ...]
    deleted: tuple[str, ...] = ()
    facts: Facts | None = None


POST: Final = Method(SERVICE, "post", PostMessage, Posted, AUTHORS)
EDIT: Final = Method(SERVICE, "edit", EditMessage, Edited, PEOPLE)
DELETE: Final = Method(SERVICE, "delete", OneMessage, Deleted, PEOPLE)
EARLIER_TEXTS: Final = Method(
    SERVICE, "earlier_texts", OneMessage, EarlierTexts, PEOPLE
)
PAGE: Final = Method(SERVICE, "page", AskPage, Page, PEOPLE)
CHANNELS: Final = Method(SERVICE, "channels", AskChannels, Channels, PEOPLE)
MARK_READ: Final = Method(SERVICE, "mark_read", MarkRead, Marked, PEOPLE)
UNREAD: Final = Method(SERVICE, "unread", AskUnread, Unread, PEOPLE)
MENTIONABLE: Final = Method(SERVICE, "mentionable", AskMentionable, Mentionable, PEOPLE)
CONTENTS: Final = Method(SERVICE, "contents", AskContents, Contents, SERVICES)
FOR_MAIL: Final = Method(SERVICE, "for_mail", AskForMail, ForMail, SERVICES)
FOR_MAILS: Final = Method(SERVICE, "for_mails", AskForMails, ForMails, SERVICES)
CHANGES: Final = changes_of(SERVICE)
PROGRESS: Final = progress_of(SERVICE)
ASIDE: Final = aside_of(SERVICE)
APPLY_AGAIN: Final = apply_again_of(SERVICE)
