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
from clp_chassis.persistence.column_types import UtcDateTime


def _name(length: int) -> TypeEngine[str]:
    """Compare bytes on every database: faster, and independent of locales."""
    by_bytes = String(length, collation="C")
    return String(length).with_variant(by_bytes, "postgresql")


ID: Final = _name(64)
RANDOM_ID: Final = _name(32)
# PROJECT/direct/PARTNER, both ids of 64 characters.
CHANNEL: Final = _name(140)
IDEMPOTENCY_KEY: Final = _name(200)
NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """All tables of the service."""


class ChannelRow(Base):
    """A channel that has messages, with the number of the last one."""

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
        UniqueConstraint("channel", "author", "idempotency_key", name="messages_once"),
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
    # Counts the author's messages in this channel, so that no query has to.
    author_number: Mapped[int] = mapped_column(NUMBER)
    text: Mapped[str] = mapped_column(Text)
    # The spans of the text that mean a person, with the partner of that person then.
    marks: Mapped[str] = mapped_column(Text)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    edited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    idempotency_key: Mapped[str] = mapped_column(IDEMPOTENCY_KEY)
    # The content and the response of the first post with this key (rule 10).
    content_hash: Mapped[str] = mapped_column(String(64))
    outcomes: Mapped[str] = mapped_column(Text)


# Unread numbers subtract the deleted messages, which are few.
Index(
    "messages_deleted",
    MessageRow.channel,
    MessageRow.number,
    MessageRow.author,
    postgresql_where=MessageRow.deleted_at.is_not(None),
    sqlite_where=MessageRow.deleted_at.is_not(None),
)


class RevisionRow(Base):
    """The text of a message before an edit or its deletion, for internal audit."""

    __tablename__ = "revisions"

    message: Mapped[str] = mapped_column(
        RANDOM_ID, ForeignKey("messages.id"), primary_key=True
    )
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    marks: Mapped[str] = mapped_column(Text)
    replaced_at: Mapped[datetime] = mapped_column(UtcDateTime)
    replaced_by: Mapped[str] = mapped_column(ID)


class MentionRow(Base):
    """A person whom the current text of a message mentions."""

    __tablename__ = "mentions"

    message: Mapped[str] = mapped_column(
        RANDOM_ID, ForeignKey("messages.id"), primary_key=True
    )
    person: Mapped[str] = mapped_column(ID, primary_key=True)


class AttachmentRow(Base):
    """A file: being received, not posted yet, attached, or discarded.

    Until its end is known, ``size`` is the reserved number of bytes. ``partner`` is
    that of the uploader then; empty for the studio.
    """

    __tablename__ = "attachments"
    __table_args__ = (Index("attachments_of_message", "message", "place"),)

    id: Mapped[str] = mapped_column(RANDOM_ID, primary_key=True)
    channel: Mapped[str] = mapped_column(CHANNEL)
    uploader: Mapped[str] = mapped_column(ID)
    partner: Mapped[str | None] = mapped_column(ID)
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(NUMBER)
    sha256: Mapped[str] = mapped_column(String(64))
    # The key of the bytes in the store; never returned to a caller.
    store_key: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    message: Mapped[str | None] = mapped_column(RANDOM_ID, ForeignKey("messages.id"))
    place: Mapped[int] = mapped_column(Integer)


# The sweep reads files without a message only.
Index(
    "attachments_unposted",
    AttachmentRow.uploaded_at,
    postgresql_where=AttachmentRow.message.is_(None),
    sqlite_where=AttachmentRow.message.is_(None),
)


# Removed soon; a sweep finds those that an ended process left.
Index(
    "attachments_discarded",
    AttachmentRow.id,
    postgresql_where=AttachmentRow.state == "discarded",
    sqlite_where=AttachmentRow.state == "discarded",
)


class UploadTallyRow(Base):
    """Files and bytes that a person or a channel uploaded on one day (UTC)."""

    __tablename__ = "upload_tallies"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    scope: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(CHANNEL, primary_key=True)
    files: Mapped[int] = mapped_column(NUMBER)
    bytes: Mapped[int] = mapped_column(NUMBER)


class HeldBytesRow(Base):
    """The bytes of all files of a partner: the sum of their sizes, at every moment."""

    __tablename__ = "held_bytes"

    partner: Mapped[str] = mapped_column(ID, primary_key=True)
    bytes: Mapped[int] = mapped_column(NUMBER)


class ReadMarkerRow(Base):
    """The last message of a channel that a person has read; private to them."""

    __tablename__ = "read_markers"

    person: Mapped[str] = mapped_column(ID, primary_key=True)
    channel: Mapped[str] = mapped_column(CHANNEL, primary_key=True)
    number: Mapped[int] = mapped_column(NUMBER)


# Frequent statements name tables: they do not pass through the object mapper.
CHANNELS: Final = Base.metadata.tables["channels"]
MESSAGES: Final = Base.metadata.tables["messages"]
REVISIONS: Final = Base.metadata.tables["revisions"]
MENTIONS: Final = Base.metadata.tables["mentions"]
READ_MARKERS: Final = Base.metadata.tables["read_markers"]
OUTBOX: Final = Outbox(Base.metadata)
CURSORS: Final = Cursors(Base.metadata)
