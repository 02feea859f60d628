"""Documents as the index orders and stores them, and where they are."""

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
    """A time as the index orders it."""
    return max(0, (instant - _EPOCH) // _MICROSECOND)


@lru_cache(maxsize=4_096)
def channel_number(channel: str) -> int:
    """A channel as a column of numbers keeps it."""
    return int.from_bytes(blake2b(channel.encode(), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class Place:
    """A document on disk."""

    segment: str
    number: int
    revision: int


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document to be written: with its terms, or from where they are to be moved."""

    document: Document
    terms: tuple[str, ...] = ()
    moved_from: tuple[str, int] | None = None


@dataclass(slots=True, kw_only=True)
class Write:
    """A segment to be written: in the order of their keys, these documents.

    ``without`` are places of documents to delete, ``instead_of`` segments that go;
    ``name`` is the new segment's when it is written.
    """

    documents: Sequence[Indexed]
    without: Sequence[tuple[str, int]] = ()
    instead_of: frozenset[str] = frozenset()
    name: str | None = None


def record_of(document: Document) -> tuple[Any, ...]:
    """A document as it is stored."""
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


def document_in(record: tuple[Any, ...]) -> Document:
    """A stored document."""
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
