"""Contract of `search`: find messages, report the state of the index."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clp_contracts.feed import progress_of
from clp_contracts.methods import PEOPLE, SERVICES, Method
from clp_contracts.serialization import Empty

SERVICE: Final = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindMessages:
    """Search one channel, or all of a project that the actor may read (rule 33)."""

    query: str
    channel: str | None = None
    project: str | None = None
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of a text, in code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """An excerpt of the text as sent, with the spans that match.

    The spans count from the beginning of the excerpt, at ``start`` of the text.
    """

    text: str
    highlights: tuple[Span, ...]
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A message that matches the query."""

    message: str
    channel: str
    number: int
    author: str
    author_name: str
    posted_at: datetime
    snippet: Snippet
    attachments: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """Hits, newest first; ``total`` is exact up to 100, else 100 with ``more``."""

    hits: tuple[Hit, ...]
    total: int
    total_is_exact: bool
    cursor: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Position, lag and size in bytes of the index.

    ``rebuilt_to`` is the position of the index being rebuilt, which replaces the
    current one when it has caught up; None while no rebuild runs.
    """

    position: int
    lag: int
    documents: int
    size: int
    rebuilt_to: int | None = None


FIND: Final = Method(SERVICE, "find", FindMessages, SearchPage, PEOPLE)
STATUS: Final = Method(SERVICE, "status", Empty, Status, SERVICES)
PROGRESS: Final = progress_of(SERVICE)
