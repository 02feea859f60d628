"""Routing stores who is told of a message (R1 to R4, rules 13 and 22 to 24)."""

from dataclasses import replace

import pytest

from clp_core.routing import MentionRouting, RoutingPolicy
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, NORTH, PORTAL

EVERYBODY = ("ivy", "ian", "lin", "nat", "nia", "sam", "sol")

# fmt: off
ROUTES = [
    # row   author   channel    mentioned        told, of everybody who follows            rule  trigger
    ("R1", "ivy",   BROADCAST, (),              {"nat", "nia", "sam", "sol"},             "new_broadcast"),
    ("R1", "robot", BROADCAST, (),              {"nat", "nia", "sam", "sol"},             "new_broadcast"),
    ("R2", "nat",   NORTH,     (),              {"ivy", "ian"},                           "direct_from_partner"),
    ("R3", "ivy",   NORTH,     (),              {"nat", "nia"},                           "direct_to_partner"),
    ("R4", "ivy",   BROADCAST, ("sam",),        {"sam"},                                  "mention"),
    ("R4", "ivy",   NORTH,     ("nia", "ian"),  {"nia", "ian"},                           "mention"),
    ("R4", "nat",   NORTH,     ("nia",),        {"nia"},                                  "mention"),
    ("R4", "ivy",   NORTH,     ("sam",),        set(),                                    "mention"),
    ("R4", "ivy",   BROADCAST, ("lin",),        set(),                                    "mention"),
]
# fmt: on


@pytest.mark.parametrize(
    ("rule", "author", "channel", "mentioned", "recipients", "trigger"), ROUTES
)
def test_each_row_of_the_routing_table_tells_these_people(
    harness: DeliveryHarness,
    world: World,
    rule: str,
    author: str,
    channel: str,
    mentioned: tuple[str, ...],
    recipients: set[str],
    trigger: str,
) -> None:
    world.follow(*EVERYBODY)
    message = world.post(author, channel, mentions=mentioned)
    harness.run()
    assert set(harness.states(message)) == recipients
    assert {mail.split("@")[0] for mail in harness.transport.recipients} == recipients
    for person in recipients:
        found = harness.explained(message, person)
        assert (found.rule, found.trigger) == (rule, trigger)


def test_a_mention_reaches_a_person_who_does_not_follow(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", BROADCAST, mentions=["nia"])
    harness.run()
    assert set(harness.states(message)) == {"nia"}


def test_followers_are_told_too_where_the_policy_adds_mentions(
    harness: DeliveryHarness, world: World
) -> None:
    harness.decide(RoutingPolicy(mention_routing=MentionRouting.ADDS))
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST, mentions=["nat"])
    harness.run()
    assert set(harness.states(message)) == {"nat", "sam"}
    assert harness.explained(message, "nat").trigger == "mention"
    assert len(harness.transport.mails) == 2


def test_an_edit_tells_the_newly_mentioned_once(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", NORTH, mentions=["nia"])
    harness.run()
    world.edit(message, mentions=["nia", "nat"])
    world.edit(message, mentions=["nat", "nia"])
    harness.run()
    assert sorted(harness.transport.recipients) == [
        "nat@north.example",
        "nia@north.example",
    ]


def test_a_person_mentioned_again_is_not_told_again(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", NORTH, mentions=["nia"])
    harness.run()
    world.edit(message, mentions=[])
    harness.run()
    world.edit(message, mentions=["nia"])
    harness.run()
    assert harness.transport.recipients == ["nia@north.example"]


def test_a_follower_who_was_told_is_not_told_again_for_a_mention(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.run()
    world.edit(message, mentions=["nat"])
    harness.run()
    assert harness.transport.recipients == ["nat@north.example"]
    assert harness.explained(message, "nat").trigger == "new_broadcast"


def test_an_edit_tells_nobody_whom_the_previous_text_mentioned(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", BROADCAST)
    harness.run()
    world.edit(message, mentions=["lin"])
    harness.run()
    world.change_person("lin", roles=PORTAL)
    world.edit(message, mentions=["lin"], text="Edited again")
    harness.run()
    assert harness.states(message) == {}


def test_an_edit_without_mentions_tells_nobody(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.run()
    world.edit(message, mentions=[])
    harness.run()
    assert harness.transport.recipients == ["nat@north.example"]


def test_the_same_change_twice_tells_everybody_once(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia", "sam")
    world.post("ivy", BROADCAST)
    harness.route()
    harness.projection.apply(tuple(world.feed))
    harness.deliver()
    assert len(harness.transport.mails) == 3


def test_a_message_deleted_before_routing_tells_nobody(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    world.delete(message)
    harness.run()
    assert harness.states(message) == {}


def test_a_later_follower_is_not_told_of_earlier_messages(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", BROADCAST)
    harness.run()
    world.follow("nat")
    harness.run()
    assert harness.explained(message, "nat").told is False


def test_a_thousand_followers_are_told_once_each(
    harness: DeliveryHarness, world: World
) -> None:
    nat = world.people["nat"]
    for number in range(1100):
        one = f"n{number}"
        world.people[one] = replace(nat, id=one, email=f"{one}@north.example")
        world.follow(one)
    message = world.post("ivy", BROADCAST)
    harness.route()
    assert len(harness.states(message)) == 1100


def test_a_message_is_routed_by_the_side_of_its_author_at_posting(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("ian", "nia")
    from_partner = world.post("nat", NORTH)
    to_partner = world.post("ivy", NORTH)
    world.change_person("nat", partner=None)
    world.change_person("ivy", partner="north")
    harness.run()
    assert set(harness.states(from_partner)) == {"ian"}
    assert set(harness.states(to_partner)) == {"nia"}
    assert harness.explained(from_partner, "ian").rule == "R2"
    assert harness.explained(to_partner, "nia").rule == "R3"
