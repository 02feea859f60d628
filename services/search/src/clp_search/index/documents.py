"""Documents as the index sorts and stores them, and their locations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from clp_search.engine import Document

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Convert a time to the integer the index sorts by."""
    return max(0, (instant - _EPOCH) // _MICROSECOND)


@lru_cache(maxsize=4_096)
def channel_number(channel: str) -> int:
    """Hash a channel to the integer of the channel column."""
    return int.from_bytes(blake2b(channel.encode(), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class DocumentLocation:
    """Location of a stored document: segment, number in it, revision."""

    segment: str
    number: int
    revision: int


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A document to write: with its terms, or the segment to move them from."""

    document: Document
    terms: tuple[str, ...] = ()
    moved_from: tuple[str, int] | None = None


@dataclass(slots=True, kw_only=True)
class SegmentWrite:
    """A segment to write, its documents in the order of their sort keys.

    ``deletions`` are documents to delete, ``replaces`` the segments that the new one
    replaces; ``name`` is set when it is written.
    """

    documents: Sequence[IndexedDocument]
    deletions: Sequence[tuple[str, int]] = ()
    replaces: frozenset[str] = frozenset()
    name: str | None = None


def to_record(document: Document) -> tuple[Any, ...]:
    """Convert a document to the record that is stored."""
    return (
        document.message,
        document.revision,
        document.channel,
        document.number,
        document.author,
        document.author_name,
        microseconds(document.posted_at),
        document.text,
        document.attachments,
        document.deleted,
    )


def from_record(record: tuple[Any, ...]) -> Document:
    """Convert a stored record to a document."""
    message, revision, channel, number, author, name, moment, *rest = record
    text, attachments, deleted = rest
    return Document(
        message=message,
        revision=revision,
        project=channel.split("/", 1)[0],
        channel=channel,
        number=number,
        author=author,
        author_name=name,
        posted_at=_EPOCH + timedelta(microseconds=moment),
        text=text,
        attachments=tuple(attachments),
        deleted=deleted,
    )
