"""Leased facts: never used beyond their lease, never shared (rules 5 to 7)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from clp_contracts import events
from clp_contracts.client.projects import Projects
from clp_contracts.errors import CallFailed
from clp_contracts.facts_cache import LEASE_S, MAX_ENTRIES, RENEWED_BEFORE, FactsCache
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts

IVY = PersonFacts(
    id="ivy", name="Ivy Lane", email="i@x", partner=None, roles=(), active=True
)
NAT = replace(IVY, id="nat", partner="north")
SAM = replace(IVY, id="sam", partner="south")
P1 = ProjectFacts(id="p1", title="T", assigned=("north",), withdrawn=(), partners=())


class Directory:
    """Respond as `projects` does, count the requests, and run a hook before responding."""

    def __init__(self) -> None:
        self.people = {"ivy": IVY, "nat": NAT, "sam": SAM}
        self.projects = {"p1": P1, "p2": replace(P1, id="p2")}
        self.requests = 0
        self.longest_lease = 60.0
        self.meanwhile: Callable[[], object] = lambda: None

    def facts(
        self,
        *,
        project_ids: Sequence[str],
        people: Sequence[str],
        lease_s: float,
        narrowed: bool,
    ) -> Facts:
        assert narrowed
        self.requests += 1
        facts = Facts(
            projects=tuple(self.projects[p] for p in project_ids if p in self.projects),
            people=tuple(self.people[p] for p in people if p in self.people),
            lease_s=min(lease_s, self.longest_lease),
        )
        self.meanwhile()
        return facts


class Cache:
    """A cache with its own clock, directory and background."""

    def __init__(self) -> None:
        self.time = 100.0
        self.directory = Directory()
        self.background: list[Callable[[], object]] = []
        self.facts = FactsCache(
            cast("Projects", self.directory),
            clock=lambda: self.time,
            spawn=self.background.append,
        )

    def has(self, person: str = "ivy", project: str = "p1") -> bool:
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


@pytest.mark.parametrize("person", ["ivy", "nat"])
def test_facts_are_cached_for_the_length_of_their_lease(
    cache: Cache, person: str
) -> None:
    cache.fetch(person)
    cache.time += LEASE_S - 0.01
    assert cache.has(person)
    cache.time += 0.02
    assert not cache.has(person)


def test_a_shorter_lease_is_granted_than_requested(cache: Cache) -> None:
    cache.directory.longest_lease = 0.5
    cache.fetch()
    cache.time += 0.49
    assert cache.has()
    cache.time += 0.02
    assert not cache.has()


def test_facts_without_a_lease_are_not_cached(cache: Cache) -> None:
    cache.directory.longest_lease = 0.0
    cache.fetch()
    assert not cache.has()


def test_current_facts_follow_the_cached_ones(cache: Cache) -> None:
    cache.fetch()
    cache.directory.projects["p1"] = replace(P1, assigned=("north", "south"))
    assigned = [facts.projects[0].assigned for facts in cache.facts.get("ivy", "p1")]
    assert assigned == [("north",), ("north", "south")]


def test_a_missing_and_a_hidden_project_cost_one_request_each(cache: Cache) -> None:
    for person, project in (("nat", "p2"), ("nat", "nowhere"), ("nobody", "p1")):
        cache.directory.requests = 0
        assert len(list(cache.facts.get(person, project))) == 1
        assert cache.directory.requests == 1


def test_an_entry_is_of_one_person_and_one_project(cache: Cache) -> None:
    cache.fetch("nat")
    assert not cache.has("ivy")
    assert not cache.has("sam")
    assert not cache.has("nat", "p2")


# event                                              | invalidates ivy, nat, sam
EVENTS = [
    ((events.PERSON_CHANGED, "ivy"), {"ivy"}),
    ((events.PERSON_CHANGED, "nat"), {"nat"}),
    ((events.PERSON_CHANGED, "ian"), set()),
    ((events.PROJECT_CHANGED, "p1", "p1"), {"ivy", "nat", "sam"}),
    ((events.PROJECT_CHANGED, "p2", "p2"), set()),
    ((events.PARTNER_ASSIGNED, "south", "p1"), {"ivy", "sam"}),
    ((events.PARTNER_WITHDRAWN, "north", "p1"), {"ivy", "nat"}),
    ((events.PARTNER_WITHDRAWN, "north", "p2"), set()),
    ((events.PARTNER_CHANGED, "north"), {"ivy", "nat"}),
    ((events.PROJECT_FOLLOWED, "ivy", "p1"), set()),
    ((events.SCHEDULE_ANNOUNCED, "a1", "p1"), set()),
]


@pytest.mark.parametrize(("event", "invalidated"), EVENTS, ids=str)
def test_an_event_invalidates_what_it_concerns_and_nothing_else(
    cache: Cache, event: tuple[Any, ...], invalidated: set[str]
) -> None:
    people = ("ivy", "nat", "sam")
    cache.fetch(*people)
    cache.receive(*event)
    assert {person for person in people if not cache.has(person)} == invalidated


def test_a_response_on_its_way_is_invalidated_too(cache: Cache) -> None:
    cache.directory.meanwhile = lambda: cache.receive(events.PERSON_CHANGED, "ivy")
    cache.fetch("ivy", "nat")
    cache.directory.meanwhile = lambda: None
    assert not cache.has("ivy")
    assert cache.has("nat")


def test_the_lease_counts_from_the_request_and_not_from_the_response(
    cache: Cache,
) -> None:
    def slow() -> None:
        cache.time += LEASE_S

    cache.directory.meanwhile = slow
    cache.fetch()
    cache.directory.meanwhile = lambda: None
    assert not cache.has()


def test_an_entry_in_use_is_renewed_in_the_background_once(cache: Cache) -> None:
    cache.fetch("nat")
    cache.time += LEASE_S - RENEWED_BEFORE * LEASE_S - 0.01
    assert cache.has("nat")
    assert cache.background == []
    cache.time += 0.02
    for _ in range(3):
        assert cache.has("nat")
    (renew,) = cache.background
    renew()
    cache.time += LEASE_S - 0.01
    assert cache.has("nat")


def test_a_short_lease_is_not_renewed_at_once(cache: Cache) -> None:
    cache.directory.longest_lease = 0.3
    cache.fetch("nat")
    assert cache.has("nat")
    assert cache.background == []
    cache.time += 0.25
    assert cache.has("nat")
    assert len(cache.background) == 1


def test_entries_of_a_person_are_renewed_with_one_request(cache: Cache) -> None:
    for project in ("p1", "p2"):
        cache.fetch("nat", project=project)
    cache.time += LEASE_S - 0.1
    assert cache.has("nat", "p1")
    assert cache.has("nat", "p2")
    requests = cache.directory.requests
    (renew,) = cache.background
    renew()
    assert cache.directory.requests == requests + 1
    cache.time += 0.2
    assert cache.has("nat", "p1")
    assert cache.has("nat", "p2")


def test_an_entry_that_nobody_uses_is_not_renewed(cache: Cache) -> None:
    cache.fetch("nat", "sam")
    cache.time += LEASE_S - RENEWED_BEFORE * LEASE_S + 0.01
    assert cache.has("sam")
    (renew,) = cache.background
    renew()
    cache.time += RENEWED_BEFORE * LEASE_S
    assert cache.has("sam")
    assert not cache.has("nat")


def test_a_renewal_that_fails_is_tried_again_and_never_extends(cache: Cache) -> None:
    def fail() -> None:
        raise CallFailed("projects did not respond")

    cache.fetch("nat")
    cache.time += LEASE_S - 0.5
    assert cache.has("nat")
    cache.directory.meanwhile = fail
    cache.background.pop()()
    cache.directory.meanwhile = lambda: None
    assert cache.has("nat")
    assert len(cache.background) == 1
    cache.time += 0.51
    assert not cache.has("nat")


def test_live_entries_are_not_removed_for_new_ones(cache: Cache) -> None:
    cache.fetch("nat")
    for number in range(MAX_ENTRIES + 10):
        cache.fetch("sam", project=f"q{number}")
    assert cache.has("nat")
    cache.time += LEASE_S + 0.1
    cache.fetch("ivy")
    assert cache.has("ivy")


def test_t23_the_people_of_a_partner_share_a_group_without_a_request(
    cache: Cache,
) -> None:
    assert cache.facts.groups.of("nat") == "person nat", "not known yet"
    cache.fetch("nat", "ivy", "sam")
    groups = [cache.facts.groups.of(person) for person in ("nat", "ivy", "sam")]
    assert groups == ["partner north", "person ivy", "partner south"]
    cache.time += 2 * LEASE_S
    assert cache.facts.groups.of("nat") == "partner north"
    assert cache.directory.requests == 3
    cache.receive(events.PERSON_CHANGED, "nat")
    assert cache.facts.groups.of("nat") == "person nat"
    cache.directory.people["nat"] = replace(NAT, partner="south")
    cache.fetch("nat")
    assert cache.facts.groups.of("nat") == "partner south"
