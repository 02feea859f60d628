"""Merge the sorted documents of several sources into one iteration.

Sources are evaluated only when their newest document is needed.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Protocol

from clp_search.engine import MAX_COUNTED, Document, SortKey
from clp_search.index.documents import microseconds


class Source(Protocol):
    """Documents in the order of their sort keys."""

    @property
    def newest(self) -> int:
        """The time of the newest one."""

    def found(self) -> Sequence[int]:
        """Return the numbers of the matching documents, oldest first."""

    def time(self, number: int) -> int:
        """Return the time of a document."""

    def load(self, number: int) -> Document:
        """Return a document."""


class _Entry:
    """A document of a source, with the step to the next older one."""

    def __init__(self, source: Source, at: int) -> None:
        self._source = source
        self._at = at
        self._number = source.found()[at]
        self.time = source.time(self._number)
        self._document: Document | None = None

    @property
    def document(self) -> Document:
        if self._document is None:
            self._document = self._source.load(self._number)
        return self._document

    def older(self) -> "_Entry | None":
        return _Entry(self._source, self._at - 1) if self._at else None

    def __lt__(self, other: "_Entry") -> bool:
        """Order newest first; times mostly differ, so few documents are loaded."""
        if self.time != other.time:
            return self.time > other.time
        return self.document.key > other.document.key


def newest_first(
    sources: Sequence[Source], after: SortKey | None
) -> Iterator[Document]:
    """Iterate the matches of all sources, newest first, after a sort key."""
    return (entry.document for entry in _entries(sources, after))


def count(sources: Sequence[Source]) -> int:
    """Count the matches of all sources, up to a little more than `MAX_COUNTED`."""
    total = 0
    for source in sources:
        total += len(source.found())
        if total > MAX_COUNTED:
            break
    return total


def _entries(sources: Sequence[Source], after: SortKey | None) -> Iterator[_Entry]:
    unopened = sorted(sources, key=lambda source: source.newest)
    heap: list[_Entry] = []
    while True:
        while unopened and (not heap or unopened[-1].newest >= heap[0].time):
            first = _first(unopened.pop(), after)
            if first is not None:
                heappush(heap, first)
        if not heap:
            return
        entry = heappop(heap)
        if (older := entry.older()) is not None:
            heappush(heap, older)
        yield entry


def _first(source: Source, after: SortKey | None) -> _Entry | None:
    """Return the newest match of a source after a sort key."""
    found = source.found()
    end = len(found)
    if after is not None:
        end = bisect_right(found, microseconds(after.posted_at), key=source.time)
        while end and source.load(found[end - 1]).key >= after:
            end -= 1
    return _Entry(source, end - 1) if end else None
