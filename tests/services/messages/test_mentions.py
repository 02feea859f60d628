"""Mentions in posts, and the type-ahead (rules 14 to 20)."""

import pytest

from clp_suite.sample_data import Part
from tests.services.messages.scenario import BROADCAST, NORTH, Stage, refusal


def test_each_handle_has_an_outcome_with_its_span(stage: Stage) -> None:
    text = (
        "@Nat Moreau @ian@studio.example @Nobody Here @ivy@studio.example @nat moreau"
    )
    posted = stage.post("ivy", NORTH, text)
    assert [(m.outcome, m.person) for m in posted.mentions] == [
        ("mentioned", "nat"),
        ("mentioned", "ian"),
        ("unknown", None),
        ("self", "ivy"),
        ("duplicate", "nat"),
    ]
    for mention in posted.mentions:
        assert text[mention.start] == "@"
        assert text[mention.start + 1 : mention.end] == mention.handle
    assert stage.content(posted.id).mentioned == ("ian", "nat")


def test_a_person_hidden_from_the_author_is_nobody(stage: Stage) -> None:
    hidden = stage.post("nat", NORTH, "@Sam Duarte @sam@south.example")
    del stage.projects.people["sam"]
    missing = stage.post("nat", NORTH, "@Sam Duarte @sam@south.example")
    assert hidden.mentions == missing.mentions
    assert [m.outcome for m in hidden.mentions] == ["unknown", "unknown"]


def test_somebody_without_access_is_nobody(stage: Stage) -> None:
    posted = stage.post("ivy", NORTH, "@Lin Okafor")
    assert [m.outcome for m in posted.mentions] == ["unknown"]


def test_two_people_of_one_name_are_listed_and_nobody_is_told(stage: Stage) -> None:
    stage.projects.put(Part("nat2", "Nat Moreau", "north"))
    posted = stage.post("ivy", NORTH, "@Nat Moreau")
    (mention,) = posted.mentions
    assert (mention.outcome, mention.person) == ("ambiguous", None)
    assert [c.email for c in mention.candidates] == [
        "nat2@north.example",
        "nat@north.example",
    ]
    assert stage.content(posted.id).mentioned == ()


def test_more_than_fifty_people_are_refused(stage: Stage) -> None:
    for number in range(51):
        stage.projects.put(Part(f"x{number}", f"Extra Number{number}"))
    handles = [f"@x{number}@studio.example" for number in range(51)]
    assert refusal(lambda: stage.post("ivy", NORTH, " ".join(handles))) == (
        "mention.too_many"
    )
    posted = stage.post("ivy", NORTH, " ".join(handles[:50]))
    assert len(stage.content(posted.id).mentioned) == 50
    assert refusal(lambda: stage.edit("ivy", posted.id, " ".join(handles))) == (
        "mention.too_many"
    )


def test_only_the_owners_of_what_stands_in_the_text_are_asked_for(
    stage: Stage,
) -> None:
    stage.post("ivy", NORTH, "no sign at all")
    assert stage.projects.asked["owners"] == 0
    stage.post("ivy", NORTH, "dear @Nat Moreau, hello")
    assert stage.projects.asked["owners"] == 1
    assert "nat moreau" in stage.projects.keys_asked
    assert "ivy lane" not in stage.projects.keys_asked


def test_a_text_full_of_handles_is_asked_about_in_few_calls(stage: Stage) -> None:
    text = " ".join(f"@a{number:04d} b" for number in range(1200))
    stage.post("ivy", NORTH, text[:10_000])
    assert 1 <= stage.projects.asked["owners"] <= 4


# who    | channel  | typed      | offered
OFFERS = [
    ("ivy", NORTH, "", ["ian", "nat", "nia"]),
    ("ivy", BROADCAST, "", ["ian", "nat", "nia", "sam", "sol"]),
    ("nat", NORTH, "", ["ian", "ivy", "nia"]),
    ("nat", NORTH, "i", ["ian", "ivy"]),
    ("nat", NORTH, "moss", ["ian"]),
    ("nat", NORTH, "IAN@", ["ian"]),
    ("nat", NORTH, "sam", []),
    ("nat", NORTH, "nat", []),
    ("nat", NORTH, "lin", []),
    ("ivy", NORTH, "a_%", []),
    ("ivy", NORTH, "x" * 100_000, []),
]


@pytest.mark.parametrize(("person", "channel", "typed", "offered"), OFFERS)
def test_who_is_offered(
    stage: Stage, person: str, channel: str, typed: str, offered: list[str]
) -> None:
    assert stage.mentionable(person, channel, typed) == offered


@pytest.mark.parametrize(
    ("person", "channel", "answer"),
    [
        ("nat", BROADCAST, "broadcast.internal_only"),
        ("sam", NORTH, "channel.missing"),
        ("wes", BROADCAST, "channel.missing"),
        ("lin", NORTH, "channel.missing"),
        ("robot", NORTH, "channel.missing"),
    ],
)
def test_nobody_is_offered_to_who_may_not_post(
    stage: Stage, person: str, channel: str, answer: str
) -> None:
    assert refusal(lambda: stage.mentionable(person, channel)) == answer
    assert stage.projects.asked["people_like"] == 0


def test_twenty_are_offered_at_most(stage: Stage) -> None:
    for number in range(40):
        stage.projects.put(Part(f"x{number}", f"Extra Number{number}"))
    assert len(stage.mentionable("ivy", NORTH, "extra", limit=500)) == 20
    assert len(stage.mentionable("ivy", NORTH, "extra", limit=3)) == 3
    assert stage.mentionable("ivy", NORTH, "extra", limit=0) == []
    assert stage.mentionable("ivy", NORTH, "extra", limit=-1) == []


def test_the_actor_takes_no_place_of_those_offered(stage: Stage) -> None:
    assert stage.mentionable("ivy", NORTH, limit=2) == ["ian", "nat"]


def test_the_beginning_of_the_name_comes_first(stage: Stage) -> None:
    stage.projects.put(Part("zed", "Zed Moss"))
    stage.projects.put(Part("moss", "Moss Adams"))
    assert stage.mentionable("ivy", NORTH, "moss") == ["moss", "ian", "zed"]
