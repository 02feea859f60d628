"""The autocomplete: an index that answers as the core would, for any number of people."""

from typing import Any

import pytest
from sqlalchemy import insert

from clp_core.mentions import address_key, name_key, prefix_entries, prefix_rank
from clp_core.people import Person, has_portal_access
from clp_projects.mapping import people_by_id, to_person
from clp_projects.tables import PersonRow, PrefixEntryRow, RoleRow
from tests.services.projects.sample_world import World
from tests.support.sample_world import PORTAL

CAST_IN_ORDER = ["ian", "ivy", "nat", "nia", "sam", "sol"]

TYPED = [
    # typed             offers, best first
    ("", CAST_IN_ORDER),
    ("n", ["nat", "nia"]),
    ("NA", ["nat"]),
    ("nat m", ["nat"]),
    ("nat  mor", ["nat"]),
    ("mo", ["ian", "nat"]),
    ("moreau", ["nat"]),
    ("l", ["ivy"]),
    ("reau", []),
    ("sam@", ["sam"]),
    ("s", ["sam", "sol"]),
    ("okafor", []),  # a linguist has no access
    ("%", []),
    ("_", []),
    ("n%", []),
    ("n_t", []),
    ("\\", []),
    ("'; drop table people; --", []),
    ("nat\0", []),
    ("nat\ud800", []),
    ("n" * 100_000, []),
    ("\U0010ffff", []),
]

AMONG = [
    # partner, everybody, offers for nothing typed
    (None, False, ["ian", "ivy"]),
    ("north", False, ["ian", "ivy", "nat", "nia"]),
    ("south", False, ["ian", "ivy", "sam", "sol"]),
    (None, True, CAST_IN_ORDER),
    ("north", True, CAST_IN_ORDER),
    ("east", False, ["ian", "ivy"]),
    ("no/id\0", False, ["ian", "ivy"]),
]

NAMES = [
    "Zoë O'Hara",
    "Zoe Ohara",
    "José Müller-Lüdenscheidt",
    "Jose Muller",
    "Łukasz Øre",
    "田中 太郎",
    "田中さん",
    "สมชาย ใจดี",
    "김 철수",
    "Ана Мари",
    "دانة كمال",
    "Anna Anna Annabel",
    "O'Neil",
    "Jean-Luc d'Arc",
    "E\u0301lodie",
    "100% Ana",
    "_ underscore",
]


@pytest.mark.parametrize(("typed", "people"), TYPED)
def test_a_typed_text_suggests(world: World, typed: str, people: list[str]) -> None:
    assert world.suggested(typed) == people


@pytest.mark.parametrize(("partner", "everybody", "people"), AMONG)
def test_suggestions_are_limited_to_the_requested_partners(
    world: World, partner: str | None, *, everybody: bool, people: list[str]
) -> None:
    world.partner("east", "East Voices")
    world.person("eve", "Eve East", partner="east")
    assert world.suggested("", partner=partner, everybody=everybody) == people


@pytest.mark.parametrize("project", ["p9", "no/id", "p1\0"])
def test_a_missing_project_has_internal_people_only(world: World, project: str) -> None:
    assert world.suggested("", project=project) == ["ian", "ivy"]


def test_nobody_of_a_withdrawn_partner_is_suggested(world: World) -> None:
    world.withdraw("north")
    assert world.suggested("n") == []
    assert world.suggested("n", partner="north", everybody=False) == []
    world.assign("north")
    assert world.suggested("n") == ["nat", "nia"]


def test_people_without_access_use_up_no_limit(world: World) -> None:
    for number in range(20):
        world.person(f"a{number}", f"Aa {number:03}", active=False)
        world.person(f"b{number}", f"Ab {number:03}", roles=())
    world.person("abe", "Abe Last")
    assert world.suggested("a", limit=1) == ["abe"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Ned Moreau"},
        {"active": False},
        {"roles": ()},
        {"partner": None, "moved_from": "north"},
    ],
)
def test_a_changed_person_is_suggested_as_changed(
    world: World, change: dict[str, Any]
) -> None:
    record = {"id": "nat", "name": "Nat Moreau", "partner": "north"} | change
    world.person(**record)
    offered = "nat" in world.suggested("nat m", partner="north", everybody=False)
    assert offered is ("partner" in change)
    assert ("nat" in world.suggested("", everybody=False)) is ("partner" in change)


def test_suggestions_for_a_partner_depend_on_no_other_partner(world: World) -> None:
    def offers() -> list[list[str]]:
        return [
            world.suggested(typed, partner="north", everybody=False)
            for typed in ("", "s", "n", "sa", "m")
        ]

    before = offers()
    for number in range(25):
        world.person(f"s{number}", f"A Sam Nat {number}", partner="south")
    world.withdraw("south")
    assert offers() == before


@pytest.mark.parametrize(("limit", "offered"), [(-1, 0), (0, 0), (3, 3), (999, 20)])
def test_at_most_twenty_people_are_suggested(
    world: World, limit: int, offered: int
) -> None:
    for number in range(30):
        world.person(f"n{number}", f"Nat {number}")
    assert len(world.suggested("nat", limit=limit)) == offered


def test_the_database_ranks_as_the_core_does(world: World) -> None:
    for number, name in enumerate(NAMES):
        partner = ("north", "south", None)[number % 3]
        world.person(f"x{number}", name, partner=partner)
    for number in range(30):
        world.person(f"y{number}", f"{'Zed Ana'[number % 2 * 4 :]} Ann{30 - number}")
    typed = {""} | {
        key[:length]
        for name in (*NAMES, "Zed Ann1")
        for _, key in prefix_entries(name, "x1@north.example")
        for length in (1, 2, 5)
    }
    everybody = _all_people(world)
    for text in sorted(typed | {"ÉLO", "zoë o", "１", "JOSE\u0301", "x", "y"}):
        ranked = sorted(
            (rank, person.id)
            for person in everybody
            if (rank := prefix_rank(person, text)) is not None
        )
        assert world.suggested(text) == [found for _, found in ranked[:20]], text


def _all_people(world: World) -> list[Person]:
    ids = ["ivy", "ian", "lin", "nat", "nia", "sam", "sol"]
    ids += [f"{letter}{number}" for letter in "xy" for number in range(30)]
    with world.database.reading() as session:
        facts = people_by_id(session, ids)
    return [p for p in map(to_person, facts) if has_portal_access(p)]


@pytest.mark.slow
def test_many_people_cost_no_more_statements(world: World) -> None:
    _fill(world, 20_000)
    for typed in ("", "a", "b", "p", "p00", "person 99", "zzz", "q"):
        with world.counted() as statements:
            world.suggested(typed)
        assert len(statements) <= 6, typed


def _fill(world: World, count: int) -> None:
    firsts = [f"{letter}{rest}" for letter in "ABCDEFGH" for rest in ("da", "lan", "n")]
    with world.database.writing() as session:
        for start in range(0, count, 5000):
            numbers = range(start, start + 5000)
            people = [
                {
                    "id": f"p{n:06}",
                    "name": f"{firsts[n % 24]} Person {n}",
                    "email": f"p{n:06}@studio.example",
                    "partner": (None, "north", "south")[n % 3],
                    "active": True,
                }
                for n in numbers
            ]
            for row in people:
                row["name_key"] = name_key(str(row["name"]))
                row["address_key"] = address_key(str(row["email"]))
            session.execute(insert(PersonRow), people)
            session.execute(
                insert(RoleRow),
                [{"person": row["id"], "role": PORTAL[0]} for row in people],
            )
            session.execute(
                insert(PrefixEntryRow),
                [
                    {
                        "person": row["id"],
                        "rank": int(place),
                        "key": key,
                        "partner": row["partner"] or "",
                    }
                    for row in people
                    for place, key in prefix_entries(
                        str(row["name"]), str(row["email"])
                    )
                ],
            )
