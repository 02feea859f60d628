"""What is wanted, as conditions on documents: every word of it is a bound value."""

from collections.abc import Iterator
from typing import Any, Final

from clp_search.engine import Condition, Group, Key, Plan, Wanted, Way
from clp_search.terms import AUTHOR, channel_group, project_group

# Few channels are looked up as terms; of many, the column of each candidate is read.
FEW_CHANNELS: Final = 4

# A piece of SQL that is written here, and the values for its places.
Piece = tuple[str, tuple[Any, ...]]

_CONTAINS: Final = "terms @> %s::text[]"
_OVERLAPS: Final = "terms && %s::text[]"
_AUTHOR_BEGUN: Final = (
    "exists (select from unnest(author_terms) as term where starts_with(term, %s))"
)
_BEFORE: Final = "(posted_at, number, message) < (%s, %s, %s)"


def conditions(wanted: Wanted, generation: str, after: Key | None) -> Piece:
    """What each document on the page meets, and each after it."""
    plan = wanted.plan
    return _joined(
        " and ",
        [
            ("generation = %s and not deleted", (generation,)),
            _among(sorted(wanted.channels)),
            *_terms(plan, _scope(wanted)),
            *(_not(_condition(condition)) for condition in plan.must_not),
            *_times(plan),
            *([(_BEFORE, tuple(after))] if after else []),
        ],
    )


def _scope(wanted: Wanted) -> Group:
    if len(wanted.channels) <= FEW_CHANNELS:
        return channel_group(wanted.channels)
    return project_group(wanted.project)


def _among(channels: list[str]) -> Piece:
    if len(channels) == 1:
        return "channel = %s", (channels[0],)
    return "channel = any(%s::text[])", (channels,)


def _terms(plan: Plan, scope: Group) -> Iterator[Piece]:
    """The index is asked for all single terms at once, then for the alternatives."""
    simple = [condition[0] for condition in plan.must if len(condition) == 1]
    groups = [scope, *(group for way in simple for group in way)]
    single = [group.terms[0] for group in groups if _is_single(group)]
    if single:
        yield _CONTAINS, (single,)
    yield from (_group(group) for group in groups if not _is_single(group))
    yield from (_condition(some) for some in plan.must if len(some) > 1)


def _is_single(group: Group) -> bool:
    return len(group.terms) == 1 and not group.beginnings


def _condition(condition: Condition) -> Piece:
    return _joined(" or ", [_way(way) for way in condition])


def _way(way: Way) -> Piece:
    return _joined(" and ", [_group(group) for group in way])


def _group(group: Group) -> Piece:
    """Beginnings of words are terms of their own here; those of authors are read."""
    begun = [term for term in group.beginnings if term[0] == AUTHOR]
    terms = [*group.terms, *(term for term in group.beginnings if term[0] != AUTHOR)]
    found: list[Piece] = [(_OVERLAPS, (terms,))] if terms else []
    return _joined(" or ", [*found, *((_AUTHOR_BEGUN, (term,)) for term in begun)])


def _times(plan: Plan) -> Iterator[Piece]:
    if plan.since is not None:
        yield "posted_at >= %s", (plan.since,)
    if plan.until is not None:
        yield "posted_at < %s", (plan.until,)


def _not(piece: Piece) -> Piece:
    sql, values = piece
    return f"not {sql}", values


def _joined(word: str, pieces: list[Piece]) -> Piece:
    sql = word.join(sql for sql, _ in pieces)
    return f"({sql})", tuple(value for _, values in pieces for value in values)
