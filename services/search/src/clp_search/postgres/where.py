"""A search request as SQL conditions; every value is bound."""

from collections.abc import Iterator
from typing import Any, Final

from clp_search.engine import (
    Conjunction,
    Disjunction,
    QueryPlan,
    SearchRequest,
    SortKey,
    TermGroup,
)
from clp_search.terms import channel_group, project_group

# Look up few channels as terms; of more, read the column of each candidate.
MAX_CHANNEL_TERMS: Final = 4

# SQL written here, and the values of its parameters.
SqlFragment = tuple[str, tuple[Any, ...]]

_CONTAINS: Final = "terms @> %s::text[]"
_OVERLAPS: Final = "terms && %s::text[]"
_BEFORE: Final = "(posted_at, number, message) < (%s, %s, %s)"


def conditions(
    request: SearchRequest, generation: str, after: SortKey | None
) -> SqlFragment:
    """Return the condition of a page and of the pages after it."""
    plan = request.plan
    return _join(
        " and ",
        [
            ("generation = %s and not deleted", (generation,)),
            _among(sorted(request.channels)),
            *_terms(plan, _scope(request)),
            *(_not(_disjunction(disjunction)) for disjunction in plan.must_not),
            *_times(plan),
            *([(_BEFORE, tuple(after))] if after else []),
        ],
    )


def _scope(request: SearchRequest) -> TermGroup:
    if len(request.channels) <= MAX_CHANNEL_TERMS:
        return channel_group(request.channels)
    return project_group(request.project)


def _among(channels: list[str]) -> SqlFragment:
    if len(channels) == 1:
        return "channel = %s", (channels[0],)
    return "channel = any(%s::text[])", (channels,)


def _terms(plan: QueryPlan, scope: TermGroup) -> Iterator[SqlFragment]:
    """Match all single terms in one index condition, then the alternatives."""
    simple = [disjunction[0] for disjunction in plan.must if len(disjunction) == 1]
    groups = [scope, *(group for conjunction in simple for group in conjunction)]
    single = [group.terms[0] for group in groups if len(group.terms) == 1]
    if single:
        yield _CONTAINS, (single,)
    yield from (_term_group(group) for group in groups if len(group.terms) > 1)
    yield from (_disjunction(some) for some in plan.must if len(some) > 1)


def _disjunction(disjunction: Disjunction) -> SqlFragment:
    return _join(" or ", [_conjunction(conjunction) for conjunction in disjunction])


def _conjunction(conjunction: Conjunction) -> SqlFragment:
    return _join(" and ", [_term_group(group) for group in conjunction])


def _term_group(group: TermGroup) -> SqlFragment:
    return f"({_OVERLAPS})", (list(group.terms),)


def _times(plan: QueryPlan) -> Iterator[SqlFragment]:
    if plan.since is not None:
        yield "posted_at >= %s", (plan.since,)
    if plan.until is not None:
        yield "posted_at < %s", (plan.until,)


def _not(fragment: SqlFragment) -> SqlFragment:
    sql, values = fragment
    return f"not {sql}", values


def _join(word: str, fragments: list[SqlFragment]) -> SqlFragment:
    sql = word.join(sql for sql, _ in fragments)
    return f"({sql})", tuple(value for _, values in fragments for value in values)
