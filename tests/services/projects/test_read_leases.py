"""Read leases, and which calls wait for them (rules 2, 7 and 23)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy.orm import Session

from clp_chassis.persistence.database import Database
from clp_contracts.facts_cache import TTL_S
from clp_contracts.projects import (
    MAX_LEASE_S,
    GetFacts,
    ProjectRef,
    Stored,
    WithdrawPartner,
)
from clp_projects.read_leases import MAX_CLOCK_SKEW
from clp_projects.use_cases import assignments, directory, followers
from tests.services.projects.sample_world import LINGUIST, NOON, World

APART_S = MAX_CLOCK_SKEW.total_seconds()


def lease(world: World, seconds: float) -> float:
    request = GetFacts(project_ids=("p1",), people=("nat",), lease_s=seconds)
    return directory.facts_about(request, deps=world.deps).lease_s


def withdraw(world: World) -> Stored:
    request = WithdrawPartner(project="p1", partner="north")
    return assignments.withdraw_partner(request, deps=world.deps)


def unfollow(world: World) -> object:
    request = ProjectRef(project="p1")
    return followers.unfollow(request, actor="nat", deps=world.deps)


def nat(world: World, **change: object) -> Stored:
    return world.person("nat", "Nat Moreau", **({"partner": "north"} | change))


# fmt: off
WAITS: list[tuple[str, Callable[[World], object], bool]] = [
    # what happens                                                          | it waits
    ("a partner is withdrawn",       withdraw,                                    True),
    ("somebody stops following",     unfollow,                                    True),
    ("a partner's person leaves",    lambda world: nat(world, active=False),      True),
    ("one becomes a linguist",       lambda world: nat(world, roles=LINGUIST),    True),
    ("one loses every role",         lambda world: nat(world, roles=()),          True),
    ("one moves to another partner", lambda world: nat(world, partner="south"),   True),
    ("one has another name",         lambda world: world.person("nat", "Nat M", partner="north"), False),
    ("a new person comes",           lambda world: world.person("new", "New One"),                False),
    ("a project is renamed",         lambda world: world.project("p1", "Day Train"),              False),
    ("a partner is assigned",        lambda world: world.assign("north"),                         False),
]
# fmt: on


@pytest.mark.parametrize(("what", "happens", "waits"), WAITS, ids=str)
def test_ending_access_waits_for_outstanding_leases(
    world: World,
    what: str,
    happens: Callable[[World], object],
    waits: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert lease(world, 1.5) == 1.5
    happens(world)
    assert world.slept == ([1.5 + APART_S] if waits else []), what


@pytest.mark.parametrize("happens", [withdraw, unfollow, lambda s: nat(s, roles=())])
def test_a_repeated_call_waits_for_later_leases(
    world: World, happens: Callable[[World], object]
) -> None:
    happens(world)
    assert world.slept == []
    lease(world, 2.0)
    happens(world)
    assert world.slept == [2.0 + APART_S]


def test_an_expired_lease_is_not_waited_for(world: World) -> None:
    lease(world, 1.5)
    later = NOON + timedelta(seconds=1.5) + MAX_CLOCK_SKEW
    world.deps = replace(world.deps, clock=lambda: later)
    withdraw(world)
    assert world.slept == []


def test_clocks_of_two_machines_may_differ_a_little(world: World) -> None:
    lease(world, 1.5)
    a_little_later = NOON + timedelta(seconds=1.6)
    world.deps = replace(world.deps, clock=lambda: a_little_later)
    withdraw(world)
    assert world.slept == [pytest.approx(APART_S - 0.1)]


def test_a_request_without_a_lease_gets_none(world: World) -> None:
    assert lease(world, 0.0) == 0.0
    assert lease(world, -3.0) == 0.0
    withdraw(world)
    assert world.slept == []


def test_a_shorter_lease_does_not_shorten_a_longer_one(world: World) -> None:
    for seconds in (3.0, 1.0, 2.0):
        lease(world, seconds)
    withdraw(world)
    assert world.slept == [3.0 + APART_S]


def test_a_lease_is_limited(world: World) -> None:
    assert lease(world, 3600.0) == MAX_LEASE_S
    withdraw(world)
    assert world.slept == [MAX_LEASE_S + APART_S]


def test_a_clock_ahead_delays_nobody_beyond_the_limit(world: World) -> None:
    ahead = replace(world.deps, clock=lambda: NOON + timedelta(hours=1))
    request = GetFacts(people=("nat",), lease_s=1.0)
    directory.facts_about(request, deps=ahead)
    withdraw(world)
    assert world.slept == [MAX_LEASE_S + APART_S]


def test_an_internal_person_waits_for_caches_and_leases(world: World) -> None:
    lease(world, 1.5)
    world.person("ivy", "Ivy Lane", active=False)
    assert world.slept == [TTL_S, 1.5 + APART_S]


class Between:
    """A database with a hook that runs right before facts are read."""

    def __init__(self, database: Database, happens: Callable[[], object]) -> None:
        self._database, self._happens = database, happens
        self.writing = database.writing

    @contextmanager
    def reading(self) -> Iterator[Session]:
        self._happens()
        with self._database.reading() as session:
            yield session


def test_a_lease_is_granted_before_the_facts_are_read(world: World) -> None:
    between = Between(world.database, lambda: withdraw(world))
    reading = replace(world.deps, database=cast(Database, between))
    request = GetFacts(project_ids=("p1",), lease_s=1.5)
    (project,) = directory.facts_about(request, deps=reading).projects
    assert project.withdrawn == ("north",)
    # The withdrawal cannot know that the facts are read afterwards.
    assert world.slept == [1.5 + APART_S]
