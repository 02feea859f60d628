"""The preview of a draft is the routing of the posted message (rule 47)."""

import pytest

from clp_contracts.errors import Refused
from clp_contracts.notifications import GetPreview, Preview
from clp_core.routing import MentionRouting, RoutingPolicy
from clp_notifications.routing.preview import preview
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, NORTH, SOUTH


def previewed(
    harness: DeliveryHarness, actor: str, channel: str, text: str = ""
) -> Preview:
    request = GetPreview(channel=channel, text=text)
    return preview(request, actor=actor, deps=harness.deps)


def groups_of(found: Preview) -> dict[str, int | None]:
    return {group.name: group.count for group in found.groups}


# fmt: off
AUDIENCES = [
    # actor  channel    text                     rule   groups                                        people
    ("ivy", BROADCAST, "Hello",                  "R1", {"North Dubbing": 2, "South Subtitles": 1},   []),
    ("ivy", BROADCAST, "",                       "R1", {"North Dubbing": 2, "South Subtitles": 1},   []),
    ("ivy", NORTH,     "Hello",                  "R3", {"North Dubbing": 2},                         []),
    ("ivy", SOUTH,     "Hello",                  "R3", {"South Subtitles": 1},                       []),
    ("nat", NORTH,     "Hello",                  "R2", {"the studio": None},                         []),
    ("ivy", NORTH,     "@Nia Roux, look",        "R4", {},                                           ["nia"]),
    ("ivy", BROADCAST, "@Sol Reyes @Ian Moss",   "R4", {},                                           ["ian", "sol"]),
    ("nat", NORTH,     "@Ian Moss",              "R4", {},                                           ["ian"]),
    ("nat", NORTH,     "@Sol Reyes",             "R2", {"the studio": None},                         []),
    ("nat", NORTH,     "@Nat Moreau",            "R2", {"the studio": None},                         []),
]
# fmt: on


@pytest.mark.parametrize(
    ("actor", "channel", "text", "rule", "groups", "people"), AUDIENCES
)
def test_a_draft_reaches(
    harness: DeliveryHarness,
    world: World,
    actor: str,
    channel: str,
    text: str,
    rule: str,
    groups: dict[str, int | None],
    people: list[str],
) -> None:
    world.follow("ivy", "ian", "nat", "nia", "sam")
    found = previewed(harness, actor, channel, text)
    assert (found.rule, groups_of(found)) == (rule, groups)
    assert [person.id for person in found.people] == people
    assert found.nobody is None
    mentioned = [one.person for one in found.mentions if one.outcome == "mentioned"]
    message = world.post(
        author=actor, channel=channel, mentions=[one for one in mentioned if one]
    )
    harness.route()
    told = harness.states(message).keys()
    assert told >= set(people)
    if None not in groups.values():
        assert len(told) == len(people) + sum(filter(None, groups.values()))


def test_a_draft_reaches_nobody(harness: DeliveryHarness, world: World) -> None:
    world.follow("ivy", "nat")
    found = previewed(harness, "ivy", SOUTH)
    assert (found.groups, found.people, found.nobody) == ((), (), "nobody.no_follower")


def test_mention_outcomes_are_those_of_the_author(
    harness: DeliveryHarness, world: World
) -> None:
    world.change_person("sol", name="Nia Roux")
    found = previewed(harness, "nat", NORTH, "@Nia Roux @Sam Duarte @Nobody")
    outcomes = [(one.handle, one.outcome, one.person) for one in found.mentions]
    assert outcomes == [
        ("Nia Roux", "mentioned", "nia"),
        ("Sam", "unknown", None),
        ("Nobody", "unknown", None),
    ]


def test_followers_are_told_too_where_the_policy_adds_mentions(
    harness: DeliveryHarness, world: World
) -> None:
    harness.decide(RoutingPolicy(mention_routing=MentionRouting.ADDS))
    world.follow("nat", "nia")
    found = previewed(harness, "ivy", NORTH, "@Nia Roux")
    assert groups_of(found) == {"North Dubbing": 1}
    assert [person.name for person in found.people] == ["Nia Roux"]


REFUSALS = [
    ("nat", BROADCAST, "x", "broadcast.internal_only"),
    ("nat", SOUTH, "x", "channel.missing"),
    ("nat", "p1/direct/nowhere", "x", "channel.missing"),
    ("nat", "p9/broadcast", "x", "channel.missing"),
    ("nat", "no channel", "x", "channel.missing"),
    ("lin", BROADCAST, "x", "channel.missing"),
    ("nobody", NORTH, "x", "channel.missing"),
    ("ivy", NORTH, "x" * 10_001, "text.too_long"),
    ("ivy", NORTH, "\0", "text.malformed"),
]


@pytest.mark.parametrize(("actor", "channel", "text", "code"), REFUSALS)
def test_a_preview_is_refused_as_posting_is(
    harness: DeliveryHarness, actor: str, channel: str, text: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        previewed(harness, actor, channel, text)
    assert refused.value.code == code


def test_a_preview_for_a_partner_depends_on_no_other_partner(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("ivy", "nat")
    text = "@Sam Duarte @Ian Moss"
    with_rivals = previewed(harness, "nat", NORTH, text)
    world.follow("sam", "sol")
    assert previewed(harness, "nat", NORTH, text) == with_rivals
    world.withdraw("south")
    for person in ("sam", "sol"):
        world.unfollow(person)
        del world.people[person]
    assert previewed(harness, "nat", NORTH, text) == with_rivals
