"""Snippets: the piece of a text around what was found, with spans and no markup."""

from collections.abc import Iterable
from typing import Final

from clp_contracts.search import Snippet, Span
from clp_search.analysis.characters import continues
from clp_search.engine import Document, Shown
from clp_search.highlighting import Spans, first_highlights, highlights
from clp_search.query import Query, Where

LONGEST: Final = 240
LEAD: Final = 60

# Of a long text so much is read first: what is found in it is all that is shown.
_READ_FIRST: Final = 1_000


def shown(documents: Iterable[Document], query: Query) -> tuple[Shown, ...]:
    """What a page shows of each of its documents."""
    return tuple(
        Shown(text_snippet(d, query), file_snippets(d, query)) for d in documents
    )


def text_snippet(document: Document, query: Query) -> Snippet:
    """The text around the first find; its beginning where only something else fits."""
    text = document.text
    if len(text) > _READ_FIRST and _of_runs(query):
        end = _end_of_piece(text)
        found = highlights(text[:end], query)
        if found and found[0][0] + LONGEST <= end:
            return snippet(text, found)
    return snippet(text, first_highlights(text, query, reach=LONGEST))


def _of_runs(query: Query) -> bool:
    """Whether all that is marked are runs, which go on beyond no space."""
    return all(clause.keyword.run is not None for clause in query.clauses)


def _end_of_piece(text: str) -> int:
    """A place near which no word and no number goes on; 0 when there is none."""
    end = text.rfind(" ", 0, _READ_FIRST)
    around = text[max(0, end - 1) : end + 2]
    return end if end > 0 and around.replace(" ", "").isalpha() else 0


def file_snippets(document: Document, query: Query) -> tuple[Snippet, ...]:
    """The names of attachments that were found, whole."""
    found = ((n, highlights(n, query, Where.FILES)) for n in document.attachments)
    return tuple(_cut(name, (0, len(name)), spans) for name, spans in found if spans)


def snippet(text: str, spans: Spans) -> Snippet:
    """At most so much of a text, from a little before the first span."""
    start = 0
    if spans and len(text) > LONGEST:
        start = _word_start(text, max(0, spans[0][0] - LEAD), spans[0][0])
    end = min(len(text), start + LONGEST)
    while start < end < len(text) and continues(text[end]):
        end -= 1
    return _cut(text, (start, end), spans)


def _word_start(text: str, earliest: int, latest: int) -> int:
    """The beginning of a word near a place; no character is cut from its accents."""
    if earliest == 0:
        return 0
    for at in range(earliest, latest):
        if text[at - 1].isspace() and not text[at].isspace():
            return at
    while earliest < latest and continues(text[earliest]):
        earliest += 1
    return earliest


def _cut(text: str, piece: tuple[int, int], spans: Spans) -> Snippet:
    first, last = piece
    inside = (
        Span(start=max(start, first) - first, end=min(end, last) - first)
        for start, end in spans
        if start < last and end > first
    )
    return Snippet(text=text[first:last], highlights=tuple(inside), start=first)
