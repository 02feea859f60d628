"""The cache of facts never delays the end of an access (rules 5 and 7)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from clp_contracts import events
from clp_contracts.client.projects import Projects
from clp_contracts.facts_cache import TTL_S, FactsCache
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts

IVY = PersonFacts(
    id="ivy", name="Ivy Lane", email="i@x", partner=None, roles=(), active=True
)
NAT = replace(IVY, id="nat", partner="north")
P1 = ProjectFacts(id="p1", title="T", assigned=("north",), withdrawn=(), partners=())


class Directory:
    """Respond as `projects` does, count the requests, and run a hook before responding."""

    def __init__(self) -> None:
        self.people = {"ivy": IVY, "nat": NAT}
        self.projects = {"p1": P1, "p2": replace(P1, id="p2")}
        self.requests = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def facts(
        self,
        *,
        project_ids: Sequence[str],
        people: Sequence[str],
        narrowed: bool,
    ) -> Facts:
        self.narrowed = narrowed
        self.requests += 1
        facts = Facts(
            projects=tuple(self.projects[p] for p in project_ids if p in self.projects),
            people=tuple(self.people[p] for p in people if p in self.people),
        )
        self.meanwhile()
        return facts


class Cache:
    """A cache with its own clock and directory."""

    def __init__(self) -> None:
        self.time = 100.0
        self.directory = Directory()
        self.facts = FactsCache(
            cast("Projects", self.directory), clock=lambda: self.time
        )

    def has(self, person: str | None = "ivy", project: str = "p1") -> bool:
        """Whether the first facts come from the cache."""
        requests = self.directory.requests
        next(self.facts.get(person, project))
        found = self.directory.requests == requests
        self.directory.requests = requests
        return found

    def fetch(self, *people: str, project: str = "p1") -> None:
        for person in people or ("ivy",):
            self.facts.fetch(person, project)

    def receive(self, type: str, subject: str, project: str = "") -> None:
        self.facts.invalidate({"type": type, "subject": subject, "project": project})


@pytest.fixture
def cache() -> Cache:
    return Cache()


def test_internal_people_are_cached_for_seconds_and_external_ones_never(
    cache: Cache,
) -> None:
    cache.fetch("ivy", "nat")
    assert cache.has("ivy")
    assert not cache.has("nat")
    cache.time += TTL_S - 0.01
    assert cache.has("ivy")
    cache.time += 0.02
    assert not cache.has("ivy")


def test_current_facts_follow_the_cached_ones(cache: Cache) -> None:
    cache.fetch()
    cache.directory.projects["p1"] = replace(P1, assigned=("north", "south"))
    assigned = [facts.projects[0].assigned for facts in cache.facts.get("ivy", "p1")]
    assert assigned == [("north",), ("north", "south")]


def test_the_robot_needs_the_project_alone(cache: Cache) -> None:
    cache.fetch()
    assert cache.has(None)


def test_a_missing_and_a_hidden_project_cost_one_request_each(cache: Cache) -> None:
    for person, project in (("nat", "p2"), ("nat", "nowhere"), ("nobody", "p1")):
        for _ in range(2):
            cache.directory.requests = 0
            assert len(list(cache.facts.get(person, project))) == 1
            assert cache.directory.requests == 1


# event                                              | invalidates ivy, p1
EVENTS = [
    ((events.PERSON_CHANGED, "ivy"), True, False),
    ((events.PERSON_CHANGED, "ian"), False, False),
    ((events.PROJECT_CHANGED, "p1", "p1"), False, True),
    ((events.PARTNER_ASSIGNED, "north", "p1"), False, True),
    ((events.PARTNER_WITHDRAWN, "north", "p1"), False, True),
    ((events.PARTNER_WITHDRAWN, "north", "p2"), False, False),
    ((events.PARTNER_CHANGED, "north"), False, True),
    ((events.PROJECT_FOLLOWED, "ivy", "p1"), False, False),
    ((events.SCHEDULE_ANNOUNCED, "a1", "p1"), False, False),
]


@pytest.mark.parametrize(("event", "ivy", "p1"), EVENTS, ids=str)
def test_an_event_invalidates_what_it_concerns(
    cache: Cache,
    event: tuple[Any, ...],
    ivy: bool,  # noqa: FBT001 - the columns of the table
    p1: bool,  # noqa: FBT001
) -> None:
    cache.fetch("ivy")
    cache.receive(*event)
    assert cache.has(None, "p1") != p1
    cache.facts.fetch(None, "p1")  # p1 again, without ivy
    assert cache.has("ivy", "p1") != ivy


def test_a_response_on_its_way_is_invalidated_too(cache: Cache) -> None:
    cache.directory.meanwhile = lambda: cache.receive(events.PERSON_CHANGED, "ivy")
    cache.fetch()
    cache.directory.meanwhile = lambda: None
    assert not cache.has()


def test_the_ttl_counts_from_the_request_and_not_from_the_response(
    cache: Cache,
) -> None:
    def slow() -> None:
        cache.time += TTL_S

    cache.directory.meanwhile = slow
    cache.fetch()
    cache.directory.meanwhile = lambda: None
    assert not cache.has()


def test_a_project_narrowed_to_a_partner_is_not_cached_for_others(cache: Cache) -> None:
    cache.fetch("nat")
    assert cache.directory.narrowed
    assert not cache.has(None)
    cache.fetch("ivy")
    cache.fetch("nat")
    assert cache.has(None)
    cache.facts.fetch(None, "p2")
    assert not cache.directory.narrowed
    assert cache.has(None, "p2")


def test_a_project_fetched_with_a_missing_person_is_not_cached(cache: Cache) -> None:
    cache.fetch("nobody")
    assert not cache.has(None)
