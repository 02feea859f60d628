"""Who is told of a message (R1 to R4, rules 13 and 22 to 24), as rows remember it."""

from dataclasses import replace

import pytest

from clp_core.routing import MentionRouting, RoutingPolicy
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, NORTH, PORTAL, World

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
    ("rule", "author", "channel", "mentioned", "told", "trigger"), ROUTES
)
def test_each_row_of_the_routing_table_tells_these_people(
    works: Works,
    world: World,
    rule: str,
    author: str,
    channel: str,
    mentioned: tuple[str, ...],
    told: set[str],
    trigger: str,
) -> None:
    world.follow(*EVERYBODY)
    message = world.post(author, channel, mentions=mentioned)
    works.run()
    assert set(works.states(message)) == told
    assert {mail.split("@")[0] for mail in works.tray.recipients} == told
    for person in told:
        found = works.explained(message, person)
        assert (found.rule, found.trigger) == (rule, trigger)


def test_a_mention_reaches_somebody_who_does_not_follow(
    works: Works, world: World
) -> None:
    message = world.post("ivy", BROADCAST, mentions=["nia"])
    works.run()
    assert set(works.states(message)) == {"nia"}


def test_followers_hear_as_well_where_the_policy_says_so(
    works: Works, world: World
) -> None:
    works.decide(RoutingPolicy(mention_routing=MentionRouting.ADDS))
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST, mentions=["nat"])
    works.run()
    assert set(works.states(message)) == {"nat", "sam"}
    assert works.explained(message, "nat").trigger == "mention"
    assert len(works.tray.mails) == 2


def test_an_edit_tells_the_newly_mentioned_once(works: Works, world: World) -> None:
    message = world.post("ivy", NORTH, mentions=["nia"])
    works.run()
    world.edit(message, mentions=["nia", "nat"])
    world.edit(message, mentions=["nat", "nia"])
    works.run()
    assert sorted(works.tray.recipients) == ["nat@north.example", "nia@north.example"]


def test_who_is_mentioned_again_hears_nothing_again(works: Works, world: World) -> None:
    message = world.post("ivy", NORTH, mentions=["nia"])
    works.run()
    world.edit(message, mentions=[])
    works.run()
    world.edit(message, mentions=["nia"])
    works.run()
    assert works.tray.recipients == ["nia@north.example"]


def test_who_was_told_as_a_follower_is_not_told_again_for_a_mention(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.run()
    world.edit(message, mentions=["nat"])
    works.run()
    assert works.tray.recipients == ["nat@north.example"]
    assert works.explained(message, "nat").trigger == "new_broadcast"


def test_an_edit_tells_nobody_whom_the_text_before_mentioned_already(
    works: Works, world: World
) -> None:
    message = world.post("ivy", BROADCAST)
    works.run()
    world.edit(message, mentions=["lin"])
    works.run()
    world.change_person("lin", roles=PORTAL)
    world.edit(message, mentions=["lin"], text="Edited again")
    works.run()
    assert works.states(message) == {}


def test_an_edit_without_mentions_tells_nobody(works: Works, world: World) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.run()
    world.edit(message, mentions=[])
    works.run()
    assert works.tray.recipients == ["nat@north.example"]


def test_the_same_change_twice_tells_everybody_once(works: Works, world: World) -> None:
    world.follow("nat", "nia", "sam")
    world.post("ivy", BROADCAST)
    works.route()
    works.projection.apply(tuple(world.feed))
    works.deliver()
    assert len(works.tray.mails) == 3


def test_a_message_deleted_before_it_was_read_tells_nobody(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    world.delete(message)
    works.run()
    assert works.states(message) == {}


def test_a_follower_added_later_hears_nothing_of_what_was_before(
    works: Works, world: World
) -> None:
    message = world.post("ivy", BROADCAST)
    works.run()
    world.follow("nat")
    works.run()
    assert works.explained(message, "nat").told is False


def test_a_thousand_followers_are_told_once_each(works: Works, world: World) -> None:
    nat = world.people["nat"]
    for number in range(1100):
        one = f"n{number}"
        world.people[one] = replace(nat, id=one, email=f"{one}@north.example")
        world.follow(one)
    message = world.post("ivy", BROADCAST)
    works.route()
    assert len(works.states(message)) == 1100
