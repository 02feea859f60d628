"""Pages over several sources, each in its own order, as if they were one.

Sources are opened only when their newest document is needed. What terms cannot decide
is decided on the stored text, within a budget; a page that ran out of it says so, with
the key to go on after.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import islice
from typing import Final, Protocol

from clp_search.checking import Checked
from clp_search.engine import MOST_COUNTED, Document, Key, Page, Wanted
from clp_search.index.documents import microseconds

MOST_CHECKED: Final = 1_000
MOST_CHARACTERS_CHECKED: Final = 200_000


class Source(Protocol):
    """Documents in the order of their keys."""

    @property
    def newest(self) -> int:
        """The time of the last one."""

    def found(self) -> Sequence[int]:
        """The numbers of those that meet the terms, oldest first."""

    def time(self, number: int) -> int:
        """When one was posted."""

    def load(self, number: int) -> Document:
        """The whole of one."""


class _Entry:
    """A document of a source, and its way to the next older one."""

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
        """Newer ones come first from a heap; most times differ, so few are loaded."""
        if self.time != other.time:
            return self.time > other.time
        return self.document.key > other.document.key


def page_of(sources: Sequence[Source], wanted: Wanted) -> Page:
    """A page of what is wanted from all sources."""
    if wanted.plan.check:
        return _checked_page(sources, wanted)
    entries = _entries(sources, wanted.after)
    some = [entry.document for entry in islice(entries, wanted.limit + 1)]
    total = 0
    for source in sources:
        total += len(source.found())
        if total > MOST_COUNTED:
            break
    return _page(some, wanted, total)


def _checked_page(sources: Sequence[Source], wanted: Wanted) -> Page:
    """Checks for the page first, then counts what is newer than it."""
    page = _Checking(wanted)
    for entry in _entries(sources, wanted.after):
        if page.enough_for_all() or not page.check(entry.document):
            break
    some = page.met[: wanted.limit + 1]
    total, complete = len(page.met), not page.exhausted
    if wanted.after is not None:
        newer = _Checking(wanted)
        for entry in _entries(sources, None):
            if entry.document.key < wanted.after or len(newer.met) > MOST_COUNTED:
                break
            if not newer.check(entry.document):
                break
        total, complete = total + len(newer.met), complete and not newer.exhausted
    found = _page(some, wanted, total, complete=complete)
    if page.exhausted and found.next is None:
        return Page(
            documents=found.documents,
            total=found.total,
            total_is_exact=False,
            next=page.last,
        )
    return found


class _Checking:
    """Documents held against the query, until the budget is spent."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._checked = self._characters = 0
        self.met: list[Document] = []
        self.last: Key | None = None
        self.exhausted = False

    def check(self, document: Document) -> bool:
        """Check one more; false when the budget did not allow it."""
        if self._checked >= MOST_CHECKED or self._characters >= MOST_CHARACTERS_CHECKED:
            self.exhausted = True
            return False
        self._checked += 1
        self._characters += len(document.text)
        self.last = document.key
        if Checked(document).meets(self._wanted.plan.check):
            self.met.append(document)
        return True

    def enough_for_all(self) -> bool:
        """Whether neither the page nor the count needs more."""
        return len(self.met) > max(self._wanted.limit, MOST_COUNTED)


def _page(
    some: list[Document], wanted: Wanted, total: int, *, complete: bool = True
) -> Page:
    shown = tuple(some[: wanted.limit])
    return Page(
        documents=shown,
        total=min(total, MOST_COUNTED),
        total_is_exact=complete and total <= MOST_COUNTED,
        next=shown[-1].key if len(some) > wanted.limit else None,
    )


def _entries(sources: Sequence[Source], after: Key | None) -> Iterator[_Entry]:
    """The documents found in all sources, newest first, after a key."""
    waiting = sorted(sources, key=lambda source: source.newest)
    heap: list[_Entry] = []
    while True:
        while waiting and (not heap or waiting[-1].newest >= heap[0].time):
            first = _first(waiting.pop(), after)
            if first is not None:
                heappush(heap, first)
        if not heap:
            return
        entry = heappop(heap)
        if (older := entry.older()) is not None:
            heappush(heap, older)
        yield entry


def _first(source: Source, after: Key | None) -> _Entry | None:
    """The newest document of a source after a key."""
    found = source.found()
    end = len(found)
    if after is not None:
        end = bisect_right(found, microseconds(after.posted_at), key=source.time)
        while end and source.load(found[end - 1]).key >= after:
            end -= 1
    return _Entry(source, end - 1) if end else None
