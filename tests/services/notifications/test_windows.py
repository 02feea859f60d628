"""Several notifications for one person in one channel become one mail (rule 40)."""

import re

from clp_notifications.mail.composer import ReadyMail
from tests.services.notifications.harness import Works
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import BROADCAST, NORTH, World


def test_each_message_is_a_mail_of_its_own_without_a_window(
    works: Works, world: World
) -> None:
    world.follow("nat")
    texts = ["one", "two", "three"]
    for text in texts:
        world.post("ivy", BROADCAST, text)
    works.run()
    assert [cut_up(mail.data).text.split("\n")[4] for mail in works.tray.mails] == [
        f"> {text}" for text in texts
    ]


def test_several_messages_of_one_window_are_one_mail(
    works: Works, world: World
) -> None:
    works.window(60)
    world.follow("nat", "sam")
    for number in range(3):
        world.post("ivy", BROADCAST, f"message {number}")
        world.clock.forward(seconds=10)
        works.run()
    assert not works.tray.mails
    world.clock.forward(seconds=30)
    works.run()
    assert sorted(works.tray.recipients) == ["nat@north.example", "sam@south.example"]
    text = cut_up(works.tray.mails[0].data).text
    assert [f"> message {number}" in text for number in range(3)] == [True] * 3


def test_the_window_begins_anew_after_a_mail(works: Works, world: World) -> None:
    works.window(60)
    world.follow("nat")
    for _ in range(2):
        world.post("ivy", BROADCAST)
        works.run()
        world.clock.forward(seconds=61)
        works.run()
    assert len(works.tray.mails) == 2


def test_channels_do_not_share_a_mail(works: Works, world: World) -> None:
    works.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST)
    world.post("ivy", NORTH)
    works.route()
    world.clock.forward(seconds=60)
    works.deliver()
    subjects = [cut_up(mail.data).one("Subject") for mail in works.tray.mails]
    assert subjects == [
        "[Night Train] Broadcast",
        "[Night Train] Direct messages with the studio",
    ]


def test_a_mention_never_waits(works: Works, world: World) -> None:
    works.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST, "waits")
    world.post("ivy", BROADCAST, "@Nat Moreau", mentions=["nat"])
    works.run()
    (mail,) = works.tray.mails
    assert cut_up(mail.data).one("X-Notification-Reason") == "mention"
    assert b"waits" not in mail.data


def listed(mail: ReadyMail) -> int:
    """How many messages a mail tells of: those it shows and those it counts."""
    text = cut_up(mail.data).text
    more = re.search(r"and (\d+) more", text)
    return text.count("> storm ") + (int(more[1]) if more else 0)


def test_a_storm_of_broadcasts_is_told_in_few_mails_and_nothing_is_lost(
    works: Works, world: World
) -> None:
    """500 broadcasts in ten minutes: at most one mail a window and person, and one."""
    works.window(60)
    followers = ("nat", "nia", "sam", "sol")
    world.follow(*followers)
    for number in range(500):
        world.post("ivy", BROADCAST, f"storm {number}")
        world.clock.forward(seconds=600 / 500)
        if number % 10 == 9:
            works.run()
    world.clock.forward(seconds=60)
    works.run()
    for person in followers:
        mails = works.tray.to(world.people[person].email)
        assert len(mails) <= 11
        assert sum(map(listed, mails)) == 500


def test_a_storm_gives_one_mail_for_each_window(works: Works, world: World) -> None:
    works.window(60)
    world.follow("nat")
    for _ in range(120):
        world.post("robot", BROADCAST)
        works.run()
        world.clock.forward(seconds=5)
    world.clock.forward(seconds=60)
    works.run()
    assert len(works.tray.mails) <= 11
    told = sum(
        cut_up(mail.data).text.count("posted automatically")
        for mail in works.tray.mails
    )
    assert told == 120
