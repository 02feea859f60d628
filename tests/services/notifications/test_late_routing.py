"""Changes are routed by what they said when they were made (rules 13, 22 and 25)."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import event

from clp_core.routing import MentionRouting, RoutingPolicy
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, NORTH

FOLLOWERS = ("ivy", "ian", "nat", "sam")
Texts = Sequence[tuple[str, ...]]

# fmt: off
CHANGES = [
    # sentence, channel, people mentioned by each text, triggers of the people told, mailed
    ("a post is told to its followers although an edit mentions somebody", BROADCAST,
     [(), ("nia",)],
     {"nat": "new_broadcast", "sam": "new_broadcast", "nia": "mention"},
     ["nat", "nia", "sam"]),
    ("a post that mentions people is told to them although an edit mentions others", BROADCAST,
     [("nat",), ("nia",)],
     {"nat": "mention", "nia": "mention"},
     ["nia"]),
    ("a post is told to its followers when an edit takes all mentions away", BROADCAST,
     [("nia",), ()],
     {"nia": "mention", "nat": "new_broadcast", "sam": "new_broadcast"},
     ["nat", "sam"]),
    ("a post is told to one side when an edit takes all mentions away", NORTH,
     [("ian",), ()],
     {"ian": "mention", "nat": "direct_to_partner"},
     ["nat"]),
    ("a mentioned follower is told as a follower when an edit takes all mentions away", BROADCAST,
     [("nat",), ()],
     {"nat": "new_broadcast", "sam": "new_broadcast"},
     ["nat", "sam"]),
    ("a post is not told to its followers when an edit takes one mention of two away", BROADCAST,
     [("nat", "nia"), ("nia",)],
     {"nat": "mention", "nia": "mention"},
     ["nia"]),
    ("a mention that is taken away and made again is one mention", BROADCAST,
     [("nat",), (), ("nat",)],
     {"nat": "mention", "sam": "new_broadcast"},
     ["nat", "sam"]),
    ("a mention that an edit makes and the next takes away leaves the followers told", BROADCAST,
     [(), ("nat",), ()],
     {"nat": "new_broadcast", "sam": "new_broadcast"},
     ["nat", "sam"]),
    ("a follower whom an edit mentions before the mail leaves is told of the mention", BROADCAST,
     [(), ("nat",)],
     {"nat": "mention", "sam": "new_broadcast"},
     ["nat", "sam"]),
    ("a mention of somebody without access that is taken away silences nobody", BROADCAST,
     [("lin",), ()],
     {"nat": "new_broadcast", "sam": "new_broadcast"},
     ["nat", "sam"]),
]
# fmt: on


def write(world: World, channel: str, texts: Texts) -> str:
    """Post the first text and edit it into the others; return the message."""
    message = world.post("ivy", channel, mentions=texts[0])
    for mentions in texts[1:]:
        world.edit(message, mentions=mentions)
    return message


def triggers(harness: DeliveryHarness, message: str) -> dict[str, str | None]:
    return {
        person: harness.explained(message, person).trigger
        for person in harness.states(message)
    }


def mailed(harness: DeliveryHarness) -> list[str]:
    return sorted(one.split("@")[0] for one in harness.transport.recipients)


@pytest.mark.parametrize("batch", [1, 2, 3], ids=["promptly", "by twos", "late"])
@pytest.mark.parametrize(
    ("sentence", "channel", "texts", "trigger_of", "recipients"),
    CHANGES,
    ids=[row[0] for row in CHANGES],
)
def test_changes_of_a_message_tell_the_same_people_however_late(
    harness: DeliveryHarness,
    world: World,
    batch: int,
    sentence: str,
    channel: str,
    texts: Texts,
    trigger_of: dict[str, str],
    recipients: list[str],
) -> None:
    world.follow(*FOLLOWERS)
    message = write(world, channel, texts)
    for start in range(0, len(world.feed), batch):
        harness.projection.apply(tuple(world.feed[start : start + batch]))
    assert triggers(harness, message) == trigger_of, sentence
    harness.deliver()
    assert mailed(harness) == recipients, sentence


@pytest.mark.parametrize("texts", [[("nia",), ()], [(), ("nia",)]])
def test_an_edit_whose_post_was_a_dead_letter_routes_the_post_first(
    harness: DeliveryHarness, world: World, texts: Texts
) -> None:
    world.follow(*FOLLOWERS)
    message = write(world, BROADCAST, texts)
    harness.projection.apply(tuple(world.feed[1:]))
    in_the_feed_order = {
        "nat": "new_broadcast",
        "sam": "new_broadcast",
        "nia": "mention",
    }
    assert triggers(harness, message) == in_the_feed_order
    harness.projection.apply(tuple(world.feed[:1]))
    assert triggers(harness, message) == in_the_feed_order


def test_followers_are_not_told_once_the_mail_of_a_mention_left(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow(*FOLLOWERS)
    message = world.post("ivy", BROADCAST, mentions=["nia"])
    harness.run()
    world.edit(message, mentions=[])
    harness.run()
    assert mailed(harness) == ["nia"]
    found = harness.explained(message, "sam")
    assert found.reason == "not_told.replaced_by_mention"


def test_a_mention_withdrawn_before_its_removal_is_routed_is_told_as_a_follower(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow(*FOLLOWERS)
    message = world.post("ivy", BROADCAST, mentions=["nat"])
    harness.route()
    world.edit(message, mentions=[])
    harness.deliver()
    assert harness.states(message) == {"nat": ("suppressed", "mention_removed")}
    harness.run()
    assert mailed(harness) == ["nat", "sam"]
    found = harness.explained(message, "nat")
    assert (found.rule, found.trigger) == ("R1", "new_broadcast")
    assert [one.reason for one in found.transitions] == [
        "routed",
        "claimed",
        "mention_removed",
        "rerouted",
        "claimed",
        "accepted",
    ]


def test_a_mention_taken_away_leaves_a_follower_told_where_mentions_only_add(
    harness: DeliveryHarness, world: World
) -> None:
    harness.decide(RoutingPolicy(mention_routing=MentionRouting.ADDS))
    world.follow(*FOLLOWERS)
    message = write(world, BROADCAST, [("nat",), ()])
    harness.run()
    assert triggers(harness, message) == {
        "nat": "new_broadcast",
        "sam": "new_broadcast",
    }
    assert mailed(harness) == ["nat", "sam"]


@pytest.mark.parametrize("texts", [[("nia",)], [("nia",), ()], [(), ("nia",)]])
def test_a_message_deleted_before_it_was_routed_explains_so_to_everybody(
    harness: DeliveryHarness, world: World, texts: Texts
) -> None:
    world.follow(*FOLLOWERS)
    message = write(world, BROADCAST, texts)
    world.delete(message)
    harness.run()
    assert mailed(harness) == []
    for person in (*FOLLOWERS, "nia"):
        found = harness.explained(message, person)
        assert (found.told, found.rule, found.reason) == (
            False,
            "22",
            "not_told.deleted",
        )
        assert "deleted" in found.sentence


def test_a_message_deleted_before_an_edit_was_routed_explains_the_edit_only(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow(*FOLLOWERS)
    message = world.post("ivy", BROADCAST)
    harness.run()
    world.edit(message, mentions=["nia"])
    world.delete(message)
    harness.run()
    assert mailed(harness) == ["nat", "sam"]
    assert harness.explained(message, "nia").reason == "not_told.deleted"
    assert harness.explained(message, "ivy").reason == "not_told.author"
    assert harness.explained(message, "nat").reason == "told.new_broadcast"


@pytest.mark.broker
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_worker_that_wakes_while_an_edit_is_routed_mails_once(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    world.edit(message, mentions=["nat"])
    woken: list[str] = []

    def wake(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        reads_states = "notifications.person, notifications.id" in statement
        if reads_states and not woken:
            woken.append(statement)
            harness.deliver()

    event.listen(harness.database.engine, "after_cursor_execute", wake)
    harness.run()
    event.remove(harness.database.engine, "after_cursor_execute", wake)
    assert woken
    assert mailed(harness) == ["nat"]


def test_a_mention_that_an_unrouted_edit_withdrew_is_due_again_when_it_returns(
    harness: DeliveryHarness, world: World
) -> None:
    """The edit between is a dead letter, so for routing the mention never went."""
    message = write(world, BROADCAST, [("nat",)])
    harness.projection.apply(tuple(world.feed))
    world.edit(message, mentions=())
    harness.deliver()
    assert harness.states(message) == {"nat": ("suppressed", "mention_removed")}
    world.edit(message, mentions=("nat",))
    harness.projection.apply(tuple(world.feed[2:]))
    assert harness.states(message) == {"nat": ("due", "mentioned")}
    harness.deliver()
    assert mailed(harness) == ["nat"]
