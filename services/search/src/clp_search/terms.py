"""Documents and queries as terms: what an engine indexes and what it intersects."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from operator import add
from typing import Final

from clp_search.analysis.query_terms import Path, Step
from clp_search.analysis.token_cache import (
    bare,
    pieces,
    run_in,
    runs_and_others,
    stands_alone,
)
from clp_search.analysis.tokenizer import Kind, read, word_forms
from clp_search.engine import Condition, Document, Group, Plan, Way
from clp_search.query import Clause, Query, Where

LONGEST_TERM: Final = 48
PREFIX_LENGTH: Final = 3
SHORTEST_PREFIX: Final = 2

# Twice as many at most, some megabytes: the frequent words of some languages.
_MOST_REMEMBERED: Final = 40_000

# Enough of a long phrase to find few candidates; they are checked anyway.
_MOST_GROUPS: Final = 12

# First characters of terms that no text can make, for folding knows no controls.
CHANNEL: Final = "\x01"
AUTHOR: Final = "\x02"
HAS_FILES: Final = "\x03"
BEGINNING: Final = "\x04"
PROJECT: Final = "\x06"
DELETED: Final = "\x07"


def document_terms(document: Document) -> frozenset[str]:
    """All terms of a document; a deleted one has none that a person could ask for."""
    if document.deleted:
        return frozenset((DELETED,))
    terms = {
        CHANNEL + document.channel,
        PROJECT + document.project,
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
    """The few people who write much are read once."""
    return tuple(AUTHOR + term for term in text_terms(text) if term[0] != BEGINNING)


def text_terms(text: str) -> set[str]:
    """The terms of a text: its forms, pairs of run characters, beginnings of words."""
    try:
        return set().union(*map(_REMEMBERED.__getitem__, pieces(text)))
    except _InContext:
        return _read_terms(text)


class _InContext(Exception):
    """A piece of a text that means something else beside its neighbours."""


class _Remembered(dict[str, Collection[str]]):
    """The terms of pieces of texts, read when first met: most words are said often.

    When it is full it begins anew, and what is met again comes over from what it held
    until then: so what is said often stays.
    """

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, Collection[str]] = {}

    def __missing__(self, piece: str) -> Collection[str]:
        if (known := self._before.get(piece)) is not None:
            self._keep(piece, known)
            return known
        if not piece.isascii():
            if parts := runs_and_others(piece):
                return _run_terms(parts)
            if not stands_alone(piece):
                raise _InContext
        forms = word_forms(bare(piece))
        terms = tuple(_of_words(forms) if forms else _read_terms(piece))
        if len(piece) <= LONGEST_TERM:
            self._keep(piece, terms)
        return terms

    def _keep(self, piece: str, terms: Collection[str]) -> None:
        if len(self) >= _MOST_REMEMBERED:
            self._before = dict(self)
            self.clear()
        self[piece] = terms


_REMEMBERED: Final = _Remembered()


def _run_terms(parts: Iterable[str]) -> set[str]:
    terms: set[str] = set()
    for part in parts:
        if (run := run_in(part)) is None:
            terms.update(_REMEMBERED[part])
        else:
            terms.update(run, map(add, run, run[1:]))
    return terms


def _of_words(forms: Iterable[str]) -> set[str]:
    terms: set[str] = set()
    for form in forms:
        terms.add(form[:LONGEST_TERM])
        if len(form) >= SHORTEST_PREFIX:
            terms.add(BEGINNING + form[:PREFIX_LENGTH])
    return terms


def _read_terms(text: str) -> set[str]:
    edges = read(text).edges
    terms = _of_words(edge.form for edge in edges if edge.kind is not Kind.RUN)
    before = ""
    for edge in edges:
        if edge.kind is Kind.RUN:
            terms.update(
                (edge.form, before + edge.form) if edge.unbroken else edge.form
            )
            before = edge.form
    return terms


def channel_group(channels: Iterable[str]) -> Group:
    """Any of these channels."""
    return Group(tuple(CHANNEL + channel for channel in sorted(channels)))


def project_group(project: str) -> Group:
    """Any channel of a project."""
    return Group((PROJECT + project,))


def plan_of(query: Query) -> Plan:
    """A query in terms."""
    must = [_condition(c) for c in query.clauses if not c.excluded]
    must_not = [_condition(c) for c in query.clauses if c.excluded and _is_exact(c)]
    for wanted in query.attachments:
        (must if wanted else must_not).append(((Group((HAS_FILES,)),),))
    return Plan(
        must=tuple(must),
        must_not=tuple(must_not),
        check=tuple(clause for clause in query.clauses if not _is_exact(clause)),
        since=query.since,
        until=query.until,
    )


def _condition(clause: Clause) -> Condition:
    """What every document that holds the keyword meets."""
    first = AUTHOR if clause.where is Where.AUTHOR else ""
    ways = tuple(_way(path, first) for path in clause.keyword.paths)
    if clause.where is Where.FILES:
        ways = tuple((*way, Group((HAS_FILES,))) for way in ways)
    return ways


def _way(path: Path, first: str) -> Way:
    groups: list[Group] = []
    for i, step in enumerate(path):
        if step.unbroken:
            groups.append(Group((first + path[i - 1].forms[0] + step.forms[0],)))
        elif not (path[i + 1 : i + 2] and path[i + 1].unbroken):
            groups.append(_group(step, first))
    stride = -(-len(groups) // _MOST_GROUPS)
    return tuple(dict.fromkeys(groups[::stride]))


def _group(step: Step, first: str) -> Group:
    terms = tuple(first + form[:LONGEST_TERM] for form in step.forms)
    if not step.prefix:
        return Group(terms)
    if first:
        # Authors are few: their own terms are looked through.
        return Group(beginnings=terms)
    short = [form for form in step.forms if len(form) < PREFIX_LENGTH]
    long = [form for form in step.forms if len(form) >= PREFIX_LENGTH]
    return Group(
        tuple(dict.fromkeys(BEGINNING + form[:PREFIX_LENGTH] for form in long)),
        tuple(BEGINNING + form for form in short),
    )


def _is_exact(clause: Clause) -> bool:
    """Whether the terms alone tell if a document holds the keyword."""
    if clause.where is Where.FILES:
        return False
    return all(_is_one_term(path) for path in clause.keyword.paths)


def _is_one_term(path: Path) -> bool:
    if len(path) == 2 and path[1].unbroken:  # noqa: PLR2004 - a pair of run characters
        return True
    longest = PREFIX_LENGTH if path[0].prefix else LONGEST_TERM
    return len(path) == 1 and all(len(form) <= longest for form in path[0].forms)
