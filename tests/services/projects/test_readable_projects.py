"""What people read of projects: themselves, one project, found ones (rules 6, 43, 44)."""

from base64 import urlsafe_b64encode

import pytest

from clp_contracts.errors import Refused
from clp_contracts.projects import FindProjects, FoundProjects, ProjectRef, ProjectView
from clp_projects.use_cases import people, readable_projects
from tests.services.projects.sample_world import World
from tests.support.sample_world import LINGUIST

TITLES = {
    "p2": "Écran Noir",
    "p3": "a quiet place",
    "p4": "Zug um Zug",
    "S02E05": "東京 ストーリー",
    "p5": "100% Wolf_Pack",
}


def find(world: World, actor: str, typed: str = "", **more: object) -> FoundProjects:
    request = FindProjects(**({"typed": typed} | more))  # type: ignore[arg-type]
    return readable_projects.find_projects(request, actor=actor, deps=world.deps)


def ids(found: FoundProjects) -> list[str]:
    return [project.id for project in found.projects]


def view(world: World, actor: str, project: str = "p1") -> ProjectView:
    request = ProjectRef(project=project)
    return readable_projects.project(request, actor=actor, deps=world.deps)


def add_titles(world: World, partner: str | None = None) -> None:
    for project, title in TITLES.items():
        world.project(project, title)
        if partner is not None:
            world.assign(partner, project)


def test_my_own_record_has_side_partner_and_access(world: World) -> None:
    nat, ivy, lin = (
        people.me(actor=one, deps=world.deps) for one in ("nat", "ivy", "lin")
    )
    assert (nat.name, nat.side, nat.partner_name) == (
        "Nat Moreau",
        "external",
        "North Dubbing",
    )
    assert (ivy.side, ivy.partner, ivy.partner_name) == ("internal", None, None)
    assert (nat.access, ivy.access, lin.access) == (True, True, False)
    with pytest.raises(Refused) as refusal:
        people.me(actor="nobody", deps=world.deps)
    assert refusal.value.code == "person.missing"


def test_a_project_has_the_languages_of_ones_own_partner(world: World) -> None:
    world.assign("north", languages=("fr", "fr-CA"))
    world.assign("south", languages=("es",))
    world.follow("nat")
    assert view(world, "nat") == ProjectView(
        id="p1", title="Night Train", following=True, languages=("fr", "fr-CA")
    )
    assert view(world, "ivy") == ProjectView(
        id="p1", title="Night Train", following=False, languages=("es", "fr", "fr-CA")
    )
    world.withdraw("south")
    assert view(world, "ivy").languages == ("fr", "fr-CA")


@pytest.mark.parametrize("actor", ["nat", "lin", "nobody", "no/id\0"])
@pytest.mark.parametrize("project", ["p2", "p9", "no/id", "p1\0"])
def test_a_hidden_project_is_a_missing_one(
    world: World, actor: str, project: str
) -> None:
    world.project("p2", "Day Train")
    with pytest.raises(Refused) as refusal:
        view(world, actor, project)
    assert (refusal.value.code, refusal.value.detail_json) == ("project.missing", "{}")


def test_a_hidden_project_costs_as_much_as_a_missing_one(world: World) -> None:
    world.project("p2", "Day Train")
    with world.counted() as hidden, pytest.raises(Refused):
        view(world, "nat", "p2")
    with world.counted() as missing, pytest.raises(Refused):
        view(world, "nat", "p9")
    assert hidden == missing


# typed                    -> found, by title
WORDS = [
    ("", ["p5", "p3", "p2", "p1", "p4", "S02E05"]),
    ("ecran", ["p2"]),
    ("NOIR éc", ["p2"]),
    ("ストーリー", ["S02E05"]),
    ("s02", ["S02E05"]),
    ("train", ["p1"]),
    ("zug  zug", ["p4"]),
    ("100%", ["p5"]),
    ("%", ["p5"]),
    ("_", ["p5"]),
    ("night day", []),
    ("nothing", []),
    ("\0", []),
    ("\ud800", []),
    ("x" * 100_000, []),
]


@pytest.mark.parametrize("actor", ["ivy", "nat"])
@pytest.mark.parametrize(("typed", "found"), WORDS)
def test_words_of_title_or_id_find_a_project(
    world: World, actor: str, typed: str, found: list[str]
) -> None:
    add_titles(world, "north")
    assert ids(find(world, actor, typed)) == found


def test_only_readable_projects_are_found(world: World) -> None:
    add_titles(world)
    world.assign("north", "p4")
    world.assign("south", "p3")
    assert ids(find(world, "nat")) == ["p1", "p4"]
    assert ids(find(world, "nat", "p3")) == []
    world.withdraw("north", "p4")
    assert ids(find(world, "nat")) == ["p1"]
    for actor in ("lin", "nobody"):
        assert find(world, actor) == FoundProjects(projects=())


def test_what_a_partner_finds_depends_on_no_other_partner(world: World) -> None:
    add_titles(world)
    world.assign("north", "p4")
    with world.counted() as before:
        alone = find(world, "nat"), view(world, "nat", "p4")
    for project in TITLES:
        world.assign("south", project, languages=("es", "de"))
    with world.counted() as after:
        assert (find(world, "nat"), view(world, "nat", "p4")) == alone
    assert before == after


def test_pages_join_without_gap_or_repetition(world: World) -> None:
    add_titles(world, "north")
    for number in range(30):
        world.project(f"q{number}", "Same title")
        world.assign("north", f"q{number}")
    for actor in ("ivy", "nat"):
        found, cursor = [], None
        while True:
            page = find(world, actor, limit=7, cursor=cursor)
            found += ids(page)
            cursor = page.cursor
            if cursor is None:
                break
        assert found == ids(find(world, actor, limit=1000))
        assert len(found) == len(set(found)) == 36


def test_a_limit_is_capped_and_one_below_one_is_refused(world: World) -> None:
    for number in range(120):
        world.project(f"q{number}", f"Title {number}")
    assert (
        len(find(world, "ivy", limit=1000).projects) == readable_projects.MAX_PROJECTS
    )
    for limit in (0, -1):
        with pytest.raises(Refused) as refusal:
            find(world, "ivy", limit=limit)
        assert refusal.value.code == "request.malformed"
        assert list(refusal.value.detail["fields"]) == ["limit"]


@pytest.mark.parametrize(
    "position",
    [
        b"",
        b"[]",
        b'["a"]',
        b'["a", 5]',
        b'["a", "no/id"]',
        b"[" * 5000,
        b'["\\u0000", "p1"]',
    ],
)
def test_a_foreign_cursor_is_refused(world: World, position: bytes) -> None:
    for cursor in (urlsafe_b64encode(position).decode(), "é", "a"):
        with pytest.raises(Refused) as refusal:
            find(world, "nat", cursor=cursor)
        assert refusal.value.code == "cursor.malformed"


def test_a_renamed_project_is_found_by_its_new_title(world: World) -> None:
    world.project("p1", "Day Boat")
    assert ids(find(world, "nat", "boat")) == ["p1"]
    assert ids(find(world, "nat", "train")) == []


def test_a_linguist_becomes_able_to_find(world: World) -> None:
    world.person("nat", "Nat Moreau", partner="north", roles=LINGUIST)
    assert ids(find(world, "nat")) == []
    world.person("nat", "Nat Moreau", partner="north")
    assert ids(find(world, "nat")) == ["p1"]


def test_t23_who_reads_is_queued_with_the_people_of_the_same_partner(
    world: World,
) -> None:
    assert world.deps.groups.of("nat") == "person nat", "not heard of yet"
    people.me(actor="nat", deps=world.deps)
    readable_projects.my_projects(actor="sam", deps=world.deps)
    people.me(actor="ivy", deps=world.deps)
    groups = [world.deps.groups.of(person) for person in ("nat", "sam", "ivy")]
    assert groups == ["partner north", "partner south", "person ivy"]
