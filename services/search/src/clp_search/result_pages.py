"""Pages of matching documents, newest first, verified where terms do not decide.

Every engine builds its pages here, so they end, count and continue alike. Verification
on the stored text goes in slices: between two of them an engine serves other requests.
It has a budget of work; a page that exhausts it says so, with the sort key to continue
after. A query that is too much for a single text is refused.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Final

from clp_search.analysis.work import MAX_STEPS_OF_TEXT, OverBudget, WorkBudget
from clp_search.engine import (
    MAX_COUNTED,
    Document,
    HitPage,
    QueryTooExpensive,
    SearchRequest,
    SliceRequest,
    Slots,
    SortKey,
    VerifiedSlice,
)
from clp_search.highlighting import VerifiedHit

# Of a whole page: less than a tenth of a second.
MAX_STEPS: Final = 200_000
MAX_VERIFIED: Final = 1_000


# Of a slice: some milliseconds, unless a single text takes longer. A hundred ordinary
# texts fit into one.
MAX_STEPS_OF_SLICE: Final = 12_000
MAX_VERIFIED_OF_SLICE: Final = MAX_COUNTED + 1

# Iterates the documents that match the terms, newest first, after a sort key.
NewestFirst = Callable[[SortKey | None], Iterator[Document]]
VerifySlice = Callable[[SliceRequest], VerifiedSlice]


def page_of(
    newest_first: NewestFirst, request: SearchRequest, count: Callable[[], int]
) -> HitPage:
    """Build a page where terms decide; ``count`` returns how many documents match.

    It may stop at one more than `MAX_COUNTED`.
    """
    some = list(islice(newest_first(request.after), request.limit + 1))
    if request.after is None and len(some) <= request.limit:
        return _page(some, request, len(some))
    return _page(some, request, count())


def verify_slice(newest_first: NewestFirst, request: SliceRequest) -> VerifiedSlice:
    """Verify documents until a slice is full.

    Raises:
        QueryTooExpensive: when a single text takes too much work.
    """
    budget = WorkBudget(MAX_STEPS_OF_SLICE + MAX_STEPS_OF_TEXT)
    result = VerifiedSlice()
    for document in newest_first(request.after):
        if request.until is not None and document.key < request.until:
            break
        full = (
            budget.left < MAX_STEPS_OF_TEXT
            or result.verified >= MAX_VERIFIED_OF_SLICE
            or result.count >= request.needed
        )
        if full:
            return replace(result, complete=False)
        steps = budget.left
        try:
            matches = VerifiedHit(document, budget).matches(request.search.plan.verify)
        except OverBudget as error:
            raise QueryTooExpensive from error
        shown = matches and result.count < request.shown
        result = VerifiedSlice(
            documents=(*result.documents, document) if shown else result.documents,
            count=result.count + matches,
            last=document.key,
            verified=result.verified + 1,
            steps=result.steps + steps - budget.left,
        )
    return result


def verified_page(request: SearchRequest, verify: VerifySlice, slots: Slots) -> HitPage:
    """Verify documents for the page first, then count the matches newer than it."""
    page = _Verification(request, verify, slots)
    page.run(
        after=request.after, until=None, needed=max(request.limit, MAX_COUNTED) + 1
    )
    total, complete = page.count, not page.exhausted
    if request.after is not None:
        newer = _Verification(request, verify, slots)
        newer.run(after=None, until=request.after, needed=MAX_COUNTED + 1)
        total, complete = total + newer.count, complete and not newer.exhausted
    found = _page(page.documents, request, total, complete=complete)
    if page.exhausted and found.next is None:
        return replace(found, total_is_exact=False, next=page.last)
    return found


class _Verification:
    """Verifies slice after slice until there is enough or the budget is spent."""

    def __init__(
        self, request: SearchRequest, verify: VerifySlice, slots: Slots
    ) -> None:
        self._request = request
        self._verify = verify
        self._slots = slots
        self.documents: list[Document] = []
        self.count = 0
        self.last: SortKey | None = None
        self.exhausted = False

    def run(self, *, after: SortKey | None, until: SortKey | None, needed: int) -> None:
        """Verify the documents after one sort key and not after another."""
        steps = verified = 0
        while self.count < needed:
            part = SliceRequest(
                search=self._request,
                after=after,
                until=until,
                needed=needed - self.count,
                shown=self._request.limit + 1 - len(self.documents),
            )
            slice_ = self._slots(partial(self._verify, part), _steps_of)
            self.documents += slice_.documents
            self.count += slice_.count
            if slice_.complete:
                return
            after = self.last = slice_.last
            steps += slice_.steps
            verified += slice_.verified
            if steps >= MAX_STEPS or verified >= MAX_VERIFIED:
                self.exhausted = self.count < needed
                return


def _steps_of(slice_: VerifiedSlice) -> int:
    return slice_.steps


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
