"""Calls to `search`: find messages, and the state of the index."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clp_contracts.feed import progress_of
from clp_contracts.methods import PEOPLE, SERVICES, Method
from clp_contracts.serialization import Nothing

SERVICE: Final = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFind:
    """Search one channel, or all of a project that the actor may read (rule 33)."""

    query: str
    channel: str | None = None
    project: str | None = None
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of text, in code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of the text as sent, with the found words in it.

    The spans count from the beginning of the piece, which is at ``start`` of the text.
    """

    text: str
    highlights: tuple[Span, ...]
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A message that was found."""

    message: str
    channel: str
    number: int
    author: str
    posted_at: datetime
    snippet: Snippet
    attachments: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hits, newest first; ``total`` is exact up to 100, else 100 with ``more``."""

    hits: tuple[Hit, ...]
    total: int
    total_is_exact: bool
    cursor: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The index: how far it is, how much it holds.

    ``rebuilt_to`` is how far the one in the making is, which takes over when it is
    level; None while none is built.
    """

    position: int
    lag: int
    documents: int
    size_bytes: int
    rebuilt_to: int | None = None


FIND: Final = Method(SERVICE, "find", AskFind, Found, PEOPLE)
STATUS: Final = Method(SERVICE, "status", Nothing, Status, SERVICES)
PROGRESS: Final = progress_of(SERVICE)
