"""Projects, and the partners on them now and before (rule 7)."""

import pytest
from sqlalchemy import select

from clp_contracts.errors import Refused
from clp_contracts.projects import GetFacts, PartnerName, ProjectFacts
from clp_projects.tables import AssignmentRow
from clp_projects.use_cases.directory import facts_about
from tests.services.projects.sample_world import World

REFUSED = [
    # project, partner,   languages,      code
    ("p9", "north", ("fr",), "project.missing"),
    ("no/id", "north", ("fr",), "project.missing"),
    ("p1\0", "north", ("fr",), "project.missing"),
    ("p1", "east", ("fr",), "partner.missing"),
    ("p1", "no/id", ("fr",), "partner.missing"),
    ("p1", "north\0", ("fr",), "partner.missing"),
    ("p1", "north", ("fr", "french language"), "language.malformed"),
    ("p1", "north", ("fr\0",), "language.malformed"),
]


def partners_of(world: World, project: str = "p1") -> ProjectFacts:
    request = GetFacts(project_ids=(project,))
    return facts_about(request, deps=world.deps).projects[0]


def languages_of(world: World, partner: str) -> list[str]:
    statement = select(AssignmentRow.languages).where(AssignmentRow.partner == partner)
    with world.database.reading() as session:
        return session.scalars(statement).one()


def test_a_project_is_stored_once_and_renamed(world: World) -> None:
    before = world.head()
    assert not world.project("p1", "Night Train").changed
    assert world.project("p1", "Night Train 2").changed
    assert world.news(before) == [("project_changed", "p1", "p1")]
    assert partners_of(world).title == "Night Train 2"


@pytest.mark.parametrize(
    ("id", "title", "code"),
    [
        ("p/1", "Night Train", "request.malformed"),
        ("p2", " ", "title.malformed"),
        ("p2", "Launch\r\nBcc: thief@evil.example", "title.malformed"),
    ],
)
def test_a_malformed_project_is_refused(
    world: World, id: str, title: str, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        world.project(id, title)


@pytest.mark.parametrize(("project", "partner", "languages", "code"), REFUSED)
def test_an_assignment_is_refused(
    world: World, project: str, partner: str, languages: tuple[str, ...], code: str
) -> None:
    before = world.head()
    with pytest.raises(Refused) as refusal:
        world.assign(partner, project, languages)
    assert refusal.value.code == code
    assert world.head() == before


def test_a_withdrawal_of_the_unknown_is_refused(world: World) -> None:
    with pytest.raises(Refused, match=r"partner\.missing"):
        world.withdraw("east")
    with pytest.raises(Refused, match=r"project\.missing"):
        world.withdraw("north", "p9")


def test_assigning_twice_is_assigning_once(world: World) -> None:
    before = world.head()
    assert not world.assign("north").changed
    assert world.news(before) == []


def test_other_languages_are_a_change_and_another_order_is_none(world: World) -> None:
    before = world.head()
    assert world.assign("north", languages=("pt-br", "FR", "fr")).changed
    assert not world.assign("north", languages=("fr", "pt-BR")).changed
    assert languages_of(world, "north") == ["fr", "pt-BR"]
    assert world.news(before) == [("partner_assigned", "north", "p1")]


def test_a_withdrawn_partner_stays_known_and_returns(world: World) -> None:
    before = world.head()
    assert world.withdraw("north").changed
    assert not world.withdraw("north").changed
    withdrawn = partners_of(world)
    assert (withdrawn.assigned, withdrawn.withdrawn) == (("south",), ("north",))
    assert world.assign("north").changed
    returned = partners_of(world)
    assert (returned.assigned, returned.withdrawn) == (("north", "south"), ())
    assert world.news(before) == [
        ("partner_withdrawn", "north", "p1"),
        ("partner_assigned", "north", "p1"),
    ]


def test_withdrawing_who_never_came_changes_nothing(world: World) -> None:
    world.partner("east", "East Voices")
    before = world.head()
    assert not world.withdraw("east").changed
    assert world.head() == before
    assert partners_of(world).withdrawn == ()


def test_partners_come_with_their_names(world: World) -> None:
    world.withdraw("south")
    assert partners_of(world).partners == (
        PartnerName(id="north", name="North Dubbing"),
        PartnerName(id="south", name="South Subtitles"),
    )


def test_a_withdrawal_touches_no_other_project(world: World) -> None:
    world.project("p2", "Day Train")
    world.assign("north", "p2")
    world.withdraw("north", "p1")
    assert partners_of(world, "p2").assigned == ("north",)
