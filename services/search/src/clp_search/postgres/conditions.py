"""What is wanted, as conditions on documents: every word of it is a bound value."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    and_,
    any_,
    bindparam,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from clp_search.engine import Condition, Group, Key, Plan, Wanted, Way
from clp_search.tables import DOCUMENTS, TERMS
from clp_search.terms import AUTHOR, channel_group, project_group

# Few channels are looked up as terms; of many, the column of each candidate is read.
FEW_CHANNELS: Final = 4

_ROW: Final = DOCUMENTS.c
KEY: Final = (_ROW.posted_at, _ROW.number, _ROW.message)


def conditions(
    wanted: Wanted, generation: str, after: Key | None
) -> list[ColumnElement[bool]]:
    """What each document on the page meets, and each after it."""
    plan = wanted.plan
    return [
        _ROW.generation == generation,
        not_(_ROW.deleted),
        _among(sorted(wanted.channels)),
        *_terms(plan, _scope(wanted)),
        *(not_(_condition(condition)) for condition in plan.must_not),
        *_times(plan),
        *([tuple_(*KEY) < tuple_(*map(literal, after))] if after else []),
    ]


def _scope(wanted: Wanted) -> Group:
    if len(wanted.channels) <= FEW_CHANNELS:
        return channel_group(wanted.channels)
    return project_group(wanted.project)


def _among(channels: list[str]) -> ColumnElement[bool]:
    if len(channels) == 1:
        return _ROW.channel == channels[0]
    return _ROW.channel == any_(_array(channels))


def _terms(plan: Plan, scope: Group) -> Iterator[ColumnElement[bool]]:
    """The index is asked for all single terms at once, then for the alternatives."""
    simple = [condition[0] for condition in plan.must if len(condition) == 1]
    groups = [scope, *(group for way in simple for group in way)]
    single = [group.terms[0] for group in groups if _is_single(group)]
    if single:
        yield _ROW.terms.contains(_array(single))
    yield from (_group(group) for group in groups if not _is_single(group))
    yield from (_condition(some) for some in plan.must if len(some) > 1)


def _is_single(group: Group) -> bool:
    return len(group.terms) == 1 and not group.beginnings


def _condition(condition: Condition) -> ColumnElement[bool]:
    return or_(false(), *map(_way, condition))


def _way(way: Way) -> ColumnElement[bool]:
    return and_(true(), *map(_group, way))


def _group(group: Group) -> ColumnElement[bool]:
    """Beginnings of words are terms of their own here; those of authors are read."""
    begun = [term for term in group.beginnings if term[0] == AUTHOR]
    terms = [*group.terms, *(term for term in group.beginnings if term[0] != AUTHOR)]
    found = [_ROW.terms.overlap(_array(terms))] if terms else []
    return or_(false(), *found, *map(_has_author_begun, begun))


def _has_author_begun(beginning: str) -> ColumnElement[bool]:
    term = func.unnest(_ROW.author_terms).alias("term")
    return exists(
        select(1).select_from(term).where(func.starts_with(column("term"), beginning))
    )


def _times(plan: Plan) -> Iterator[ColumnElement[bool]]:
    if plan.since is not None:
        yield _ROW.posted_at >= plan.since
    if plan.until is not None:
        yield _ROW.posted_at < plan.until


def _array(values: list[str]) -> ColumnElement[Any]:
    return bindparam(None, values, type_=TERMS, unique=True)
