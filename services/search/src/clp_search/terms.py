"""Documents and queries as terms: what an engine indexes and intersects."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from operator import add
from typing import Final

from clp_search.analysis.normalization import normalize, normalized_length
from clp_search.analysis.query_terms import Path, Step
from clp_search.analysis.token_cache import (
    folded_run,
    is_context_free,
    split_chunks,
    split_runs,
    strip_punctuation,
)
from clp_search.analysis.tokenizer import forms_and_runs, word_forms
from clp_search.engine import Conjunction, Disjunction, Document, QueryPlan, TermGroup
from clp_search.query import Clause, Field, Query

MAX_TERM_LENGTH: Final = 48
PREFIX_LENGTH: Final = 3
MIN_PREFIX_LENGTH: Final = 2

# At most twice as many, some megabytes: the frequent words of some languages.
_MAX_CACHED: Final = 40_000

# Enough of a long phrase to get few candidates; they are verified anyway.
_MAX_GROUPS: Final = 12

# First characters of internal terms; normalization leaves no control characters.
CHANNEL: Final = "\x01"
AUTHOR: Final = "\x02"
HAS_FILES: Final = "\x03"
PREFIX: Final = "\x04"
PERSON: Final = "\x05"
PROJECT: Final = "\x06"
DELETED: Final = "\x07"


def text_length(document: Document) -> int:
    """Return the normalized length of all that is indexed of a document."""
    names = document.attachments
    return normalized_length(document.text) + sum(map(normalized_length, names))


def document_terms(document: Document) -> frozenset[str]:
    """Return the terms of a document; a deleted one has none that a query can name."""
    if document.deleted:
        return frozenset((DELETED,))
    terms = {
        CHANNEL + document.channel,
        PROJECT + document.project,
        PERSON + document.author,
        *text_terms(document.text),
        *_author_terms(document.author),
        *_author_terms(document.author_name),
    }
    if document.attachments:
        terms.add(HAS_FILES)
    for name in document.attachments:
        terms.update(text_terms(name))
    return frozenset(terms)


@lru_cache(maxsize=4_096)
def _author_terms(text: str) -> tuple[str, ...]:
    """Cache the terms of the few people who write most."""
    return tuple(AUTHOR + term for term in text_terms(text))


def text_terms(text: str) -> set[str]:
    """Return the terms of a text: words, pairs of run characters, word prefixes."""
    normal = normalize(text)
    try:
        return set().union(*map(_CACHE.__getitem__, split_chunks(normal)))
    except _ContextDependentError:
        return _tokenized_terms(normal)


class _ContextDependentError(Exception):
    """A chunk of a text whose terms depend on its neighbours."""


class _TermCache(dict[str, Collection[str]]):
    """Caches the terms of chunks, since most words are frequent.

    When full it starts anew and takes over what is used again: frequent chunks stay.
    """

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, Collection[str]] = {}

    def __missing__(self, chunk: str) -> Collection[str]:
        if (known := self._before.get(chunk)) is not None:
            self._keep(chunk, known)
            return known
        if not chunk.isascii():
            if chunks := split_runs(chunk):
                return _run_terms(chunks)
            if not is_context_free(chunk):
                raise _ContextDependentError
        forms = word_forms(strip_punctuation(chunk))
        terms = tuple(_of_words(forms) if forms else _tokenized_terms(chunk))
        if len(chunk) <= MAX_TERM_LENGTH:
            self._keep(chunk, terms)
        return terms

    def _keep(self, chunk: str, terms: Collection[str]) -> None:
        if len(self) >= _MAX_CACHED:
            self._before = dict(self)
            self.clear()
        self[chunk] = terms


_CACHE: Final = _TermCache()


def _run_terms(chunks: Iterable[str]) -> set[str]:
    terms: set[str] = set()
    for part in chunks:
        if (run := folded_run(part)) is None:
            terms.update(_CACHE[part])
        else:
            terms.update(run, map(add, run, run[1:]))
    return terms


def _of_words(forms: Iterable[str]) -> set[str]:
    terms: set[str] = set()
    for form in forms:
        terms.add(form[:MAX_TERM_LENGTH])
        # A term for each length: a search reads no other words that begin alike.
        for length in range(MIN_PREFIX_LENGTH, min(len(form), PREFIX_LENGTH) + 1):
            terms.add(PREFIX + form[:length])
    return terms


def _tokenized_terms(text: str) -> set[str]:
    forms, runs = forms_and_runs(text)
    terms = _of_words(forms)
    for run in runs:
        terms.update(run, map(add, run, run[1:]))
    return terms


def channel_group(channels: Iterable[str]) -> TermGroup:
    """Match any of these channels."""
    return TermGroup(tuple(CHANNEL + channel for channel in sorted(channels)))


def project_group(project: str) -> TermGroup:
    """Match any channel of a project."""
    return TermGroup((PROJECT + project,))


def query_plan(query: Query) -> QueryPlan:
    """Translate a query into terms."""
    must = [_disjunction(c) for c in query.clauses if not c.excluded]
    must_not = [_disjunction(c) for c in query.clauses if c.excluded and _is_exact(c)]
    for required in query.attachments:
        (must if required else must_not).append(((TermGroup((HAS_FILES,)),),))
    return QueryPlan(
        must=tuple(must),
        must_not=tuple(must_not),
        verify=tuple(clause for clause in query.clauses if not _is_exact(clause)),
        since=query.since,
        until=query.until,
    )


def _disjunction(clause: Clause) -> Disjunction:
    """Return what every document that holds the keyword matches."""
    mark = AUTHOR if clause.field is Field.AUTHOR else ""
    conjunctions = tuple(_conjunction(path, mark) for path in clause.keyword.paths)
    if clause.people:
        people = TermGroup(tuple(PERSON + person for person in sorted(clause.people)))
        conjunctions = (*conjunctions, (people,))
    if clause.field is Field.FILES:
        conjunctions = tuple(
            (*conjunction, TermGroup((HAS_FILES,))) for conjunction in conjunctions
        )
    return conjunctions


def _conjunction(path: Path, mark: str) -> Conjunction:
    groups: list[TermGroup] = []
    for i, step in enumerate(path):
        if step.unbroken:
            groups.append(TermGroup((mark + path[i - 1].forms[0] + step.forms[0],)))
        elif not (path[i + 1 : i + 2] and path[i + 1].unbroken):
            groups.append(_group(step, mark))
    stride = -(-len(groups) // _MAX_GROUPS)
    return tuple(dict.fromkeys(groups[::stride]))


def _group(step: Step, mark: str) -> TermGroup:
    if step.prefix:
        terms = (mark + PREFIX + form[:PREFIX_LENGTH] for form in step.forms)
    else:
        terms = (mark + form[:MAX_TERM_LENGTH] for form in step.forms)
    return TermGroup(tuple(dict.fromkeys(terms)))


def _is_exact(clause: Clause) -> bool:
    """Return whether terms alone decide if a document holds the keyword."""
    if clause.field is Field.FILES:
        return False
    return all(_is_one_term(path) for path in clause.keyword.paths)


def _is_one_term(path: Path) -> bool:
    if len(path) == 2 and path[1].unbroken:  # noqa: PLR2004 - a pair of run characters
        return True
    longest = PREFIX_LENGTH if path[0].prefix else MAX_TERM_LENGTH
    return len(path) == 1 and all(len(form) <= longest for form in path[0].forms)
