"""Verify stored documents against a query, and find the spans to highlight."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from clp_search.analysis.candidate_spans import candidate_spans
from clp_search.analysis.normalization import fold, fold_with_offsets
from clp_search.analysis.phrase_matching import matches, matching_spans, run_spans
from clp_search.analysis.query_terms import Keyword
from clp_search.analysis.tokenizer import TokenStream, tokenize
from clp_search.engine import Document
from clp_search.query import Clause, Field, Query

Spans = tuple[tuple[int, int], ...]

# Tokenizing so many candidate spans one by one costs as much as the whole text.
_MAX_CANDIDATE_SPANS: Final = 40


class VerifiedHit:
    """A document, tokenized once for any number of clauses."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def matches(self, clauses: Iterable[Clause]) -> bool:
        """Return whether the document holds all required and no excluded keywords."""
        return all(self._matches(clause) != clause.excluded for clause in clauses)

    def matches_query(self, query: Query) -> bool:
        """Return whether the document matches the whole query."""
        document = self.document
        return (
            bool(query)
            and not document.deleted
            and all(
                bool(document.attachments) is required for required in query.attachments
            )
            and (query.since is None or query.since <= document.posted_at)
            and (query.until is None or document.posted_at < query.until)
            and self.matches(query.clauses)
        )

    def _matches(self, clause: Clause) -> bool:
        run = clause.keyword.run
        if run is not None and clause.field is Field.TEXT:
            texts = (self._folded, *(file.text for file in self._files))
            return any(run in text for text in texts)
        return any(matches(r, clause.keyword) for r in self._streams(clause.field))

    def _streams(self, field: Field) -> tuple[TokenStream, ...]:
        if field is Field.AUTHOR:
            return self._author
        return self._files if field is Field.FILES else (self._text, *self._files)

    @cached_property
    def _text(self) -> TokenStream:
        return tokenize(self.document.text)

    @cached_property
    def _folded(self) -> str:
        """The folded text: all that a search for a run of characters needs."""
        return fold(self.document.text)

    @cached_property
    def _files(self) -> tuple[TokenStream, ...]:
        return tuple(tokenize(name) for name in self.document.attachments)

    @cached_property
    def _author(self) -> tuple[TokenStream, ...]:
        return tokenize(self.document.author_name), tokenize(self.document.author)


def highlights(text: str, query: Query, field: Field = Field.TEXT) -> Spans:
    """Return the spans of a text or file name that a query matches, in code points.

    Adjacent spans are merged; excluded keywords are not highlighted.
    """
    return _highlighted(text, _keywords_to_highlight(query, field))


def first_highlights(text: str, query: Query, *, reach: int) -> Spans:
    """Return the same, maybe without spans further than ``reach`` after the first."""
    keywords = _keywords_to_highlight(query, Field.TEXT)
    paths = [path for keyword in keywords for path in keyword.paths]
    if any(k.run is not None for k in keywords) or any(len(p) > 1 for p in paths):
        return _highlighted(text, keywords)
    candidates = candidate_spans(text, (step for (step,) in paths))
    if candidates is None:
        return _highlighted(text, keywords)
    found: list[tuple[int, int]] = []
    for count, (start, end) in enumerate(candidates):
        if found and start > found[0][0] + reach:
            break
        if count == _MAX_CANDIDATE_SPANS:
            return _highlighted(text, keywords)
        marked = _highlighted(text[start:end], keywords)
        found += [(start + first, start + last) for first, last in marked]
    return _merged(found) if found else ()


def _keywords_to_highlight(query: Query, field: Field) -> list[Keyword]:
    required = {Field.TEXT} | {field}
    return [c.keyword for c in query.clauses if c.field in required and not c.excluded]


def _highlighted(text: str, keywords: Sequence[Keyword]) -> Spans:
    if not keywords:
        return ()
    folded = fold(text)
    words = [keyword for keyword in keywords if keyword.run is None]
    found = [s for k in keywords if k.run is not None for s in run_spans(folded, k.run)]
    # Runs are found in the folded text, without tokens.
    stream = tokenize(text) if words else None
    if stream is not None:
        found += [span for keyword in words for span in matching_spans(stream, keyword)]
    if not found:
        return ()
    mapped = fold_with_offsets(text)
    return _merged(sorted(mapped.source(start, end) for start, end in found))


def _merged(candidates: Sequence[tuple[int, int]]) -> Spans:
    merged = [candidates[0]]
    for start, end in candidates[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)
