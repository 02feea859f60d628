"""What a search engine must do for us, whichever one it is.

An engine is told analysed terms, never a person's query: so every engine finds the same
messages. Each search names the channels it may look in; there is none without.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from clp_contracts.search import Snippet
from clp_search.query import Clause, Query

MOST_COUNTED: Final = 100


class Key(NamedTuple):
    """Where a message stands among all: by time; the rest makes the order total."""

    posted_at: datetime
    number: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A message as an engine keeps it; a deleted one keeps nothing to find it by."""

    message: str
    revision: int
    project: str
    channel: str
    number: int
    author: str
    author_name: str
    posted_at: datetime
    text: str
    attachments: tuple[str, ...] = ()
    deleted: bool = False

    @property
    def key(self) -> Key:
        """Its place in the order of all messages."""
        return Key(self.posted_at, self.number, self.message)


@dataclass(frozen=True, slots=True)
class Group:
    """Any of these terms, or any term that begins like one of ``beginnings``."""

    terms: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()


# All groups of a way must be met, and one way of a condition.
Way = tuple[Group, ...]
Condition = tuple[Way, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A query in terms: what must and must not be met, and what terms cannot tell.

    ``check`` are the clauses to be held against the stored text of each candidate.
    """

    must: tuple[Condition, ...]
    must_not: tuple[Condition, ...]
    check: tuple[Clause, ...]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page of the newest messages of some channels of a project, after a key."""

    project: str
    channels: frozenset[str]
    plan: Plan
    after: Key | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Documents, newest first. ``next`` is the key to go on after, if there is more.

    ``total`` is exact up to `MOST_COUNTED`, unless so much had to be looked at that the
    count was given up.
    """

    documents: tuple[Document, ...]
    total: int
    total_is_exact: bool
    next: Key | None


class Shown(NamedTuple):
    """What is shown of a document that was found: the piece, the names of files."""

    snippet: Snippet
    attachments: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much an engine holds."""

    documents: int
    size_bytes: int


class IndexDamaged(Exception):
    """A part of the index cannot be read; it is being rebuilt from the feed."""


class EngineAway(ConnectionError):
    """What the engine works with does not answer; that passes."""


class Engine(Protocol):
    """Holds documents up to a position of the feed, and finds them."""

    def cursor(self) -> int:
        """The position after which the engine wants to be told changes."""

    def wants(self, project: str, position: int) -> bool:
        """Whether a change of a project is news to it."""

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Take the documents that changed after a position and up to another.

        They are found from now on. Taking the same or an older revision again changes
        nothing, and what would leave a gap in the positions is not taken.
        """

    def search(self, wanted: Wanted) -> Page:
        """Find a page of messages."""

    def show(self, documents: Sequence[Document], query: Query) -> tuple[Shown, ...]:
        """Mark in each document of a page what a query is found by.

        Only documents of one project, which the asker was found to read, are given.
        """

    def tidy(self, now: datetime) -> None:
        """Do what waits: write to disk what is due, look after the files."""

    def checkpoint(self) -> None:
        """Write everything to disk."""

    def size(self) -> Size:
        """How much there is."""

    def close(self) -> None:
        """Write everything to disk and let go of it."""
