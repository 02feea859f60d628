"""Read leases, and which calls wait for them (rules 2, 7 and 23)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.database import Database
from clp_contracts.errors import Refused
from clp_contracts.projects import (
    MAX_LEASE_S,
    Follow,
    GetFacts,
    ProjectRef,
    PutPeople,
    PutPerson,
    Stored,
    WithdrawPartner,
)
from clp_projects import mapping
from clp_projects.read_leases import (
    MAX_CLOCK_SKEW,
    MAX_NAMED_PEOPLE,
    SLACK,
    delete_expired_leases,
)
from clp_projects.tables import ReadLeaseRow
from clp_projects.use_cases import assignments, directory, followers, people
from tests.services.projects.sample_world import World
from tests.support.sample_world import LINGUIST, NOON

APART_S = (MAX_CLOCK_SKEW + SLACK).total_seconds()


def lease(world: World, seconds: float, **request: Any) -> float:
    about = {"project_ids": ("p1",), "people": ("nat",), **request}
    facts = GetFacts(**about, lease_s=seconds)
    return directory.facts_about(facts, deps=world.deps).lease_s


def withdraw(world: World, partner: str = "north", project: str = "p1") -> Stored:
    request = WithdrawPartner(project=project, partner=partner)
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
    ("another partner is withdrawn", lambda world: withdraw(world, "south"),      False),
    ("somebody stops following",     unfollow,                                    False),
    ("another person leaves",        lambda world: world.person("nia", "Nia Roux", partner="north", active=False), False),
    ("an internal person leaves",    lambda world: world.person("ivy", "Ivy Lane", active=False), False),
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


# a request whose lease is waited for | what waits for it
LEASES: list[tuple[dict[str, Any], Callable[[World], object]]] = [
    ({}, withdraw),
    ({"people": ()}, withdraw),
    ({"project_ids": ()}, withdraw),
    ({"people": ("ivy", "nia", "sam")}, withdraw),
    ({"people": ("nat", "ivy")}, lambda world: nat(world, active=False)),
    ({"project_ids": ()}, lambda world: nat(world, active=False)),
    ({"people": ("ivy",)}, lambda world: world.person("ivy", "Ivy Lane", active=False)),
    ({"follows": (Follow(person="nat", project="p1"),)}, unfollow),
]


@pytest.mark.parametrize(("request_", "happens"), LEASES)
def test_a_lease_on_what_ends_is_waited_for(
    world: World, request_: dict[str, Any], happens: Callable[[World], object]
) -> None:
    lease(world, 1.5, **request_)
    happens(world)
    assert world.slept == [1.5 + APART_S]


# a request whose lease is of no concern | what does not wait for it
OTHERS: list[tuple[dict[str, Any], Callable[[World], object]]] = [
    ({"people": ("sam", "ivy")}, withdraw),
    ({"project_ids": ("p2",)}, withdraw),
    ({"people": ("nia",)}, lambda world: nat(world, active=False)),
    ({"people": ("nia",), "follows": (Follow(person="nia", project="p1"),)}, unfollow),
]


@pytest.mark.parametrize(("request_", "happens"), OTHERS)
def test_a_lease_of_others_delays_nobody(
    world: World, request_: dict[str, Any], happens: Callable[[World], object]
) -> None:
    world.project("p2", "Day Train")
    lease(world, 1.5, **request_)
    happens(world)
    assert world.slept == []


def test_a_lease_on_many_people_is_one_on_their_partners(world: World) -> None:
    many = tuple(f"n{number}" for number in range(MAX_NAMED_PEOPLE + 1))
    for person in many:
        world.person(person, f"Nat {person}", partner="north")
    lease(world, 1.5, people=many)
    with world.database.reading() as session:
        rows = session.scalars(select(ReadLeaseRow.key)).all()
    assert rows == ["access * north p1"]
    nat(world, active=False)
    withdraw(world, "south")
    withdraw(world)
    assert world.slept == [1.5 + APART_S] * 2


def test_many_changes_of_people_wait_for_their_own_leases_only(world: World) -> None:
    lease(world, 1.5)
    for number in range(20):
        world.person(f"n{number}", f"Nat {number}", partner="north")
        world.person(f"n{number}", f"Nat {number}", partner="north", active=False)
    assert world.slept == []


def test_many_people_who_leave_at_once_are_waited_for_once(world: World) -> None:
    # A lease on each of them: the clock stands, so each could be waited for again.
    lease(world, 1.5, people=("nat",))
    lease(world, 1.2, people=("nia",))
    leavers = [
        PutPerson(
            id=person,
            name=person.title(),
            email=f"{person}@north.example",
            partner="north",
            active=False,
        )
        for person in ("nat", "nia")
    ]
    stored = people.put_people(PutPeople(people=tuple(leavers)), deps=world.deps)
    assert [one.changed for one in stored.people] == [True, True]
    assert world.slept == [1.5 + APART_S]


def test_people_are_stored_all_or_none(world: World) -> None:
    good = PutPerson(id="new", name="New", email="new@studio.example", internal=True)
    bad = PutPerson(id="bad", name="Bad", email="bad@x.example", partner="nobody")
    with pytest.raises(Refused, match=r"partner\.missing"):
        people.put_people(PutPeople(people=(good, bad)), deps=world.deps)
    with world.database.reading() as session:
        assert mapping.people_by_id(session, ["new"]) == ()


@pytest.mark.parametrize("happens", [withdraw, lambda s: nat(s, roles=())])
def test_a_repeated_call_waits_for_later_leases(
    world: World, happens: Callable[[World], object]
) -> None:
    happens(world)
    assert world.slept == []
    lease(world, 2.0)
    happens(world)
    assert world.slept == [2.0 + APART_S]


def test_a_lease_that_lasts_long_enough_is_not_written_again(world: World) -> None:
    lease(world, 1.5)
    with world.counted() as statements:
        lease(world, 1.5)
        lease(world, 1.7)
    assert not [s for s in statements if s.startswith("INSERT")]
    with world.counted() as statements:
        lease(world, 1.8)
    assert len([s for s in statements if s.startswith("INSERT")]) == 1


@pytest.mark.parametrize("follows", [(), (Follow(person="nat", project="p1"),)])
def test_leased_facts_cost_one_statement_and_three_where_the_lease_is_new(
    world: World, follows: tuple[Follow, ...]
) -> None:
    world.follow("nat")
    with world.counted() as new:
        lease(world, 1.5, people=("nat", "ivy"), follows=follows)
    with world.counted() as leased:
        lease(world, 1.5, people=("nat", "ivy"), follows=follows)
    assert [s.split()[0] for s in new] == ["SELECT", "INSERT", "SELECT"]
    assert len(leased) == 1


def test_a_lease_on_more_than_what_is_leased_is_granted(world: World) -> None:
    lease(world, 1.5, project_ids=("p1",))
    lease(world, 1.5, people=("nia", "nat"))
    with world.database.reading() as session:
        keys = session.scalars(select(ReadLeaseRow.key)).all()
    assert sorted(keys) == ["access nat north p1", "access nia north p1"]


def test_a_lease_on_nobody_who_exists_is_one_on_everybody(world: World) -> None:
    assert lease(world, 1.5, people=("nobody",)) == 1.5
    withdraw(world)
    assert world.slept == [1.5 + APART_S]


def test_expired_leases_are_deleted(world: World) -> None:
    lease(world, 1.5)
    delete_expired_leases(deps=world.deps)
    withdraw(world)
    assert world.slept == [1.5 + APART_S]
    later = replace(world.deps, clock=lambda: NOON + timedelta(minutes=2))
    delete_expired_leases(deps=later)
    with world.database.reading() as session:
        assert session.scalars(select(ReadLeaseRow.key)).all() == []


def test_an_expired_lease_is_not_waited_for(world: World) -> None:
    lease(world, 1.5)
    later = NOON + timedelta(seconds=1.5) + SLACK + MAX_CLOCK_SKEW
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


def test_a_database_that_cannot_be_written_gives_facts_without_a_lease(
    world: World,
) -> None:
    engine = world.deps.database.engine
    postgres = engine.dialect.name == "postgresql"
    whole = "set session characteristics as transaction read only"
    denial = whole if postgres else "pragma query_only = 1"

    @event.listens_for(engine, "connect")
    def deny_writing(connection: Any, _: object) -> None:
        connection.cursor().execute(denial)
        connection.commit()

    engine.dispose()
    try:
        facts = directory.facts_about(
            GetFacts(project_ids=("p1",), people=("nat",), lease_s=1.0), deps=world.deps
        )
    finally:
        event.remove(engine, "connect", deny_writing)
        engine.dispose()
    assert (facts.lease_s, [one.id for one in facts.people]) == (0.0, ["nat"])


def test_a_shorter_lease_does_not_shorten_a_longer_one(world: World) -> None:
    for seconds in (1.9, 1.0, 1.5):
        lease(world, seconds)
    withdraw(world)
    assert world.slept == [1.9 + APART_S]


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


SECOND = 2


class Between:
    """A database with a hook that runs right before it is read for the second time."""

    def __init__(self, database: Database, happens: Callable[[], object]) -> None:
        self._database, self._happens = database, happens
        self._readings = 0
        self.writing = database.writing

    @contextmanager
    def reading(self) -> Iterator[Session]:
        self._readings += 1
        if self._readings == SECOND:
            self._happens()
        with self._database.reading() as session:
            yield session


def test_a_lease_is_granted_before_the_facts_are_read(world: World) -> None:
    # Facts are read, and once more after their lease was written.
    between = Between(world.database, lambda: withdraw(world))
    reading = replace(world.deps, database=cast(Database, between))
    request = GetFacts(project_ids=("p1",), people=("nat",), lease_s=1.5)
    (project,) = directory.facts_about(request, deps=reading).projects
    assert project.withdrawn == ("north",)
    # The withdrawal cannot know that the facts are read afterwards.
    assert world.slept == [1.5 + APART_S]


def test_facts_of_a_person_who_moves_meanwhile_are_leased_for_the_new_partner(
    world: World,
) -> None:
    between = Between(world.database, lambda: nat(world, partner="south"))
    reading = replace(world.deps, database=cast(Database, between))
    request = GetFacts(project_ids=("p1",), people=("nat",), lease_s=1.5)
    facts = directory.facts_about(request, deps=reading)
    assert (facts.people[0].partner, facts.lease_s) == ("south", 1.5)
    world.slept.clear()
    withdraw(world, "south")
    assert world.slept == [1.5 + APART_S]


# people | partners of the project in the facts
OWN = [
    (("nat",), ["north"]),
    (("nat", "nia"), ["north"]),
    (("nat", "sam"), ["north", "south"]),
    (("nat", "ivy"), ["north", "south"]),
    (("nobody",), []),
    ((), []),
]


@pytest.mark.parametrize(("people", "partners"), OWN)
def test_facts_may_be_limited_to_the_partners_of_the_people(
    world: World, people: tuple[str, ...], partners: list[str]
) -> None:
    world.assign("south")
    request = GetFacts(project_ids=("p1",), people=people, narrowed=True)
    (project,) = directory.facts_about(request, deps=world.deps).projects
    assert list(project.assigned) == partners
    assert [partner.id for partner in project.partners] == partners
