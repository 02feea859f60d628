"""Contract of `messages`: channels, posts, read markers, the feed of changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clp_contracts import feed
from clp_contracts.methods import PEOPLE, SERVICES, Method
from clp_contracts.policy import Policy
from clp_contracts.projects import Facts
from clp_contracts.serialization import Empty

SERVICE: Final = "messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMessage:
    """Post a message; the idempotency ``key`` makes a replay harmless (rule 10)."""

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
    """The outcome of one handle (rule 19); the span counts code points of the text."""

    start: int
    end: int
    handle: str
    outcome: str
    person: str | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The stored message; a replay returns the same one."""

    id: str
    channel: str
    number: int
    posted_at: datetime
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage:
    """Replace the text of one's own message (rule 12).

    With ``revision`` the edit is refused if the message has another one by now.
    """

    message: str
    text: str
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The message after the edit."""

    id: str
    revision: int
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """Refer to a message by its id."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """The tombstone that a deletion leaves (rule 12)."""

    id: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One earlier text of a message, and who replaced or deleted it (rule 12)."""

    revision: int
    text: str
    replaced_at: datetime
    replaced_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """Earlier texts of a message, oldest first, for internal audit (rule 12)."""

    revisions: tuple[Revision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPage:
    """Read messages before, after or around a number; the newest without one."""

    channel: str
    before: int | None = None
    after: int | None = None
    around: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The author of a message: a person or the robot."""

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
class MentionMark:
    """A mention in a text that this reader could make, or that means them (rule 45).

    The span counts code points; ``me`` is true if it means the reader.
    """

    start: int
    end: int
    person: str
    me: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMay:
    """The changes that this reader may make to a message now (rule 12)."""

    edit: bool = False
    delete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as readers see it; a deleted one is a tombstone without text.

    ``mentions`` and ``may`` depend on the reader; they are empty in responses to
    services.
    """

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
    mentions: tuple[MentionMark, ...] = ()
    may: MessageMay = MessageMay()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Messages by number, and whether more exist before or after them."""

    messages: tuple[Message, ...]
    more_before: bool
    more_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GetChannels:
    """List the channels of a project."""

    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """A channel that the actor may read, and whether the actor may post to it."""

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
class MarkedRead:
    """The read marker after the call."""

    channel: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GetUnread:
    """Count the unread messages of some projects."""

    projects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUnread:
    """Unread messages; ``first`` is the oldest one, ``last`` the channel's newest."""

    channel: str
    unread: int
    first: int | None
    marker: int
    last: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectUnread:
    """Unread messages of a project, summed over the channels the actor may read."""

    project: str
    unread: int
    channels: tuple[ChannelUnread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Unread counts in the order of the request; unreadable projects are left out."""

    projects: tuple[ProjectUnread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetConversation:
    """Read a channel with everything that a page of it shows.

    Name a ``channel``, or a ``project`` for its first channel with unread messages.
    Without ``before``, ``after``, ``around`` or ``latest``, the page begins shortly
    before the first unread message (rule 32); if there is none, it is the newest page.
    """

    channel: str | None = None
    project: str | None = None
    before: int | None = None
    after: int | None = None
    around: int | None = None
    latest: bool = False
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A project as its reader sees it, and a page of ``channel``."""

    project: str
    title: str
    following: bool
    channel: str
    channels: tuple[ChannelFacts, ...]
    unread: ProjectUnread
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMentionable:
    """Complete a typed beginning of a name or mail address."""

    channel: str
    typed: str = ""
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentionable:
    """People the actor may mention in this channel, best first."""

    people: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMessages:
    """Read stored messages by id."""

    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChannel:
    """The channel of a message and the id of its author; None where there is none."""

    channel: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionMentions:
    """The ids of the people whom the text of one revision mentions."""

    revision: int
    mentioned: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message with the ids of the people its text mentions.

    ``history`` holds every revision from the first to the current one, so that a post
    and each edit are routed by what they said then (rule 22); the last one of a
    tombstone mentions nobody. ``message.author.side`` is the side at posting.
    """

    message: Message
    mentioned: tuple[str, ...]
    history: tuple[RevisionMentions, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessages:
    """The messages that exist, in any order."""

    messages: tuple[StoredMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessageChanges:
    """Read the changes after a position, on request with the changed messages."""

    after: int = 0
    limit: int = 200
    contents: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChanges:
    """Consecutive changes, the newest position, and on request their messages."""

    changes: tuple[feed.Change, ...]
    head: int
    messages: tuple[StoredMessage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailReader:
    """A recipient and the messages to mail to them."""

    person: str
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetReadableMessages:
    """Read messages as each of several people may read them now (rule 23).

    ``lease_s`` requests a lease of so many seconds on the facts, as in `GetFacts`.
    """

    readers: tuple[MailReader, ...]
    lease_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderMessages:
    """The requested message ids that one person may read now.

    Of the ``readable`` ones, ``read`` are those before the person's read marker and
    ``mentioned_in`` those whose current text mentions the person.
    """

    person: str
    readable: tuple[str, ...]
    read: tuple[str, ...] = ()
    mentioned_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableMessages:
    """One entry per reader, in the order of the request, and the readable messages.

    ``deleted_ids`` are those of deleted messages. ``facts`` are the facts the response
    was judged by: the readers, the projects of the messages, and who follows them.
    """

    readers: tuple[ReaderMessages, ...]
    messages: tuple[Message, ...]
    deleted_ids: tuple[str, ...] = ()
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class GetScreenMessages:
    """Read messages as each of several people sees them on a screen now.

    The facts they are judged by are leased for ``lease_s`` seconds, as in `GetFacts`.
    """

    people: tuple[str, ...]
    message_ids: tuple[str, ...]
    lease_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenMessage:
    """A message id with what depends on one reader."""

    message: str
    mentions: tuple[MentionMark, ...] = ()
    may: MessageMay = MessageMay()


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The messages that one person may read, in the order of the request."""

    person: str
    messages: tuple[ScreenMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenMessages:
    """One screen per person, in the order of the request, and the messages on any.

    Tombstones are included. The response is valid for ``lease_s`` seconds from the
    request.
    """

    screens: tuple[Screen, ...]
    messages: tuple[Message, ...]
    lease_s: float


POST: Final = Method(SERVICE, "post", PostMessage, Posted, PEOPLE)
EDIT: Final = Method(SERVICE, "edit", EditMessage, Edited, PEOPLE)
DELETE: Final = Method(SERVICE, "delete", MessageRef, Deleted, PEOPLE)
REVISIONS: Final = Method(SERVICE, "revisions", MessageRef, Revisions, PEOPLE)
PAGE: Final = Method(SERVICE, "page", GetPage, Page, PEOPLE)
CHANNELS: Final = Method(SERVICE, "channels", GetChannels, Channels, PEOPLE)
MARK_READ: Final = Method(SERVICE, "mark_read", MarkRead, MarkedRead, PEOPLE)
CONVERSATION: Final = Method(
    SERVICE, "conversation", GetConversation, Conversation, PEOPLE
)
UNREAD: Final = Method(SERVICE, "unread", GetUnread, Unread, PEOPLE)
POLICY: Final = Method(SERVICE, "policy", Empty, Policy, PEOPLE)
MENTIONABLE: Final = Method(SERVICE, "mentionable", GetMentionable, Mentionable, PEOPLE)
GET_MESSAGES: Final = Method(
    SERVICE, "get_messages", GetMessages, StoredMessages, SERVICES
)
MESSAGE_CHANNEL: Final = Method(
    SERVICE, "message_channel", MessageRef, MessageChannel, SERVICES
)
READABLE_MESSAGES: Final = Method(
    SERVICE, "readable_messages", GetReadableMessages, ReadableMessages, SERVICES
)
SCREEN_MESSAGES: Final = Method(
    SERVICE, "screen_messages", GetScreenMessages, ScreenMessages, SERVICES
)
CHANGES: Final = Method(
    SERVICE, "changes", ReadMessageChanges, MessageChanges, SERVICES
)
PROGRESS: Final = feed.progress_of(SERVICE)
DEAD_LETTERS: Final = feed.dead_letters_of(SERVICE)
REDRIVE_DEAD_LETTER: Final = feed.redrive_dead_letter_of(SERVICE)
