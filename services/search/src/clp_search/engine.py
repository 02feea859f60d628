"""The interface of a search engine, and the values it works with.

An engine takes analysed terms and never a person's query, so every engine matches the
same messages. Each search names the channels it covers; there is no unscoped search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeVar

from clp_contracts.search import Snippet
from clp_search.query import Clause, Query

MAX_COUNTED: Final = 100
Result = TypeVar("Result")


class SortKey(NamedTuple):
    """Sort key of a message: its time first, then what makes the order total."""

    posted_at: datetime
    number: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A message as an engine stores it; a deleted one keeps no searchable content."""

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
    def key(self) -> SortKey:
        """Its sort key."""
        return SortKey(self.posted_at, self.number, self.message)


@dataclass(frozen=True, slots=True)
class TermGroup:
    """Matches any of these terms."""

    terms: tuple[str, ...]


# A conjunction matches when all of its groups do, a disjunction when one part does.
Conjunction = tuple[TermGroup, ...]
Disjunction = tuple[Conjunction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPlan:
    """A query as terms: required, excluded, and what terms alone cannot decide.

    ``verify`` holds the clauses to check on the stored text of each candidate.
    """

    must: tuple[Disjunction, ...]
    must_not: tuple[Disjunction, ...]
    verify: tuple[Clause, ...]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """Request the newest messages of some channels of a project, after a sort key."""

    project: str
    channels: frozenset[str]
    plan: QueryPlan
    after: SortKey | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRequest:
    """Verify documents after a sort key, and none older than ``until``.

    ``needed`` matches are enough; the first ones are ``shown``, the others counted.
    """

    search: SearchRequest
    after: SortKey | None
    until: SortKey | None
    needed: int
    shown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSlice:
    """The first matching documents, the number of all, and the work that it took.

    ``last`` is the last one verified; it is ``complete`` when no document is left.
    """

    documents: tuple[Document, ...] = ()
    count: int = 0
    last: SortKey | None = None
    verified: int = 0
    steps: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HitPage:
    """Documents, newest first; ``next`` is the sort key to continue after, if any.

    ``total`` is exact up to `MAX_COUNTED`, unless the work budget ended before.
    """

    documents: tuple[Document, ...]
    total: int
    total_is_exact: bool
    next: SortKey | None


class HitSnippets(NamedTuple):
    """Highlighted parts of a hit: the snippet of its text, and its file names."""

    snippet: Snippet
    attachments: tuple[Snippet, ...]


class HighlightedSlice(NamedTuple):
    """The shown parts of some documents, and the work that they took."""

    snippets: tuple[HitSnippets, ...]
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSize:
    """Number of documents and bytes an engine stores."""

    documents: int
    size_bytes: int


class IndexDamaged(Exception):
    """A part of the index is corrupt; it is being rebuilt from the feed."""


class QueryTooExpensive(Exception):
    """A query takes more work on a single text than allowed; refuse it."""


class StepsSpent(Exception):
    """The partner has no steps left; the search would wait too long and is refused."""


class TextTooLarge(Exception):
    """A text takes more work to index than allowed; make it a dead letter."""


class EngineUnavailable(ConnectionError):
    """The engine's backend does not respond; retry later."""


class EngineTimeout(EngineUnavailable):
    """The engine took too long; a smaller request may fit."""


class Slots(Protocol):
    """Runs the parts of a search, each when it has a slot."""

    def __call__(
        self, part: Callable[[], Result], steps_of: Callable[[Result], int], /
    ) -> Result:
        """Run a part, and pay the steps that it took."""


def at_once(part: Callable[[], Result], steps_of: Callable[[Result], int]) -> Result:
    """Run a part of a search that shares its engine with nobody."""
    del steps_of
    return part()


def without_steps(_: object) -> int:
    """Return the steps of a part that reads no text."""
    return 0


class Engine(Protocol):
    """Stores documents up to a position of the feed, and searches them."""

    def cursor(self) -> int:
        """Return the position after which the engine needs changes."""

    def wants(self, project: str, position: int) -> bool:
        """Return whether a change of a project is new to the engine."""

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Apply the documents that changed after a position and up to another.

        They are searchable at once. Equal and older revisions change nothing, and
        documents that would leave a gap in the positions are ignored.
        """

    def search(self, request: SearchRequest, slots: Slots = at_once) -> HitPage:
        """Return a page of matching messages, part by part."""

    def highlight(
        self, documents: Sequence[Document], query: Query, slots: Slots = at_once
    ) -> tuple[HitSnippets, ...]:
        """Highlight the matches in the documents of a page.

        Pass only documents of one project that the actor was found to read.
        """

    def maintain(self, now: datetime) -> None:
        """Do due maintenance: flush, merge, verify files."""

    def checkpoint(self) -> None:
        """Flush everything to disk."""

    def size(self) -> IndexSize:
        """Return how much is stored."""

    def close(self) -> None:
        """Flush everything to disk and release all files."""
