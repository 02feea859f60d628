"""Snippets: the part of a text around its first match, with spans and no markup."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from clp_contracts.search import Snippet, Span
from clp_search.analysis.characters import continues
from clp_search.analysis.work import MAX_STEPS_OF_TEXT, OverBudget, WorkBudget
from clp_search.engine import (
    Document,
    HighlightedSlice,
    HitSnippets,
    QueryTooExpensive,
    Slots,
)
from clp_search.highlighting import Spans, first_highlights, highlights
from clp_search.query import Field, Query
from clp_search.terms import text_length

MAX_LENGTH: Final = 240
MAX_LEAD: Final = 60

# Texts of so many normalized characters are highlighted in one slice, or a single
# longer one.
MAX_PART_LENGTH: Final = 10_000
# Of a page: a tenth of a second, and more than any page of ordinary texts takes.
MAX_STEPS_OF_PAGE: Final = 200_000

# Read so much of a long text first: often the matches in it are all that is shown. Near
# its end, what looks like a word may be a part of one.
_FIRST_PART: Final = 1_000
_WHOLE_WORDS: Final = 900


HighlightSlice = Callable[[Sequence[Document], Query], HighlightedSlice]


def snippets_of(
    documents: Sequence[Document],
    query: Query,
    *,
    highlight: HighlightSlice,
    slots: Slots,
) -> tuple[HitSnippets, ...]:
    """Return what a page shows of each of its documents, slice by slice.

    When the page has taken its budget of work, the rest of it has no highlights.
    """
    snippets: list[HitSnippets] = []
    steps = 0
    for part in _parts(documents):
        if steps > MAX_STEPS_OF_PAGE:
            snippets += [HitSnippets(snippet(each.text, ()), ()) for each in part]
            continue
        slice_ = slots(partial(highlight, part, query), _steps_of)
        snippets += slice_.snippets
        steps += slice_.steps
    return tuple(snippets)


def highlight_slice(documents: Iterable[Document], query: Query) -> HighlightedSlice:
    """Highlight some documents of a page.

    Raises:
        QueryTooExpensive: when a single document takes too much work.
    """
    snippets: list[HitSnippets] = []
    steps = 0
    for document in documents:
        budget = WorkBudget(MAX_STEPS_OF_TEXT)
        try:
            text = text_snippet(document, query, budget)
            snippets.append(HitSnippets(text, file_snippets(document, query, budget)))
        except OverBudget as error:
            raise QueryTooExpensive from error
        steps += MAX_STEPS_OF_TEXT - budget.left
    return HighlightedSlice(tuple(snippets), steps)


def _parts(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Divide documents by the length of their texts, which a sign may expand to 18."""
    part: list[Document] = []
    length = 0
    for document in documents:
        own = text_length(document)
        if part and length + own > MAX_PART_LENGTH:
            yield part
            part, length = [], 0
        part.append(document)
        length += own
    if part:
        yield part


def _steps_of(slice_: HighlightedSlice) -> int:
    return slice_.steps


def text_snippet(
    document: Document, query: Query, budget: WorkBudget | None = None
) -> Snippet:
    """Return the text around the first match, or its beginning."""
    text = document.text
    if len(text) > 2 * _FIRST_PART:
        part = text[:_FIRST_PART]
        found = first_highlights(part, query, reach=MAX_LENGTH, budget=budget)
        if found and max(found[0][0] + MAX_LENGTH, found[0][1]) <= _WHOLE_WORDS:
            return snippet(text, found)
    found = first_highlights(text, query, reach=MAX_LENGTH, budget=budget)
    return snippet(text, found)


def file_snippets(
    document: Document, query: Query, budget: WorkBudget | None = None
) -> tuple[Snippet, ...]:
    """Return the names of matching attachments, whole."""
    found = (
        (name, highlights(name, query, Field.FILES, budget=budget))
        for name in document.attachments
    )
    return tuple(
        _cut(name, spans, first=0, last=len(name)) for name, spans in found if spans
    )


def snippet(text: str, spans: Spans) -> Snippet:
    """Cut at most `MAX_LENGTH` of a text, from a little before the first span."""
    start = 0
    if spans and len(text) > MAX_LENGTH:
        start = _word_start(text, max(0, spans[0][0] - MAX_LEAD), spans[0][0])
    end = min(len(text), start + MAX_LENGTH)
    while start < end < len(text) and continues(text[end]):
        end -= 1
    return _cut(text, spans, first=start, last=end)


def _word_start(text: str, earliest: int, latest: int) -> int:
    """Return the start of a word near an offset, never inside a cluster."""
    if earliest == 0:
        return 0
    for at in range(earliest, latest):
        if text[at - 1].isspace() and not text[at].isspace():
            return at
    while earliest < latest and continues(text[earliest]):
        earliest += 1
    return earliest


def _cut(text: str, spans: Spans, *, first: int, last: int) -> Snippet:
    inside = (
        Span(start=max(start, first) - first, end=min(end, last) - first)
        for start, end in spans
        if start < last and end > first
    )
    return Snippet(text=text[first:last], highlights=tuple(inside), start=first)
