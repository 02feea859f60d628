"""Evaluate a query plan on a segment: the rarest term first.

Every required term is looked up, and the scope is read even where a term is missing: a
word that stands only in channels the actor cannot read takes as long as one that stands
nowhere.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from clp_search.engine import Conjunction, Disjunction, QueryPlan, TermGroup
from clp_search.index.documents import channel_number, microseconds
from clp_search.index.postings import TermInfo
from clp_search.index.segments import Segment
from clp_search.terms import channel_group, project_group

# Look up few channels as terms; of more, read the channel column of each candidate.
MAX_CHANNEL_TERMS: Final = 4
# Documents examined at least: a prefix of two letters stands in hundreds of a segment.
MIN_EXAMINED: Final = 256


@dataclass(frozen=True)
class Scope:
    """The channels a search may cover."""

    project: str
    channels: frozenset[str]

    @cached_property
    def group(self) -> TermGroup:
        """The terms of the scope, or of a superset."""
        if len(self.channels) <= MAX_CHANNEL_TERMS:
            return channel_group(self.channels)
        return project_group(self.project)

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers of its channels."""
        return frozenset(map(channel_number, self.channels))


def matching_documents(
    segment: Segment, plan: QueryPlan, *, scope: Scope, deleted: Collection[int]
) -> Sequence[int]:
    """Return the documents that match a plan within a scope, oldest first.

    A segment of other channels only is passed over, whatever its terms.
    """
    if segment.distinct_channels.isdisjoint(scope.numbers):
        return ()
    found = _matching_terms(segment, plan, scope)
    if deleted:
        found = [number for number in found if number not in deleted]
    return _in_time(segment, plan, found)


class _TermUnion:
    """The terms of a group that exist in a segment."""

    def __init__(self, segment: Segment, group: TermGroup) -> None:
        self._segment = segment
        terms = (segment.term_info(term) for term in group.terms)
        self.infos: list[TermInfo] = [info for info in terms if info]
        self.count = sum(info.count for info in self.infos)

    def documents(self) -> Sequence[int]:
        """Return the documents that match the group."""
        return _union(self._segment.documents_of(info) for info in self.infos)

    def read_some(self) -> None:
        """Read a few documents, as a term of more than one would have it."""
        for info in self.infos[:1]:
            self._segment.documents_of(TermInfo(min(info.count, MIN_EXAMINED), info.at))

    def intersect(self, candidates: Sequence[int]) -> Sequence[int]:
        """Return which of some documents match the group."""
        return _union(self._segment.intersect(info, candidates) for info in self.infos)


def _matching_terms(segment: Segment, plan: QueryPlan, scope: Scope) -> Sequence[int]:
    inside = _TermUnion(segment, scope.group)
    simple = [disjunction[0] for disjunction in plan.must if len(disjunction) == 1]
    groups = [
        _TermUnion(segment, group) for conjunction in simple for group in conjunction
    ]
    ordered = sorted((*groups, inside), key=lambda group: group.count)
    # Narrow by channel before anything else: what the actor cannot read costs no more.
    found: Sequence[int] = _in_scope(segment, ordered[0].documents(), scope)
    if ordered[0].count <= 1:
        inside.read_some()
    for group in ordered[1:]:
        if group is not inside:
            found = group.intersect(found)
    for disjunction in plan.must:
        if len(disjunction) > 1:
            found = _matching_any(segment, disjunction, found)
    for disjunction in plan.must_not:
        matching = set(_matching_any(segment, disjunction, found))
        found = [number for number in found if number not in matching]
    return found


def _in_scope(segment: Segment, found: Sequence[int], scope: Scope) -> list[int]:
    """Return the documents in the channels of a scope.

    Few documents take as long as some: the time does not tell how many there are.
    """
    channels, numbers = segment.channels, scope.numbers
    kept = [number for number in found if channels[number] in numbers]
    for number in range(min(MIN_EXAMINED, segment.size) - len(found)):
        _ = channels[number] in numbers
    return kept


def _matching_any(
    segment: Segment, disjunction: Disjunction, candidates: Sequence[int]
) -> Sequence[int]:
    return _union(
        _matching_all(segment, conjunction, candidates) for conjunction in disjunction
    )


def _matching_all(
    segment: Segment, conjunction: Conjunction, candidates: Sequence[int]
) -> Sequence[int]:
    groups = [_TermUnion(segment, group) for group in conjunction]
    matching = candidates
    for group in sorted(groups, key=lambda group: group.count):
        matching = group.intersect(matching)
    return matching


def _union(lists: Iterable[Sequence[int]]) -> Sequence[int]:
    some = [numbers for numbers in lists if numbers]
    if len(some) <= 1:
        return some[0] if some else []
    return sorted(set().union(*some))


def _in_time(segment: Segment, plan: QueryPlan, found: Sequence[int]) -> Sequence[int]:
    """Cut out a period: documents are in the order of time."""
    since = until = None
    if plan.since is not None:
        since = bisect_left(found, microseconds(plan.since), key=segment.time)
    if plan.until is not None:
        until = bisect_left(found, microseconds(plan.until), key=segment.time)
    return found[since:until]
