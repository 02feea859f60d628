"""Which documents of a segment meet a plan: the rarest term first, then among those.

Every required term is looked up and the scope is read even where a term is missing: a
word that stands only in channels the asker cannot see takes as long as one that stands
nowhere.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from clp_search.engine import Condition, Group, Plan, Way
from clp_search.index.documents import channel_number, microseconds
from clp_search.index.postings import Posted
from clp_search.index.segments import Segment
from clp_search.terms import channel_group, project_group

# Few channels are looked up as terms; of many, the column of each candidate is read.
FEW_CHANNELS: Final = 4


@dataclass(frozen=True)
class Scope:
    """The channels that may be looked in."""

    project: str
    channels: frozenset[str]

    @cached_property
    def group(self) -> Group:
        """The terms of the scope, or of a little more."""
        if len(self.channels) <= FEW_CHANNELS:
            return channel_group(self.channels)
        return project_group(self.project)

    @cached_property
    def numbers(self) -> frozenset[int] | None:
        """The numbers of its channels, where its terms do not tell all."""
        if len(self.channels) <= FEW_CHANNELS:
            return None
        return frozenset(map(channel_number, self.channels))


def documents_meeting(
    segment: Segment, plan: Plan, *, scope: Scope, gone: Collection[int]
) -> Sequence[int]:
    """The documents of a segment that meet a plan within a scope, oldest first."""
    found = _meeting_terms(segment, plan, scope)
    if gone:
        found = [number for number in found if number not in gone]
    if scope.numbers is not None:
        found = [n for n in found if segment.channel(n) in scope.numbers]
    return _in_time(segment, plan, found)


class _Alternatives:
    """A group in one segment: its terms that some document has."""

    def __init__(self, segment: Segment, group: Group) -> None:
        self._segment = segment
        terms = (segment.posted(term) for term in group.terms)
        self.posted: list[Posted] = [posted for posted in terms if posted]
        for beginning in group.beginnings:
            self.posted += segment.posted_beginning(beginning)
        self.count = sum(posted.count for posted in self.posted)

    def all(self) -> Sequence[int]:
        """The documents that meet the group."""
        return _united(self._segment.all_of(posted) for posted in self.posted)

    def among(self, candidates: Sequence[int]) -> Sequence[int]:
        """Which of some documents meet it."""
        return _united(self._segment.those_of(p, candidates) for p in self.posted)


def _meeting_terms(segment: Segment, plan: Plan, scope: Scope) -> Sequence[int]:
    inside = _Alternatives(segment, scope.group)
    simple = [condition[0] for condition in plan.must if len(condition) == 1]
    groups = [_Alternatives(segment, group) for way in simple for group in way]
    ordered = sorted((*groups, inside), key=lambda group: group.count)
    if not ordered[0].count:
        # As much work as one document next door would have made.
        inside.among((segment.size // 2,))
    found: Sequence[int] = ordered[0].all()
    for group in ordered[1:]:
        found = group.among(found)
    for condition in plan.must:
        if len(condition) > 1:
            found = _any_way(segment, condition, found)
    for condition in plan.must_not:
        met = set(_any_way(segment, condition, found))
        found = [number for number in found if number not in met]
    return found


def _any_way(
    segment: Segment, condition: Condition, candidates: Sequence[int]
) -> Sequence[int]:
    return _united(_along(segment, way, candidates) for way in condition)


def _along(segment: Segment, way: Way, candidates: Sequence[int]) -> Sequence[int]:
    groups = [_Alternatives(segment, group) for group in way]
    met = candidates
    for group in sorted(groups, key=lambda group: group.count):
        met = group.among(met)
    return met


def _united(lists: Iterable[Sequence[int]]) -> Sequence[int]:
    some = [numbers for numbers in lists if numbers]
    if len(some) <= 1:
        return some[0] if some else []
    return sorted(set().union(*some))


def _in_time(segment: Segment, plan: Plan, found: Sequence[int]) -> Sequence[int]:
    """Documents stand in the order of time, so a period is one slice."""
    since = until = None
    if plan.since is not None:
        since = bisect_left(found, microseconds(plan.since), key=segment.time)
    if plan.until is not None:
        until = bisect_left(found, microseconds(plan.until), key=segment.time)
    return found[since:until]
