"""The type-ahead: an index that answers as the core would, for any number of people."""

from typing import Any

import pytest
from sqlalchemy import insert

from clp_core.mentions import address_key, beginnings_of, name_key, prefix_rank
from clp_core.people import Person, has_portal_access
from clp_projects.mapping import core_person, people_by_id
from clp_projects.tables import OpeningRow, PersonRow, RoleRow
from tests.services.projects.sample_world import PORTAL, Story

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
def test_typing_offers(story: Story, typed: str, people: list[str]) -> None:
    assert story.suggested(typed) == people


@pytest.mark.parametrize(("partner", "everybody", "people"), AMONG)
def test_the_offer_is_limited_to_the_sides_asked_for(
    story: Story, partner: str | None, *, everybody: bool, people: list[str]
) -> None:
    story.partner("east", "East Voices")
    story.person("eve", "Eve East", partner="east")
    assert story.suggested("", partner=partner, everybody=everybody) == people


@pytest.mark.parametrize("project", ["p9", "no/id", "p1\0"])
def test_a_missing_project_has_internal_people_only(story: Story, project: str) -> None:
    assert story.suggested("", project=project) == ["ian", "ivy"]


def test_a_withdrawn_partner_has_nobody_to_offer(story: Story) -> None:
    story.withdraw("north")
    assert story.suggested("n") == []
    assert story.suggested("n", partner="north", everybody=False) == []
    story.assign("north")
    assert story.suggested("n") == ["nat", "nia"]


def test_people_without_access_take_no_places(story: Story) -> None:
    for number in range(20):
        story.person(f"a{number}", f"Aa {number:03}", active=False)
        story.person(f"b{number}", f"Ab {number:03}", roles=())
    story.person("abe", "Abe Last")
    assert story.suggested("a", limit=1) == ["abe"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Ned Moreau"},
        {"active": False},
        {"roles": ()},
        {"partner": None},
    ],
)
def test_a_changed_person_is_offered_as_changed(
    story: Story, change: dict[str, Any]
) -> None:
    record = {"id": "nat", "name": "Nat Moreau", "partner": "north"} | change
    story.person(**record)
    offered = "nat" in story.suggested("nat m", partner="north", everybody=False)
    assert offered is ("partner" in change)
    assert ("nat" in story.suggested("", everybody=False)) is ("partner" in change)


def test_a_partner_s_offer_is_the_same_whoever_else_is_there(story: Story) -> None:
    def offers() -> list[list[str]]:
        return [
            story.suggested(typed, partner="north", everybody=False)
            for typed in ("", "s", "n", "sa", "m")
        ]

    before = offers()
    for number in range(25):
        story.person(f"s{number}", f"A Sam Nat {number}", partner="south")
    story.withdraw("south")
    assert offers() == before


@pytest.mark.parametrize(("limit", "offered"), [(-1, 0), (0, 0), (3, 3), (999, 20)])
def test_at_most_twenty_are_offered(story: Story, limit: int, offered: int) -> None:
    for number in range(30):
        story.person(f"n{number}", f"Nat {number}")
    assert len(story.suggested("nat", limit=limit)) == offered


def test_the_index_answers_as_the_core_does(story: Story) -> None:
    for number, name in enumerate(NAMES):
        partner = ("north", "south", None)[number % 3]
        story.person(f"x{number}", name, partner=partner)
    for number in range(30):
        story.person(f"y{number}", f"{'Zed Ana'[number % 2 * 4 :]} Ann{30 - number}")
    typed = {""} | {
        key[:length]
        for name in (*NAMES, "Zed Ann1")
        for _, key in beginnings_of(name, "x1@north.example")
        for length in (1, 2, 5)
    }
    everybody = _all_people(story)
    for text in sorted(typed | {"ÉLO", "zoë o", "１", "JOSE\u0301", "x", "y"}):
        ranked = sorted(
            (rank, person.id)
            for person in everybody
            if (rank := prefix_rank(person, text)) is not None
        )
        assert story.suggested(text) == [found for _, found in ranked[:20]], text


def _all_people(story: Story) -> list[Person]:
    ids = ["ivy", "ian", "lin", "nat", "nia", "sam", "sol"]
    ids += [f"{letter}{number}" for letter in "xy" for number in range(30)]
    with story.database.reading() as session:
        facts = people_by_id(session, ids)
    return [p for p in map(core_person, facts) if has_portal_access(p)]


@pytest.mark.slow
def test_very_many_people_cost_no_more_questions(story: Story) -> None:
    _fill(story, 20_000)
    for typed in ("", "a", "b", "p", "p00", "person 99", "zzz", "q"):
        with story.counted() as asked:
            story.suggested(typed)
        assert len(asked) <= 6, typed


def _fill(story: Story, count: int) -> None:
    firsts = [f"{letter}{rest}" for letter in "ABCDEFGH" for rest in ("da", "lan", "n")]
    with story.database.writing() as session:
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
                insert(OpeningRow),
                [
                    {
                        "person": row["id"],
                        "rank": int(place),
                        "key": key,
                        "partner": row["partner"] or "",
                    }
                    for row in people
                    for place, key in beginnings_of(str(row["name"]), str(row["email"]))
                ],
            )
