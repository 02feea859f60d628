"""The tables of `messages`: channels, messages, mentions, attachments, read markers."""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from clp_chassis.events.outbox import Outbox
from clp_chassis.events.projections import Cursors
from clp_chassis.persistence.column_types import Instant


def _name(length: int) -> TypeEngine[str]:
    """Compared byte by byte everywhere: faster, and no locale has a say in it."""
    by_bytes = String(length, collation="C")
    return String(length).with_variant(by_bytes, "postgresql")


ID: Final = _name(64)
RANDOM_ID: Final = _name(32)
# PROJECT/direct/PARTNER, both ids of 64 characters.
CHANNEL: Final = _name(140)
RETRY_KEY: Final = _name(200)
NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """All tables of the service."""


class ChannelRow(Base):
    """A channel in which somebody has posted, with the number of its last message."""

    __tablename__ = "channels"

    name: Mapped[str] = mapped_column(CHANNEL, primary_key=True)
    project: Mapped[str] = mapped_column(ID)
    last_number: Mapped[int] = mapped_column(NUMBER)


class MessageRow(Base):
    """A message; a deleted one keeps its place and loses its text (rule 12).

    The author's name and side are those at the time of posting.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("channel", "number", name="messages_in_order"),
        UniqueConstraint("channel", "author", "retry_key", name="messages_once"),
        Index("messages_by_author", "channel", "author", "number", "author_number"),
    )

    id: Mapped[str] = mapped_column(RANDOM_ID, primary_key=True)
    channel: Mapped[str] = mapped_column(CHANNEL, ForeignKey("channels.name"))
    project: Mapped[str] = mapped_column(ID)
    number: Mapped[int] = mapped_column(NUMBER)
    revision: Mapped[int] = mapped_column(Integer)
    author: Mapped[str] = mapped_column(ID)
    author_name: Mapped[str] = mapped_column(Text)
    author_side: Mapped[str] = mapped_column(String(16))
    # Which of the author's own in this channel it is; so that nobody has to count them.
    author_number: Mapped[int] = mapped_column(NUMBER)
    text: Mapped[str] = mapped_column(Text)
    posted_at: Mapped[datetime] = mapped_column(Instant)
    edited_at: Mapped[datetime | None] = mapped_column(Instant)
    deleted_at: Mapped[datetime | None] = mapped_column(Instant)
    retry_key: Mapped[str] = mapped_column(RETRY_KEY)
    # What the retry key was used for, and what its first use was answered (rule 10).
    content_hash: Mapped[str] = mapped_column(String(64))
    outcomes: Mapped[str] = mapped_column(Text)


# Unread numbers subtract what was deleted, which is little.
Index(
    "messages_deleted",
    MessageRow.channel,
    MessageRow.number,
    MessageRow.author,
    postgresql_where=MessageRow.deleted_at.is_not(None),
    sqlite_where=MessageRow.deleted_at.is_not(None),
)


class EarlierTextRow(Base):
    """What a message said before an edit or its deletion; for internal audit."""

    __tablename__ = "earlier_texts"

    message: Mapped[str] = mapped_column(
        RANDOM_ID, ForeignKey("messages.id"), primary_key=True
    )
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    replaced_at: Mapped[datetime] = mapped_column(Instant)
    replaced_by: Mapped[str] = mapped_column(ID)


class MentionRow(Base):
    """A person whom the message mentions as it stands now."""

    __tablename__ = "mentions"

    message: Mapped[str] = mapped_column(
        RANDOM_ID, ForeignKey("messages.id"), primary_key=True
    )
    person: Mapped[str] = mapped_column(ID, primary_key=True)


class AttachmentRow(Base):
    """A file: being received, waiting for its message, attached, or discarded."""

    __tablename__ = "attachments"
    __table_args__ = (Index("attachments_of_message", "message", "place"),)

    id: Mapped[str] = mapped_column(RANDOM_ID, primary_key=True)
    channel: Mapped[str] = mapped_column(CHANNEL)
    uploader: Mapped[str] = mapped_column(ID)
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(NUMBER)
    sha256: Mapped[str] = mapped_column(String(64))
    # Where the store keeps the bytes; never told to anybody.
    store_key: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    message: Mapped[str | None] = mapped_column(RANDOM_ID, ForeignKey("messages.id"))
    place: Mapped[int] = mapped_column(Integer)


# The sweep looks at what waits for a message, never at what has one.
Index(
    "attachments_waiting",
    AttachmentRow.uploaded_at,
    postgresql_where=AttachmentRow.message.is_(None),
    sqlite_where=AttachmentRow.message.is_(None),
)


class UploadTallyRow(Base):
    """What a person or a channel has brought on one day (UTC)."""

    __tablename__ = "upload_tallies"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    holder: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(CHANNEL, primary_key=True)
    files: Mapped[int] = mapped_column(NUMBER)
    bytes: Mapped[int] = mapped_column(NUMBER)


class ReadMarkerRow(Base):
    """The last message of a channel that a person has read; nobody else sees it."""

    __tablename__ = "read_markers"

    person: Mapped[str] = mapped_column(ID, primary_key=True)
    channel: Mapped[str] = mapped_column(CHANNEL, primary_key=True)
    number: Mapped[int] = mapped_column(NUMBER)


OUTBOX: Final = Outbox(Base.metadata)
CURSORS: Final = Cursors(Base.metadata)
