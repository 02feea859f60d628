"""One message as its reader sees it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from itertools import groupby
from typing import Final

from clp_contracts.messages import Attachment, Author, Message
from clp_portal.translation import N_, Locale
from clp_portal.views.people import Avatar, avatar
from clp_portal.views.text import Segment, segments_of
from clp_portal.views.urls import (
    attachment_url,
    channel_url,
    explanation_url,
    message_url,
    revisions_url,
)

# Messages of one author within this time stand under one name.
GROUPED: Final = timedelta(minutes=5)
ROBOT: Final = "robot"
INTERNAL: Final = "internal"
IMAGE: Final = N_("Image")
AUDIO: Final = N_("Audio")
VIDEO: Final = N_("Video")
TABLE: Final = N_("Table")
SCORE: Final = N_("Score")
FILE: Final = N_("File")
KINDS: Final = {
    **dict.fromkeys(
        [
            "ai",
            "bmp",
            "eps",
            "gif",
            "heif",
            "jpeg",
            "jpg",
            "png",
            "psd",
            "raw",
            "svj",
            "webp",
        ],
        IMAGE,
    ),
    "csv": TABLE,
    "mov": VIDEO,
    "mxl": SCORE,
    "wav": AUDIO,
}
MAX_EXTENSION: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentView:
    """A file as a card: name, kind, size, and the letters on its sign."""

    name: str
    url: str
    size: str
    kind: str
    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message with what its neighbours decide.

    ``grouped`` stands under the name of the message before; ``first_unread`` bears the
    divider above it. ``side`` is the badge beside the name, empty for none.
    """

    id: str
    number: int
    revision: int
    url: str
    author: str
    author_id: str
    avatar: Avatar
    side: str
    is_robot: bool
    is_own: bool
    grouped: bool
    first_unread: bool
    day: date
    day_heading: str
    time: str
    iso: str
    is_edited: bool
    is_deleted: bool
    text: str
    segments: tuple[Segment, ...]
    attachments: tuple[AttachmentView, ...]
    may_edit: bool
    may_delete: bool
    change_url: str
    edit_url: str
    delete_url: str
    explanation_url: str
    revisions_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The messages of one day of the reader; ``offset`` is that of their zone."""

    day: date
    heading: str
    offset: str
    messages: tuple[MessageView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The reader on whom the view of a message depends."""

    id: str
    side: str
    locale: Locale
    # The name of the channel's partner; None in a broadcast.
    partner_name: str | None = None


def message_view(
    message: Message,
    reader: Reader,
    *,
    grouped: bool = False,
    first_unread: bool = False,
) -> MessageView:
    """Draw one message for a reader."""
    locale = reader.locale
    day = locale.local_day(message.posted_at)
    is_robot = message.author.id == ROBOT
    return MessageView(
        id=message.id,
        number=message.number,
        revision=message.revision,
        url=message_url(message.channel, message.number),
        author=locale.gettext("Robot") if is_robot else message.author.name,
        author_id=message.author.id,
        avatar=avatar(message.author.id, message.author.name),
        side=_side(message.author, reader),
        is_robot=is_robot,
        is_own=message.author.id == reader.id,
        grouped=grouped,
        first_unread=first_unread,
        day=day,
        day_heading=locale.day(day),
        time=locale.time(message.posted_at),
        iso=f"{message.posted_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        is_edited=message.edited_at is not None and not message.deleted,
        is_deleted=message.deleted,
        text=message.text,
        segments=segments_of(message.text, message.mentions),
        attachments=tuple(attachment_view(one, locale) for one in message.attachments),
        may_edit=message.may.edit,
        may_delete=message.may.delete,
        change_url=f"{channel_url(message.channel)}/{message.number}",
        edit_url=message_url(message.channel, message.number, edit=1),
        delete_url=message_url(message.channel, message.number, delete=1),
        explanation_url=explanation_url(message.id),
        revisions_url=(
            revisions_url(message.id)
            if reader.side == INTERNAL and message.revision > 1
            else ""
        ),
    )


def attachment_view(attachment: Attachment, locale: Locale) -> AttachmentView:
    """Draw a file as a card."""
    extension = attachment.name.rpartition(".")[2].lower()
    return AttachmentView(
        name=attachment.name,
        url=attachment_url(attachment.id),
        size=locale.size(attachment.size),
        kind=locale.gettext(KINDS.get(extension, FILE)),
        extension=extension[:MAX_EXTENSION].upper(),
    )


def days_of(
    messages: Iterable[Message], reader: Reader, *, marker: int | None
) -> tuple[Day, ...]:
    """Draw messages by days; the divider stands before the first unread one.

    Without a ``marker`` there is no divider.
    """
    messages = tuple(messages)
    first = _first_unread(messages, reader, marker)
    days = groupby(messages, key=lambda m: reader.locale.local_day(m.posted_at))
    return tuple(
        _day(day, tuple(group), reader, first_unread=first) for day, group in days
    )


def _day(
    day: date,
    messages: tuple[Message, ...],
    reader: Reader,
    *,
    first_unread: int | None,
) -> Day:
    return Day(
        day=day,
        heading=reader.locale.day(day),
        offset=reader.locale.offset(messages[0].posted_at),
        messages=_views_of_day(messages, reader, first_unread),
    )


def _views_of_day(
    messages: tuple[Message, ...], reader: Reader, first_unread: int | None
) -> tuple[MessageView, ...]:
    views: list[MessageView] = []
    before: Message | None = None
    for message in messages:
        opens = message.number == first_unread
        joined = before is not None and not opens and _belongs_to(message, before)
        views.append(message_view(message, reader, grouped=joined, first_unread=opens))
        before = message
    return tuple(views)


def _belongs_to(message: Message, before: Message) -> bool:
    """Whether a message stands under the name of the one before it."""
    return (
        before.author.id == message.author.id
        and not before.deleted
        and message.posted_at - before.posted_at < GROUPED
    )


def _first_unread(
    messages: tuple[Message, ...], reader: Reader, marker: int | None
) -> int | None:
    """Return the first message after the marker; None when it may not be here.

    The divider is drawn only where the loaded messages join the marker: below a gap
    nobody knows whether something unread stands above.
    """
    if marker is None or not messages or messages[0].number > marker + 1:
        return None
    unread = (
        message.number
        for message in messages
        if message.number > marker
        and message.author.id != reader.id
        and not message.deleted
    )
    return next(unread, None)


def _side(author: Author, reader: Reader) -> str:
    if author.id == ROBOT:
        return reader.locale.gettext("automatic")
    if author.side == INTERNAL:
        return reader.locale.gettext("studio")
    return reader.partner_name or ""
