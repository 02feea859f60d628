"""Storing people and partners: whole records, once each."""

from typing import Any

import pytest

from clp_contracts.errors import Refused
from clp_contracts.facts_cache import LIFETIME_S
from tests.services.projects.sample_world import PORTAL, Story

REFUSED = [
    # a record with                       is refused as
    ({"id": ""}, "ask.malformed"),
    ({"id": "-nat"}, "ask.malformed"),
    ({"id": "n/at"}, "ask.malformed"),
    ({"id": "nat\n"}, "ask.malformed"),
    ({"id": "n" * 65}, "ask.malformed"),
    ({"id": "nat\0"}, "ask.malformed"),
    ({"id": "robot"}, "ask.malformed"),
    ({"name": ""}, "name.malformed"),
    ({"name": "Nat\nMoreau"}, "name.malformed"),
    ({"email": "nat"}, "address.malformed"),
    ({"email": "nat@north.example\r\nRCPT TO:<x@y.example>"}, "address.malformed"),
    ({"roles": ("portal\0user",)}, "ask.malformed"),
    ({"roles": ("",)}, "ask.malformed"),
    ({"language": ""}, "ask.malformed"),
    ({"language": "en_GB"}, "ask.malformed"),
    ({"language": "fr\0"}, "ask.malformed"),
    ({"time_zone": ""}, "ask.malformed"),
    ({"time_zone": "Europe/Nowhere"}, "ask.malformed"),
    ({"time_zone": "../etc/passwd"}, "ask.malformed"),
    ({"partner": "east"}, "partner.missing"),
    ({"partner": "no/id"}, "partner.missing"),
    ({"partner": "north\0"}, "partner.missing"),
    ({"partner": ""}, "partner.missing"),
]

CHANGES = [
    # what of nat's record changes
    {"name": "Nathalie Moreau"},
    {"email": "n.moreau@north.example"},
    {"email": "NAT@north.example"},
    {"partner": "south"},
    {"partner": None, "email": "nat@north.example"},
    {"roles": ()},
    {"roles": (*PORTAL, "dialogue_list_author")},
    {"active": False},
    {"language": "fr-CA"},
    {"time_zone": "America/Montreal"},
]


@pytest.mark.parametrize(("wrong", "code"), REFUSED)
def test_a_malformed_record_is_refused_and_nothing_stored(
    story: Story, wrong: dict[str, Any], code: str
) -> None:
    before = story.head()
    whole = {"id": "new", "name": "New Person", "email": "new@north.example"}
    record = whole | {"partner": "north"} | wrong
    with pytest.raises(Refused) as refusal:
        story.person(**record)
    assert refusal.value.code == code
    assert story.head() == before


def test_an_equal_record_changes_and_announces_nothing(story: Story) -> None:
    before = story.head()
    stored = story.person("nat", "Nat Moreau", partner="north")
    assert (stored.id, stored.changed) == ("nat", False)
    assert story.head() == before


def test_the_order_of_roles_and_their_number_make_no_change(story: Story) -> None:
    story.person("nat", "Nat Moreau", partner="north", roles=("a", "b"))
    stored = story.person("nat", "Nat Moreau", partner="north", roles=("b", "a", "b"))
    assert not stored.changed
    assert story.facts_of("nat").roles == ("a", "b")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_stored_and_announced_once(
    story: Story, change: dict[str, Any]
) -> None:
    before = story.head()
    record = {"id": "nat", "name": "Nat Moreau", "partner": "north"} | change
    assert story.person(**record).changed
    assert story.news(before) == [("person_changed", "nat", "")]
    facts = story.facts_of("nat")
    for field, value in change.items():
        expected = tuple(sorted(value)) if field == "roles" else value
        assert getattr(facts, field) == expected


def test_a_change_names_the_partner_and_no_text(story: Story) -> None:
    before = story.head()
    story.person("new", "New Person", partner="south")
    (change,) = story.feed(before)
    assert change.detail == {"partner": "south"}


def test_names_and_addresses_are_kept_as_typed(story: Story) -> None:
    story.person("zoe", "Zoë  O'Hara", email="Zoe@Bücher.Example")
    assert story.facts_of("zoe").name == "Zoë  O'Hara"
    assert story.facts_of("zoe").email == "Zoe@Bücher.Example"


def test_what_a_record_leaves_out_is_gone(story: Story) -> None:
    story.person("nat", "Nat Moreau", roles=())
    assert story.facts_of("nat").partner is None
    assert story.facts_of("nat").roles == ()


def test_a_partner_is_stored_once_and_renamed(story: Story) -> None:
    before = story.head()
    assert not story.partner("north", "North Dubbing").changed
    assert story.news(before) == []
    assert story.partner("north", "North Studios").changed
    assert story.news(before) == [("partner_changed", "north", "")]


@pytest.mark.parametrize(
    ("id", "name", "code"),
    [
        ("no/id", "East", "ask.malformed"),
        ("east", "", "name.malformed"),
        ("east", "East\u2028Bcc: x", "name.malformed"),
    ],
)
def test_a_malformed_partner_is_refused(
    story: Story, id: str, name: str, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        story.partner(id, name)


# ivy of the studio becomes                                   | and the answer waits
SHUT_OUT = [
    ({"active": False}, True),
    ({"roles": ()}, True),
    ({"roles": (*PORTAL, "dialogue_list_author")}, True),
    ({"partner": "north"}, True),
    ({"name": "Ivy Lane-Moss"}, False),
    ({"roles": (*PORTAL, "producer")}, False),
]


@pytest.mark.parametrize(("change", "waits"), SHUT_OUT, ids=str)
def test_an_answer_outlasts_what_others_remember_of_who_is_shut_out(
    story: Story,
    change: dict[str, Any],
    waits: bool,  # noqa: FBT001 - a column of the table
) -> None:
    ivy: dict[str, Any] = {"name": "Ivy Lane"}
    story.person("ivy", **(ivy | change))
    assert story.paused == ([LIFETIME_S] if waits else [])
    story.person("ivy", **(ivy | change))
    story.person("ivy", **ivy)
    assert story.paused == ([LIFETIME_S] if waits else [])


def test_nobody_waits_for_the_people_of_a_partner(story: Story) -> None:
    story.person("nat", "Nat Moreau", partner="north", active=False)
    assert story.paused == []
