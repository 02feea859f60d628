"""Verify stored documents against a query, and find the spans to highlight."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from clp_search.analysis.candidate_spans import candidate_spans
from clp_search.analysis.normalization import fold, fold_with_offsets
from clp_search.analysis.phrase_matching import Reach, matches, matching_spans
from clp_search.analysis.query_terms import Keyword
from clp_search.analysis.tokenizer import TokenStream, tokenize
from clp_search.analysis.work import WorkBudget, unbounded
from clp_search.engine import Document
from clp_search.query import Clause, Field, Query

Spans = tuple[tuple[int, int], ...]

# Tokenizing so many candidate spans one by one costs as much as the whole text.
_MAX_CANDIDATE_SPANS: Final = 40
# To fold a text takes less than to tokenize it.
FOLDING_IS_QUICKER: Final = 8


class VerifiedHit:
    """A document, tokenized once for any number of clauses."""

    def __init__(self, document: Document, budget: WorkBudget | None = None) -> None:
        self.document = document
        self._budget = budget or unbounded()

    def matches(self, clauses: Iterable[Clause]) -> bool:
        """Return whether the document holds all required and no excluded keywords.

        Raises:
            OverBudget: when that takes more work than allowed.
        """
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
        if self.document.author in clause.people:
            return True
        run = clause.keyword.run
        if run is not None and clause.field is Field.TEXT:
            texts = (self._folded, *(file.text for file in self._files))
            return any(run in text for text in texts)
        return any(
            matches(stream, clause.keyword, self._budget)
            for stream in self._streams(clause.field)
        )

    def _streams(self, field: Field) -> tuple[TokenStream, ...]:
        if field is Field.AUTHOR:
            return self._author
        return self._files if field is Field.FILES else (self._text, *self._files)

    @cached_property
    def _text(self) -> TokenStream:
        return tokenize(self.document.text, self._budget)

    @cached_property
    def _folded(self) -> str:
        """The folded text: all that a search for a run of characters needs."""
        return _folded_stream(self.document.text, self._budget).text

    @cached_property
    def _files(self) -> tuple[TokenStream, ...]:
        return tuple(tokenize(n, self._budget) for n in self.document.attachments)

    @cached_property
    def _author(self) -> tuple[TokenStream, ...]:
        names = self.document.author_name, self.document.author
        return tuple(tokenize(name, self._budget) for name in names)


def highlights(
    text: str,
    query: Query,
    field: Field = Field.TEXT,
    *,
    budget: WorkBudget | None = None,
) -> Spans:
    """Return the spans of a text or file name that a query matches, in code points.

    Adjacent spans are merged; excluded keywords are not highlighted.
    """
    keywords = _keywords_to_highlight(query, field)
    return _highlighted(text, keywords, budget or unbounded())


def first_highlights(
    text: str, query: Query, *, reach: int, budget: WorkBudget | None = None
) -> Spans:
    """Return the same; more than ``reach`` after the first, spans may be incomplete."""
    budget = budget or unbounded()
    keywords = _keywords_to_highlight(query, Field.TEXT)
    paths = [path for keyword in keywords for path in keyword.paths]
    if any(k.run is not None for k in keywords) or any(len(p) > 1 for p in paths):
        return _highlighted(text, keywords, budget, reach=reach)
    candidates = candidate_spans(text, (step for (step,) in paths))
    if candidates is None:
        return _highlighted(text, keywords, budget, reach=reach)
    found: list[tuple[int, int]] = []
    for count, (start, end) in enumerate(candidates):
        if found and start > found[0][0] + reach:
            break
        if count == _MAX_CANDIDATE_SPANS:
            return _highlighted(text, keywords, budget, reach=reach)
        marked = _highlighted(text[start:end], keywords, budget, reach=reach)
        found += [(start + first, start + last) for first, last in marked]
    return _merged(found) if found else ()


def _keywords_to_highlight(query: Query, field: Field) -> list[Keyword]:
    required = {Field.TEXT} | {field}
    return [c.keyword for c in query.clauses if c.field in required and not c.excluded]


def _highlighted(
    text: str,
    keywords: Sequence[Keyword],
    budget: WorkBudget,
    *,
    reach: int | None = None,
) -> Spans:
    if not keywords:
        return ()
    # Runs are found in the folded text, without tokens.
    only_runs = all(keyword.run is not None for keyword in keywords)
    stream = _folded_stream(text, budget) if only_runs else tokenize(text, budget)
    if only_runs and not any(keyword.run in stream.text for keyword in keywords):  # type: ignore[operator]
        return ()
    mapped = fold_with_offsets(text)
    budget.spend_on(text, stream.text)
    limits = None if reach is None else Reach(mapped.starts, reach)
    found = [
        span
        for keyword in keywords
        for span in matching_spans(stream, keyword, budget, reach=limits)
    ]
    if not found:
        return ()
    budget.spend(sum(end - start for start, end in found) // FOLDING_IS_QUICKER)
    return _merged(sorted(mapped.source(start, end) for start, end in found))


def _folded_stream(text: str, budget: WorkBudget) -> TokenStream:
    """Return a stream without tokens."""
    folded = fold(text)
    budget.spend_on(text, folded, quicker=FOLDING_IS_QUICKER)
    return TokenStream(folded, 0, ())


def _merged(candidates: Sequence[tuple[int, int]]) -> Spans:
    merged = [candidates[0]]
    for start, end in candidates[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)
