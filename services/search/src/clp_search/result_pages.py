"""Pages of matching documents, newest first, verified where terms do not decide.

Every engine builds its pages here, so they end, count and continue alike. Verification
on the stored text has a work budget; a page that exhausts it says so, with the sort key
to continue after.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from clp_search.engine import MAX_COUNTED, Document, HitPage, SearchRequest, SortKey
from clp_search.highlighting import VerifiedHit

MAX_VERIFIED: Final = 1_000
MAX_VERIFIED_LENGTH: Final = 200_000
# Scripts without spaces give a token for each character: such texts cost more.
_WORK_OF_OTHERS: Final = 3

# Iterates the documents that match the terms, newest first, after a sort key.
NewestFirst = Callable[[SortKey | None], Iterator[Document]]


def page_of(
    newest_first: NewestFirst, request: SearchRequest, count: Callable[[], int]
) -> HitPage:
    """Build the requested page; ``count`` returns how many documents match the terms.

    It may stop at one more than `MAX_COUNTED`.
    """
    if request.plan.verify:
        return _verified_page(newest_first, request)
    some = list(islice(newest_first(request.after), request.limit + 1))
    if request.after is None and len(some) <= request.limit:
        return _page(some, request, len(some))
    return _page(some, request, count())


def _verified_page(newest_first: NewestFirst, request: SearchRequest) -> HitPage:
    """Verify documents for the page first, then count the matches newer than it."""
    page = _Verifier(request)
    for document in newest_first(request.after):
        if page.has_enough() or not page.verify(document):
            break
    some = page.matching[: request.limit + 1]
    total, complete = len(page.matching), not page.exhausted
    if request.after is not None:
        newer = _Verifier(request)
        for document in newest_first(None):
            if document.key < request.after or len(newer.matching) > MAX_COUNTED:
                break
            if not newer.verify(document):
                break
        total, complete = total + len(newer.matching), complete and not newer.exhausted
    found = _page(some, request, total, complete=complete)
    if page.exhausted and found.next is None:
        return HitPage(
            documents=found.documents,
            total=found.total,
            total_is_exact=False,
            next=page.last,
        )
    return found


class _Verifier:
    """Verifies documents until the work budget is spent."""

    def __init__(self, request: SearchRequest) -> None:
        self._request = request
        self._verified = self._characters = 0
        self.matching: list[Document] = []
        self.last: SortKey | None = None
        self.exhausted = False

    def verify(self, document: Document) -> bool:
        """Verify one more document; return false when the budget does not allow it."""
        if self._verified >= MAX_VERIFIED or self._characters >= MAX_VERIFIED_LENGTH:
            self.exhausted = True
            return False
        self._verified += 1
        text = document.text
        self._characters += len(text) * (1 if text.isascii() else _WORK_OF_OTHERS)
        self.last = document.key
        if VerifiedHit(document).matches(self._request.plan.verify):
            self.matching.append(document)
        return True

    def has_enough(self) -> bool:
        """Return whether neither the page nor the count needs more documents."""
        return len(self.matching) > max(self._request.limit, MAX_COUNTED)


def _page(
    some: list[Document], request: SearchRequest, total: int, *, complete: bool = True
) -> HitPage:
    shown = tuple(some[: request.limit])
    return HitPage(
        documents=shown,
        total=min(total, MAX_COUNTED),
        total_is_exact=complete and total <= MAX_COUNTED,
        next=shown[-1].key if len(some) > request.limit else None,
    )
