"""Holding a stored document against a query, and marking what was found in it."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from clp_search.analysis.candidate_spans import pieces_to_read
from clp_search.analysis.normalization import fold, fold_mapped
from clp_search.analysis.phrase_matching import holds, run_spans, spans
from clp_search.analysis.query_terms import Keyword
from clp_search.analysis.tokenizer import Reading, read
from clp_search.engine import Document
from clp_search.query import Clause, Query, Where

Spans = tuple[tuple[int, int], ...]

# Reading so many pieces one by one costs as much as reading a long text at once.
_MOST_PIECES: Final = 40


class Checked:
    """A document, read once for as many clauses as there are."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def meets(self, clauses: Iterable[Clause]) -> bool:
        """Whether the document holds what is wanted and nothing that is excluded."""
        return all(self._holds(clause) != clause.excluded for clause in clauses)

    def answers(self, query: Query) -> bool:
        """Whether the document is one that the query asks for."""
        document = self.document
        return (
            bool(query)
            and not document.deleted
            and all(
                bool(document.attachments) is wanted for wanted in query.attachments
            )
            and (query.since is None or query.since <= document.posted_at)
            and (query.until is None or document.posted_at < query.until)
            and self.meets(query.clauses)
        )

    def _holds(self, clause: Clause) -> bool:
        run = clause.keyword.run
        if run is not None and clause.where is Where.TEXT:
            texts = (self._folded, *(file.text for file in self._files))
            return any(run in text for text in texts)
        return any(holds(r, clause.keyword) for r in self._readings(clause.where))

    def _readings(self, where: Where) -> tuple[Reading, ...]:
        if where is Where.AUTHOR:
            return self._author
        return self._files if where is Where.FILES else (self._text, *self._files)

    @cached_property
    def _text(self) -> Reading:
        return read(self.document.text)

    @cached_property
    def _folded(self) -> str:
        """All that is needed to look for a run: it stands there as it is."""
        return fold(self.document.text)

    @cached_property
    def _files(self) -> tuple[Reading, ...]:
        return tuple(read(name) for name in self.document.attachments)

    @cached_property
    def _author(self) -> tuple[Reading, ...]:
        return read(self.document.author_name), read(self.document.author)


def highlights(text: str, query: Query, where: Where = Where.TEXT) -> Spans:
    """The pieces of a text or file name that a query is found by, in code points.

    Pieces that touch are one; nothing is marked for what is excluded.
    """
    return _marked(text, _to_mark(query, where))


def first_highlights(text: str, query: Query, *, reach: int) -> Spans:
    """The same; what is further than ``reach`` after the first may be missing."""
    keywords = _to_mark(query, Where.TEXT)
    paths = [path for keyword in keywords for path in keyword.paths]
    if any(k.run is not None for k in keywords) or any(len(p) > 1 for p in paths):
        return _marked(text, keywords)
    pieces = pieces_to_read(text, (step for (step,) in paths))
    if pieces is None:
        return _marked(text, keywords)
    found: list[tuple[int, int]] = []
    for already_read, (start, end) in enumerate(pieces):
        if found and start > found[0][0] + reach:
            break
        if already_read == _MOST_PIECES:
            return _marked(text, keywords)
        marked = _marked(text[start:end], keywords)
        found += [(start + first, start + last) for first, last in marked]
    return _united(found) if found else ()


def _to_mark(query: Query, where: Where) -> list[Keyword]:
    wanted = {Where.TEXT} | {where}
    return [c.keyword for c in query.clauses if c.where in wanted and not c.excluded]


def _marked(text: str, keywords: Sequence[Keyword]) -> Spans:
    if not keywords:
        return ()
    folded = fold(text)
    words = [keyword for keyword in keywords if keyword.run is None]
    found = [s for k in keywords if k.run is not None for s in run_spans(folded, k.run)]
    # A run is found without reading: it stands in the folded text as it is.
    reading = read(text) if words else None
    if reading is not None:
        found += [span for keyword in words for span in spans(reading, keyword)]
    if not found:
        return ()
    mapped = fold_mapped(text)
    return _united(sorted(mapped.source(start, end) for start, end in found))


def _united(pieces: Sequence[tuple[int, int]]) -> Spans:
    united = [pieces[0]]
    for start, end in pieces[1:]:
        if start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((start, end))
    return tuple(united)
