"""Pages of what an engine found, newest first, held against the query where terms fail.

Every engine makes its pages here, so they end, count and go on alike. What terms cannot
decide is decided on the stored text, within a budget; a page that ran out of it says
so, with the key to go on after.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from clp_search.engine import MOST_COUNTED, Document, Key, Page, Wanted
from clp_search.highlighting import Checked

MOST_CHECKED: Final = 1_000
MOST_CHARACTERS_CHECKED: Final = 200_000
# Signs of scripts without spaces are read one by one: a text may be full of them.
_WORK_OF_OTHERS: Final = 3

# The documents that meet the terms, newest first, after a key or from the newest on.
NewestFirst = Callable[[Key | None], Iterator[Document]]


def page_of(
    newest_first: NewestFirst, wanted: Wanted, count: Callable[[], int]
) -> Page:
    """A page of what is wanted; ``count`` says how many documents meet the terms.

    It need not count further than one more than `MOST_COUNTED`.
    """
    if wanted.plan.check:
        return _checked_page(newest_first, wanted)
    some = list(islice(newest_first(wanted.after), wanted.limit + 1))
    if wanted.after is None and len(some) <= wanted.limit:
        return _page(some, wanted, len(some))
    return _page(some, wanted, count())


def _checked_page(newest_first: NewestFirst, wanted: Wanted) -> Page:
    """Checks for the page first, then counts what is newer than it."""
    page = _Checking(wanted)
    for document in newest_first(wanted.after):
        if page.enough_for_all() or not page.check(document):
            break
    some = page.met[: wanted.limit + 1]
    total, complete = len(page.met), not page.exhausted
    if wanted.after is not None:
        newer = _Checking(wanted)
        for document in newest_first(None):
            if document.key < wanted.after or len(newer.met) > MOST_COUNTED:
                break
            if not newer.check(document):
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
        text = document.text
        self._characters += len(text) * (1 if text.isascii() else _WORK_OF_OTHERS)
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
