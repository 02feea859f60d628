"""Several notifications for one person in one channel become one mail (rule 40)."""

import re
from dataclasses import replace

import pytest

from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.states import MailMode
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, NORTH


def test_each_message_is_a_mail_of_its_own_without_a_window(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    texts = ["one", "two", "three"]
    for text in texts:
        world.post("ivy", BROADCAST, text)
    harness.run()
    assert [
        cut_up(mail.data).text.split("\n")[4] for mail in harness.transport.mails
    ] == [f"> {text}" for text in texts]


def test_several_messages_of_one_window_are_one_mail(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    world.follow("nat", "sam")
    for number in range(3):
        world.post("ivy", BROADCAST, f"message {number}")
        world.clock.forward(seconds=10)
        harness.run()
    assert not harness.transport.mails
    world.clock.forward(seconds=30)
    harness.run()
    assert sorted(harness.transport.recipients) == [
        "nat@north.example",
        "sam@south.example",
    ]
    text = cut_up(harness.transport.mails[0].data).text
    assert [f"> message {number}" in text for number in range(3)] == [True] * 3


def test_the_window_begins_anew_after_a_mail(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    world.follow("nat")
    for _ in range(2):
        world.post("ivy", BROADCAST)
        harness.run()
        world.clock.forward(seconds=61)
        harness.run()
    assert len(harness.transport.mails) == 2


def test_channels_do_not_share_a_mail(harness: DeliveryHarness, world: World) -> None:
    harness.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST)
    world.post("ivy", NORTH)
    harness.route()
    world.clock.forward(seconds=60)
    harness.deliver()
    subjects = [cut_up(mail.data).one("Subject") for mail in harness.transport.mails]
    assert subjects == [
        "[Night Train] Broadcast",
        "[Night Train] Direct messages with the studio",
    ]


def test_a_mention_waits_ten_seconds_in_a_mail_of_its_own(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST, "waits")
    world.post("ivy", BROADCAST, "@Nat Moreau", mentions=["nat"])
    harness.run()
    assert harness.transport.mails == []
    world.clock.forward(seconds=10)
    harness.deliver()
    (mail,) = harness.transport.mails
    assert cut_up(mail.data).one("X-Notification-Reason") == "mention"
    assert b"waits" not in mail.data


def test_a_mention_never_waits_longer_than_the_window_of_other_mails(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(3)
    world.post("ivy", BROADCAST, "@Nat Moreau", mentions=["nat"])
    harness.route()
    world.clock.forward(seconds=3)
    harness.deliver()
    assert len(harness.transport.mails) == 1


@pytest.mark.parametrize("mode", ["at_once", "batched", "daily"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_twenty_posts_with_fifty_mentions_are_fifty_mails(
    harness: DeliveryHarness, world: World, mode: str
) -> None:
    harness.window(60)
    people = [f"person{number}" for number in range(50)]
    for person in people:
        world.people[person] = replace(
            world.people["nat"], id=person, email=f"{person}@north.example"
        )
        harness.set_mode(person, MailMode(mode))
    for number in range(20):
        world.post("ivy", BROADCAST, f"storm {number}", mentions=people)
        world.clock.forward(seconds=0.3)
        harness.run()
    world.clock.forward(seconds=10)
    harness.run()
    assert sorted(harness.transport.recipients) == sorted(
        f"{person}@north.example" for person in people
    )
    assert {listed(mail) for mail in harness.transport.mails} == {20}


def test_mention_mails_over_their_limit_are_one_digest_an_hour_later(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    for number in range(40):
        world.post("ivy", BROADCAST, f"storm {number}", mentions=["nat"])
        harness.run()
        world.clock.forward(seconds=11)
        harness.run()
    kinds = [
        cut_up(mail.data).one("X-Notification-Reason")
        for mail in harness.transport.mails
    ]
    assert kinds == ["mention"] * 30
    world.clock.forward(hours=1)
    harness.run()
    digest = harness.transport.mails[-1]
    assert cut_up(digest.data).one("X-Notification-Reason") == "digest"
    assert len(harness.transport.mails) == 31
    assert sum(map(listed, harness.transport.mails)) == 40


def test_a_mention_over_its_limit_does_not_wait_for_the_daily_digest(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    harness.deps = replace(
        harness.deps, mail=replace(harness.deps.mail, max_mention_mails_per_hour=1)
    )
    harness.set_mode("nat", MailMode.DAILY)
    world.follow("nat")
    world.post("ivy", BROADCAST, "storm for tomorrow")
    for _ in range(2):
        world.post("ivy", BROADCAST, "storm now", mentions=["nat"])
        world.clock.forward(seconds=11)
        harness.run()
    assert len(harness.transport.mails) == 1
    world.clock.forward(hours=1)
    harness.run()
    assert len(harness.transport.mails) == 2
    assert b"tomorrow" not in b"".join(mail.data for mail in harness.transport.mails)


def listed(mail: OutgoingMail) -> int:
    """Return how many messages a mail shows or counts."""
    text = cut_up(mail.data).text
    more = re.search(r"and (\d+) more", text)
    return text.count("> storm ") + (int(more[1]) if more else 0)


def test_500_broadcasts_become_few_mails_and_none_is_lost(
    harness: DeliveryHarness, world: World
) -> None:
    """At most one mail per window and person, and a digest."""
    harness.window(60)
    followers = ("nat", "nia", "sam", "sol")
    world.follow(*followers)
    for number in range(500):
        world.post("ivy", BROADCAST, f"storm {number}")
        world.clock.forward(seconds=600 / 500)
        if number % 10 == 9:
            harness.run()
    world.clock.forward(seconds=60)
    harness.run()
    for person in followers:
        mails = harness.transport.to(world.people[person].email)
        assert len(mails) <= 11
        assert sum(map(listed, mails)) == 500


def test_many_messages_give_one_mail_per_window(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    world.follow("nat")
    for _ in range(120):
        world.post("robot", BROADCAST)
        harness.run()
        world.clock.forward(seconds=5)
    world.clock.forward(seconds=60)
    harness.run()
    assert len(harness.transport.mails) <= 11
    count = sum(
        cut_up(mail.data).text.count("posted automatically")
        for mail in harness.transport.mails
    )
    assert count == 120
