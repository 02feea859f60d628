"""Storing people and partners: whole records, once each."""

from typing import Any

import pytest

from clp_contracts.errors import Refused
from clp_contracts.projects import GetFacts
from clp_projects.use_cases import directory
from tests.services.projects.sample_world import World
from tests.support.sample_world import PORTAL

REFUSED = [
    # a record with                       is refused as
    ({"id": ""}, "request.malformed"),
    ({"id": "-nat"}, "request.malformed"),
    ({"id": "n/at"}, "request.malformed"),
    ({"id": "nat\n"}, "request.malformed"),
    ({"id": "n" * 65}, "request.malformed"),
    ({"id": "nat\0"}, "request.malformed"),
    ({"id": "robot"}, "request.malformed"),
    ({"name": ""}, "name.malformed"),
    ({"name": "Nat\nMoreau"}, "name.malformed"),
    ({"email": "nat"}, "address.malformed"),
    ({"email": "nat@north.example\r\nRCPT TO:<x@y.example>"}, "address.malformed"),
    ({"roles": ("portal\0user",)}, "request.malformed"),
    ({"roles": ("",)}, "request.malformed"),
    ({"language": ""}, "request.malformed"),
    ({"language": "en_GB"}, "request.malformed"),
    ({"language": "fr\0"}, "request.malformed"),
    ({"time_zone": ""}, "request.malformed"),
    ({"time_zone": "Europe/Nowhere"}, "request.malformed"),
    ({"time_zone": "../etc/passwd"}, "request.malformed"),
    ({"partner": "east"}, "partner.missing"),
    ({"partner": "no/id"}, "partner.missing"),
    ({"partner": "north\0"}, "partner.missing"),
    ({"partner": ""}, "partner.missing"),
    ({"partner": None, "internal": False}, "side.missing"),
    ({"internal": True}, "request.malformed"),
]

CHANGES = [
    # what of nat's record changes
    {"name": "Nathalie Moreau"},
    {"email": "n.moreau@north.example"},
    {"email": "NAT@north.example"},
    {"partner": "south"},
    {"partner": None, "moved_from": "north", "email": "nat@north.example"},
    {"roles": ()},
    {"roles": (*PORTAL, "dialogue_list_author")},
    {"active": False},
    {"language": "fr-CA"},
    {"time_zone": "America/Montreal"},
]


@pytest.mark.parametrize(("wrong", "code"), REFUSED)
def test_a_malformed_record_is_refused_and_nothing_stored(
    world: World, wrong: dict[str, Any], code: str
) -> None:
    before = world.head()
    whole = {"id": "new", "name": "New Person", "email": "new@north.example"}
    record = whole | {"partner": "north"} | wrong
    with pytest.raises(Refused) as refusal:
        world.person(**record)
    assert refusal.value.code == code
    assert world.head() == before


def test_an_equal_record_changes_and_announces_nothing(world: World) -> None:
    before = world.head()
    stored = world.person("nat", "Nat Moreau", partner="north")
    assert (stored.id, stored.changed) == ("nat", False)
    assert world.head() == before


def test_the_order_of_roles_and_their_number_make_no_change(world: World) -> None:
    world.person("nat", "Nat Moreau", partner="north", roles=("a", "b"))
    stored = world.person("nat", "Nat Moreau", partner="north", roles=("b", "a", "b"))
    assert not stored.changed
    assert world.facts_of("nat").roles == ("a", "b")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_stored_and_announced_once(
    world: World, change: dict[str, Any]
) -> None:
    before = world.head()
    record = {"id": "nat", "name": "Nat Moreau", "partner": "north"} | change
    assert world.person(**record).changed
    assert world.news(before) == [("person_changed", "nat", "")]
    facts = world.facts_of("nat")
    assert facts.partner == record["partner"]
    for field in change.keys() - {"moved_from"}:
        value = change[field]
        expected = tuple(sorted(value)) if field == "roles" else value
        assert getattr(facts, field) == expected


def test_a_change_names_the_partner_and_no_text(world: World) -> None:
    before = world.head()
    world.person("new", "New Person", partner="south")
    (change,) = world.feed(before)
    assert change.detail == {"partner": "south"}


def test_names_and_addresses_are_stored_as_typed(world: World) -> None:
    world.person("zoe", "Zoë  O'Hara", email="Zoe@Bücher.Example")
    assert world.facts_of("zoe").name == "Zoë  O'Hara"
    assert world.facts_of("zoe").email == "Zoe@Bücher.Example"


def test_a_field_left_out_of_a_record_is_cleared(world: World) -> None:
    world.person("nat", "Nat Moreau", partner="north", language="fr", roles=PORTAL)
    world.person("nat", "Nat Moreau", partner="north", roles=())
    assert world.facts_of("nat").language is None
    assert world.facts_of("nat").roles == ()


def test_a_partner_is_stored_once_and_renamed(world: World) -> None:
    before = world.head()
    assert not world.partner("north", "North Dubbing").changed
    assert world.news(before) == []
    assert world.partner("north", "North Studios").changed
    assert world.news(before) == [("partner_changed", "north", "")]


@pytest.mark.parametrize(
    ("id", "name", "code"),
    [
        ("no/id", "East", "request.malformed"),
        ("east", "", "name.malformed"),
        ("east", "East\u2028Bcc: x", "name.malformed"),
    ],
)
def test_a_malformed_partner_is_refused(
    world: World, id: str, name: str, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        world.partner(id, name)


# ivy of the studio becomes                                   | and the response waits
SHUT_OUT = [
    ({"active": False}, True),
    ({"roles": ()}, True),
    ({"roles": (*PORTAL, "dialogue_list_author")}, True),
    ({"partner": "north"}, True),
    ({"name": "Ivy Lane-Moss"}, False),
    ({"roles": (*PORTAL, "producer")}, True),  # what a role does is policy
]


@pytest.mark.parametrize(("change", "waits"), SHUT_OUT, ids=str)
def test_ending_internal_access_waits_for_a_lease_on_that_person(
    world: World,
    change: dict[str, Any],
    waits: bool,  # noqa: FBT001 - a column of the table
) -> None:
    ivy: dict[str, Any] = {"name": "Ivy Lane"}
    request = GetFacts(people=("ivy",), project_ids=("p1",), lease_s=1.5)
    directory.facts_about(request, deps=world.deps)

    world.person("ivy", **(ivy | change))

    assert len(world.slept) == waits


def test_ending_access_without_a_lease_waits_for_nothing(world: World) -> None:
    world.person("nat", "Nat Moreau", partner="north", active=False)
    world.person("ivy", "Ivy Lane", active=False)
    assert world.slept == []


def test_a_forgotten_partner_does_not_make_a_person_internal(world: World) -> None:
    before = world.head()
    for moved_from in (None, "south", ""):
        with pytest.raises(Refused) as refusal:
            world.person("nat", "Nat Moreau", moved_from=moved_from)
        assert refusal.value.code == "side.unconfirmed"
        assert refusal.value.detail == {"partner": "north"}
    assert world.facts_of("nat").partner == "north"
    assert world.head() == before


def test_a_move_to_the_studio_names_the_partner_and_may_be_repeated(
    world: World,
) -> None:
    assert world.person("nat", "Nat Moreau", moved_from="north").changed
    assert world.facts_of("nat").partner is None
    assert not world.person("nat", "Nat Moreau", moved_from="north").changed
    assert world.person("nat", "Nat Moreau", partner="south").changed


def test_a_move_between_partners_needs_no_confirmation(world: World) -> None:
    assert world.person("nat", "Nat Moreau", partner="south").changed
    with pytest.raises(Refused) as refusal:
        world.person("nat", "Nat Moreau", partner="north", moved_from="north")
    assert refusal.value.code == "side.unconfirmed"
