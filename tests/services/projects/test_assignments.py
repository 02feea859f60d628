"""Projects, and the partners on them now and before (rule 7)."""

import pytest
from sqlalchemy import select

from clp_contracts.errors import Refused
from clp_contracts.projects import AskFacts, PartnerName, ProjectFacts
from clp_projects.tables import AssignmentRow
from clp_projects.use_cases.directory import facts_about
from tests.services.projects.sample_world import Story

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


def partners_of(story: Story, project: str = "p1") -> ProjectFacts:
    ask = AskFacts(projects=(project,))
    return facts_about(ask, parts=story.parts).projects[0]


def languages_of(story: Story, partner: str) -> list[str]:
    asked = select(AssignmentRow.languages).where(AssignmentRow.partner == partner)
    with story.database.reading() as session:
        return session.scalars(asked).one()


def test_a_project_is_stored_once_and_renamed(story: Story) -> None:
    before = story.head()
    assert not story.project("p1", "Night Train").changed
    assert story.project("p1", "Night Train 2").changed
    assert story.news(before) == [("project_changed", "p1", "p1")]
    assert partners_of(story).title == "Night Train 2"


@pytest.mark.parametrize(
    ("id", "title", "code"),
    [
        ("p/1", "Night Train", "ask.malformed"),
        ("p2", " ", "name.malformed"),
        ("p2", "Launch\r\nBcc: thief@evil.example", "name.malformed"),
    ],
)
def test_a_malformed_project_is_refused(
    story: Story, id: str, title: str, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        story.project(id, title)


@pytest.mark.parametrize(("project", "partner", "languages", "code"), REFUSED)
def test_an_assignment_is_refused(
    story: Story, project: str, partner: str, languages: tuple[str, ...], code: str
) -> None:
    before = story.head()
    with pytest.raises(Refused) as refusal:
        story.assign(partner, project, languages)
    assert refusal.value.code == code
    assert story.head() == before


def test_a_withdrawal_of_the_unknown_is_refused(story: Story) -> None:
    with pytest.raises(Refused, match=r"partner\.missing"):
        story.withdraw("east")
    with pytest.raises(Refused, match=r"project\.missing"):
        story.withdraw("north", "p9")


def test_assigning_twice_is_assigning_once(story: Story) -> None:
    before = story.head()
    assert not story.assign("north").changed
    assert story.news(before) == []


def test_other_languages_are_a_change_and_another_order_is_none(story: Story) -> None:
    before = story.head()
    assert story.assign("north", languages=("pt-br", "FR", "fr")).changed
    assert not story.assign("north", languages=("fr", "pt-BR")).changed
    assert languages_of(story, "north") == ["fr", "pt-BR"]
    assert story.news(before) == [("partner_assigned", "north", "p1")]


def test_a_withdrawn_partner_stays_known_and_returns(story: Story) -> None:
    before = story.head()
    assert story.withdraw("north").changed
    assert not story.withdraw("north").changed
    withdrawn = partners_of(story)
    assert (withdrawn.assigned, withdrawn.withdrawn) == (("south",), ("north",))
    assert story.assign("north").changed
    returned = partners_of(story)
    assert (returned.assigned, returned.withdrawn) == (("north", "south"), ())
    assert story.news(before) == [
        ("partner_withdrawn", "north", "p1"),
        ("partner_assigned", "north", "p1"),
    ]


def test_withdrawing_who_never_came_changes_nothing(story: Story) -> None:
    story.partner("east", "East Voices")
    before = story.head()
    assert not story.withdraw("east").changed
    assert story.head() == before
    assert partners_of(story).withdrawn == ()


def test_partners_come_with_their_names(story: Story) -> None:
    story.withdraw("south")
    assert partners_of(story).partners == (
        PartnerName(id="north", name="North Dubbing"),
        PartnerName(id="south", name="South Subtitles"),
    )


def test_a_withdrawal_touches_no_other_project(story: Story) -> None:
    story.project("p2", "Day Train")
    story.assign("north", "p2")
    story.withdraw("north", "p1")
    assert partners_of(story, "p2").assigned == ("north",)
