"""Mentions in posts, and autocomplete (rules 14 to 20)."""

import pytest

from clp_suite.sample_data import CastMember
from tests.services.messages.scenario import BROADCAST, NORTH, Scenario, refusal


def test_each_handle_has_an_outcome_with_its_span(scenario: Scenario) -> None:
    text = (
        "@Nat Moreau @ian@studio.example @Nobody Here @ivy@studio.example @nat moreau"
    )
    posted = scenario.post("ivy", NORTH, text)
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
    assert scenario.content(posted.id).mentioned == ("ian", "nat")


def test_a_person_hidden_from_the_author_is_unknown(scenario: Scenario) -> None:
    hidden = scenario.post("nat", NORTH, "@Sam Duarte @sam@south.example")
    del scenario.projects.people["sam"]
    missing = scenario.post("nat", NORTH, "@Sam Duarte @sam@south.example")
    assert hidden.mentions == missing.mentions
    assert [m.outcome for m in hidden.mentions] == ["unknown", "unknown"]


def test_a_person_without_access_is_unknown(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "@Lin Okafor")
    assert [m.outcome for m in posted.mentions] == ["unknown"]


def test_two_people_of_one_name_are_listed_and_not_mentioned(
    scenario: Scenario,
) -> None:
    scenario.projects.put(CastMember("nat2", "Nat Moreau", "north"))
    posted = scenario.post("ivy", NORTH, "@Nat Moreau")
    (mention,) = posted.mentions
    assert (mention.outcome, mention.person) == ("ambiguous", None)
    assert [c.email for c in mention.candidates] == [
        "nat2@north.example",
        "nat@north.example",
    ]
    assert scenario.content(posted.id).mentioned == ()


def test_more_than_fifty_people_are_refused(scenario: Scenario) -> None:
    for number in range(51):
        scenario.projects.put(CastMember(f"x{number}", f"Extra Number{number}"))
    handles = [f"@x{number}@studio.example" for number in range(51)]
    assert refusal(lambda: scenario.post("ivy", NORTH, " ".join(handles))) == (
        "mention.too_many"
    )
    posted = scenario.post("ivy", NORTH, " ".join(handles[:50]))
    assert len(scenario.content(posted.id).mentioned) == 50
    assert refusal(lambda: scenario.edit("ivy", posted.id, " ".join(handles))) == (
        "mention.too_many"
    )


def test_only_owners_of_keys_in_the_text_are_looked_up(
    scenario: Scenario,
) -> None:
    scenario.post("ivy", NORTH, "no sign at all")
    assert scenario.projects.calls["owners"] == 0
    scenario.post("ivy", NORTH, "dear @Nat Moreau, hello")
    assert scenario.projects.calls["owners"] == 1
    assert "nat moreau" in scenario.projects.looked_up_keys
    assert "ivy lane" not in scenario.projects.looked_up_keys


def test_only_people_whom_the_author_may_see_are_looked_up(scenario: Scenario) -> None:
    for person, channel in (("nat", NORTH), ("ivy", NORTH), ("ivy", BROADCAST)):
        scenario.post(person, channel, "@Nia Roux hello")
    assert scenario.projects.looked_up_partners == ["north", "north", "*"]


def test_a_text_full_of_handles_costs_few_calls(scenario: Scenario) -> None:
    text = " ".join(f"@a{number:04d} b" for number in range(1200))
    scenario.post("ivy", NORTH, text[:10_000])
    assert 1 <= scenario.projects.calls["owners"] <= 4


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
def test_which_people_are_suggested(
    scenario: Scenario, person: str, channel: str, typed: str, offered: list[str]
) -> None:
    assert scenario.mentionable(person, channel, typed) == offered


@pytest.mark.parametrize(
    ("person", "channel", "code"),
    [
        ("nat", BROADCAST, "broadcast.internal_only"),
        ("sam", NORTH, "channel.missing"),
        ("wes", BROADCAST, "channel.missing"),
        ("lin", NORTH, "channel.missing"),
        ("robot", NORTH, "channel.missing"),
    ],
)
def test_a_person_who_may_not_post_gets_no_suggestions(
    scenario: Scenario, person: str, channel: str, code: str
) -> None:
    assert refusal(lambda: scenario.mentionable(person, channel)) == code
    assert scenario.projects.calls["suggest_people"] == 0


def test_at_most_twenty_people_are_suggested(scenario: Scenario) -> None:
    for number in range(40):
        scenario.projects.put(CastMember(f"x{number}", f"Extra Number{number}"))
    assert len(scenario.mentionable("ivy", NORTH, "extra", limit=500)) == 20
    assert len(scenario.mentionable("ivy", NORTH, "extra", limit=3)) == 3
    assert scenario.mentionable("ivy", NORTH, "extra", limit=0) == []
    assert scenario.mentionable("ivy", NORTH, "extra", limit=-1) == []


def test_the_actor_is_never_suggested(scenario: Scenario) -> None:
    assert scenario.mentionable("ivy", NORTH, limit=2) == ["ian", "nat"]


def test_a_match_at_the_start_of_the_name_ranks_first(scenario: Scenario) -> None:
    scenario.projects.put(CastMember("zed", "Zed Moss"))
    scenario.projects.put(CastMember("moss", "Moss Adams"))
    assert scenario.mentionable("ivy", NORTH, "moss") == ["moss", "ian", "zed"]
