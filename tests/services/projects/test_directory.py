"""Facts for other services: in batches, by index, and bounded."""

import pytest

from clp_contracts.feed import ReadChanges
from clp_contracts.projects import (
    Follow,
    GetFacts,
    GetFollowers,
    GetPeopleByHandle,
    GetRecords,
    PersonFacts,
)
from clp_core.mentions import address_key, name_key
from clp_projects.use_cases import directory
from tests.services.projects.sample_world import World
from tests.support.sample_world import LINGUIST, PORTAL


def people_with_keys(world: World, *keys: str) -> list[str]:
    request = GetPeopleByHandle(lookup_keys=keys, everybody=True)
    found = directory.people_by_handle(request, deps=world.deps)
    return [person.id for person in found.people]


# partner | owners of the keys of ivy, nat and sam
NARROWED = [
    ("north", ["ivy", "nat"]),
    ("south", ["ivy", "sam"]),
    ("nobody", ["ivy"]),
    ("n\0", ["ivy"]),
    ("", ["ivy"]),
    (None, ["ivy"]),
]


@pytest.mark.parametrize(("partner", "owners"), NARROWED)
def test_handles_are_looked_up_among_visible_people_only(
    world: World, partner: str | None, owners: list[str]
) -> None:
    keys = (
        name_key("Ivy Lane"),
        name_key("Nat Moreau"),
        address_key("sam@south.example"),
    )
    request = GetPeopleByHandle(lookup_keys=keys, partner=partner)
    found = directory.people_by_handle(request, deps=world.deps)
    assert [person.id for person in found.people] == owners


def facts_about(world: World, **ids: tuple[str, ...]) -> tuple[list[str], list[str]]:
    found = directory.facts_about(GetFacts(**ids), deps=world.deps)
    return [p.id for p in found.projects], [p.id for p in found.people]


def test_facts_hold_all_that_rules_need(world: World) -> None:
    assert world.facts_of("nat") == PersonFacts(
        id="nat",
        name="Nat Moreau",
        email="nat@north.example",
        partner="north",
        roles=PORTAL,
        active=True,
    )
    assert world.facts_of("lin").roles == tuple(sorted(LINGUIST))


def test_what_does_not_exist_is_absent(world: World) -> None:
    found = facts_about(
        world,
        project_ids=("p1", "p9", "no/id", "p1\0"),
        people=("nobody", "nat", "robot", "nat", "ivy", "nat\0", "\ud800"),
    )
    assert found == (["p1"], ["ivy", "nat"])


def test_facts_of_nothing_are_nothing(world: World) -> None:
    with world.counted() as statements:
        assert facts_about(world) == ([], [])
    assert statements == []


def test_facts_cost_the_same_for_one_and_for_hundreds(world: World) -> None:
    for number in range(40):
        world.project(f"q{number}", f"Train {number}")
        world.assign("north", f"q{number}")
        world.person(f"n{number}", f"Nat {number}", partner="north")
    with world.counted() as one:
        facts_about(world, project_ids=("p1",), people=("nat",))
    with world.counted() as hundreds:
        projects, people = facts_about(
            world,
            project_ids=tuple(f"q{n}" for n in range(40)),
            people=tuple(f"n{n}" for n in range(40)),
        )
    assert (len(projects), len(people)) == (40, 40)
    assert len(hundreds) == len(one) == 1


def test_thousands_of_ids_cost_few_statements(world: World) -> None:
    ids = tuple(f"n{n}" for n in range(10_000))
    with world.counted() as statements:
        assert facts_about(world, people=(*ids, "nat"))[1] == ["nat"]
    assert len(statements) == 1


HANDLE_OWNERS = [
    # the key of                      is owned by
    (name_key("Nat Moreau"), ["nat"]),
    (name_key("NAT  moreau"), ["nat"]),
    (address_key("NAT@North.Example"), ["nat"]),
    (name_key("Lin Okafor"), ["lin"]),  # access is for the asker to judge
    (name_key("Nat"), []),
    ("nat%", []),
    ("n_t moreau", []),
    ("", []),
    ("nat moreau\0", []),
    ("nat\ud800", []),
    ("n" * 100_000, []),
]


@pytest.mark.parametrize(("key", "people"), HANDLE_OWNERS)
def test_a_key_has_its_owners_and_no_others(
    world: World, key: str, people: list[str]
) -> None:
    assert people_with_keys(world, key) == people


def test_namesakes_own_a_key_together(world: World) -> None:
    world.person("nat2", "nat MOREAU", partner="south")
    assert people_with_keys(world, name_key("Nat Moreau")) == ["nat", "nat2"]


def test_a_new_name_and_address_replace_the_old_keys(world: World) -> None:
    world.person("nat", "Nathalie Roux", email="nr@north.example", partner="north")
    old, new = (
        ("nat moreau", "nat@north.example"),
        ("nathalie roux", "nr@north.example"),
    )
    assert [people_with_keys(world, key) for key in (*old, *new)] == [
        [],
        [],
        ["nat"],
        ["nat"],
    ]


def test_an_address_has_its_owner_however_it_is_written(world: World) -> None:
    world.person("zoe", "Zoe Hill", email="Zoe@B\u00fccher.Example")
    assert people_with_keys(world, address_key("ZOE@xn--bcher-kva.example")) == ["zoe"]


def test_a_person_with_two_keys_is_returned_once(world: World) -> None:
    assert people_with_keys(world, "nat moreau", "nat@north.example", "ivy lane") == [
        "ivy",
        "nat",
    ]


def test_thousands_of_keys_are_looked_up_by_index(world: World) -> None:
    keys = tuple(f"nobody {n}" for n in range(5_000))
    with world.counted() as statements:
        assert people_with_keys(world, *keys, "ivy lane") == ["ivy"]
    assert len(statements) <= 2 * 11


def test_followers_include_people_without_access(world: World) -> None:
    for person in ("nat", "sam", "ivy"):
        world.follow(person)
    world.withdraw("south")
    assert world.followers() == ["ivy", "nat", "sam"]
    assert world.followers("p9") == world.followers("no/id\0") == []


def test_facts_include_which_of_the_named_follows_hold(world: World) -> None:
    for person in ("nat", "sam", "ivy"):
        world.follow(person)

    def followers(project: str) -> list[str]:
        people = ("nia", "sam", "nat", "nobody", "no/id")
        named = tuple(Follow(person=one, project=project) for one in people)
        facts = directory.facts_about(GetFacts(follows=named), deps=world.deps)
        return [one.person for one in facts.follows]

    assert followers("p1") == ["nat", "sam"]
    assert followers("p9") == followers("no/id") == []


def test_followers_are_narrowed_to_a_partner_and_the_studio(world: World) -> None:
    for person in ("ivy", "nat", "sam"):
        world.follow(person)
    assert world.followers(partner="north") == ["ivy", "nat"]
    assert world.followers(partner="south") == ["ivy", "sam"]
    assert world.followers(partner="no/id\0") == ["ivy"]


def test_followers_cost_the_same_however_many_they_are(world: World) -> None:
    for number in range(60):
        world.person(f"n{number}", f"Nat {number}", partner="north")
        world.follow(f"n{number}")
    with world.counted() as statements:
        request = GetFollowers(project="p1")
        assert len(directory.followers(request, deps=world.deps).people) == 60
    assert len(statements) == 1


# What one statement reads, however many people there are.
FACTS_REQUESTS = [
    GetFacts(people=("nat", "ivy")),
    GetFacts(project_ids=("p1",)),
    GetFacts(people=("nat", "ivy"), project_ids=("p1",)),
    GetFacts(people=("nat",), project_ids=("p1",), narrowed=True),
    GetFacts(people=("ivy",), project_ids=("p1",), narrowed=True),
    GetFacts(people=("nat",), project_ids=("p1",), all_follows=True),
    GetFacts(
        people=("nat", "ivy"),
        project_ids=("p1",),
        follows=(Follow(person="nat", project="p1"),),
    ),
]


@pytest.mark.parametrize("request_", FACTS_REQUESTS)
def test_facts_cost_one_statement_however_many_people_and_partners_there_are(
    world: World, request_: GetFacts
) -> None:
    for number in range(20):
        world.person(f"n{number}", f"Nat {number}", partner="north")
        world.follow(f"n{number}")
    with world.counted() as executed:
        directory.facts_about(request_, deps=world.deps)
    assert len(executed) == 1


def test_facts_include_all_follows_with_the_followers(world: World) -> None:
    world.project("p2", "Day Train")
    for person in ("nat", "sam", "ivy"):
        world.follow(person)
    world.follow("ivy", "p2")
    world.withdraw("south")
    request = GetFacts(
        project_ids=("p2", "p1", "p9", "no/id"),
        people=("nia",),
        all_follows=True,
        lease_s=1.0,
    )
    facts = directory.facts_about(request, deps=world.deps)
    assert [(one.project, one.person) for one in facts.follows] == [
        ("p1", "ivy"),
        ("p1", "nat"),
        ("p1", "sam"),
        ("p2", "ivy"),
    ]
    assert [one.id for one in facts.people] == ["ivy", "nat", "nia", "sam"]
    assert facts.lease_s == 0.0


def test_progress_counts_pending_changes(world: World) -> None:
    head = world.head()
    world.follow("nat")
    response = directory.progress(deps=world.deps)
    assert (response.head, response.pending, response.due) == (head, head + 1, 0)
    assert response.readers == ()


def test_the_feed_is_read_from_any_position(world: World) -> None:
    world.follow("nat")
    head = world.head()
    request = ReadChanges(after=head - 1)
    response = directory.changes(request, deps=world.deps)
    assert [change.position for change in response.changes] == [head]
    assert response.head == head


def test_narrowed_facts_show_the_partners_of_the_people_only(world: World) -> None:
    def partners(*people: str) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
        request = GetFacts(project_ids=("p1",), people=people, narrowed=True)
        (project,) = directory.facts_about(request, deps=world.deps).projects
        names = [partner.id for partner in project.partners]
        return project.assigned, project.withdrawn, names

    world.withdraw("south")
    assert partners("nat") == (("north",), (), ["north"])
    assert partners("sam") == ((), ("south",), ["south"])
    assert partners("nat", "sam") == (("north",), ("south",), ["north", "south"])
    assert partners("nat", "ivy") == (("north",), ("south",), ["north", "south"])
    assert partners("nobody") == partners() == ((), (), [])


def test_records_are_read_as_they_are_stored(world: World) -> None:
    found = directory.records(
        GetRecords(
            people=("nat", "nobody", "n\0"),
            partners=("north", "nobody"),
            project_ids=("p1", "nothing"),
        ),
        deps=world.deps,
    )
    assert found.people == (world.facts_of("nat"),)
    assert [(one.id, one.name) for one in found.partners] == [
        ("north", "North Dubbing")
    ]
    assert [(one.id, one.title) for one in found.projects] == [("p1", "Night Train")]
    assert {(one.project, one.withdrawn) for one in found.assignments} == {
        ("p1", False)
    }
    assert [one.partner for one in found.assignments] == ["north", "south"]
    assert directory.records(GetRecords(), deps=world.deps).people == ()
