"""Digests: what waits for the morning, and what is over an hour's number (rule 40)."""

from dataclasses import replace

import pytest

from clp_contracts.notifications import AskMailSettings
from clp_notifications.routing.mail_settings import mail_settings
from tests.services.notifications.harness import Works
from tests.services.notifications.mailcheck import cut_up, faults
from tests.services.notifications.sample_world import BROADCAST, NORTH, SOUTH, World


def choose(works: Works, person: str, mode: str) -> None:
    ask = AskMailSettings(project="p1", mode=mode)
    mail_settings(ask, actor=person, parts=works.parts)


def most_an_hour(works: Works, number: int) -> None:
    works.parts = replace(
        works.parts, mail=replace(works.parts.mail, most_an_hour=number)
    )


def kinds(works: Works, address: str = "nat@north.example") -> list[str]:
    return [
        cut_up(mail.data).one("X-Notification-Reason")
        for mail in works.tray.to(address)
    ]


def test_a_daily_digest_is_one_mail_about_all_channels_of_a_project(
    works: Works, world: World
) -> None:
    choose(works, "ian", "daily")
    world.follow("ian")
    for author, channel in (("sam", SOUTH), ("nat", NORTH), ("nia", NORTH)):
        world.post(author, channel, f"from {author}")
        works.run()
        world.clock.forward(minutes=10)
    assert not works.tray.mails
    world.clock.forward(hours=20)
    works.run()
    (mail,) = works.tray.mails
    assert faults(mail.data, sender=mail.sender, recipient=str(mail.recipient)) == []
    parts = cut_up(mail.data)
    assert parts.one("Subject") == "[Night Train] Digest"
    assert parts.one("List-Id").endswith("<digest.p1.clp.example>")
    sections = [line for line in parts.text.split("\n") if line.startswith("==")]
    assert sections == [
        "== Direct messages with North Dubbing ==",
        "== Direct messages with South Subtitles ==",
    ]
    places = [parts.text.index(f"> from {who}") for who in ("nat", "nia", "sam")]
    assert places == sorted(places)


def test_a_partner_s_digest_names_no_partner(works: Works, world: World) -> None:
    choose(works, "nat", "daily")
    world.follow("nat", "sam")
    world.post("ivy", BROADCAST, "to all")
    world.post("ivy", NORTH, "to north")
    world.post("ivy", SOUTH, "to south")
    works.run()
    world.clock.forward(hours=20)
    works.deliver()
    (mail,) = works.tray.to("nat@north.example")
    parts = cut_up(mail.data)
    whole = parts.head + parts.text + parts.html
    assert "> to all" in parts.text
    assert "> to north" in parts.text
    assert "Direct messages with the studio" in parts.text
    assert not any(word in whole for word in ("south", "South", "North Dubbing"))


def test_a_digest_leaves_out_what_was_withdrawn_in_any_channel(
    works: Works, world: World
) -> None:
    choose(works, "ian", "daily")
    world.follow("ian")
    kept = world.post("nat", NORTH, "kept")
    gone = world.post("sam", SOUTH, "gone")
    works.run()
    world.delete(gone)
    world.clock.forward(hours=20)
    works.run()
    (mail,) = works.tray.mails
    text = cut_up(mail.data).text
    assert "> kept" in text
    assert "South" not in text
    assert works.states(kept) == {"ian": ("sent", "accepted")}
    assert works.states(gone) == {"ian": ("suppressed", "deleted")}


def test_a_withdrawn_partner_s_digest_is_withdrawn_whole(
    works: Works, world: World
) -> None:
    choose(works, "nat", "daily")
    world.follow("nat")
    messages = [world.post("ivy", channel) for channel in (BROADCAST, NORTH)]
    works.run()
    world.withdraw("north")
    world.clock.forward(hours=20)
    works.run()
    assert not works.tray.mails
    assert [works.states(one)["nat"] for one in messages] == [
        ("suppressed", "no_access")
    ] * 2


def test_a_flood_ends_in_a_digest_with_everything_in_it(
    works: Works, world: World
) -> None:
    works.window(60)
    most_an_hour(works, 3)
    world.follow("nat")
    for number in range(20):
        world.post("robot", BROADCAST, f"message {number}.")
        works.run()
        world.clock.forward(minutes=2)
        works.run()
    world.clock.forward(hours=2)
    works.run()
    assert kinds(works) == ["broadcast", "broadcast", "broadcast", "digest"]
    told = "".join(cut_up(mail.data).text for mail in works.tray.mails)
    assert all(f"> message {number}." in told for number in range(20))


def test_a_mention_passes_a_flood_and_does_not_count(
    works: Works, world: World
) -> None:
    works.window(60)
    most_an_hour(works, 1)
    world.follow("nat")
    for _ in range(3):
        world.post("ivy", BROADCAST, mentions=["nat"])
        works.run()
    world.post("ivy", BROADCAST)
    works.run()
    world.clock.forward(minutes=2)
    works.run()
    assert kinds(works) == ["mention", "mention", "mention", "broadcast"]
    world.post("ivy", BROADCAST)
    world.post("ivy", BROADCAST, mentions=["nat"])
    works.run()
    assert kinds(works)[4:] == ["mention"]


def test_an_hour_later_mails_come_one_by_one_again(works: Works, world: World) -> None:
    works.window(60)
    most_an_hour(works, 1)
    world.follow("nat")
    for _ in range(2):
        world.post("ivy", BROADCAST)
        works.run()
        world.clock.forward(minutes=61)
        works.run()
    assert kinds(works) == ["broadcast", "broadcast"]


@pytest.mark.parametrize(("window_s", "number"), [(0, 3), (60, 0)])
def test_nothing_is_held_back_where_the_house_holds_nothing_back(
    works: Works, world: World, window_s: float, number: int
) -> None:
    works.window(window_s)
    most_an_hour(works, number)
    world.follow("nat")
    for _ in range(8):
        world.post("ivy", BROADCAST)
        works.run()
        world.clock.forward(minutes=2)
        works.run()
    assert kinds(works) == ["broadcast"] * 8


def test_another_person_s_flood_holds_nobody_else_back(
    works: Works, world: World
) -> None:
    works.window(60)
    most_an_hour(works, 2)
    world.follow("nat", "sam")
    for _ in range(3):
        world.post("ivy", SOUTH)
        works.run()
        world.clock.forward(minutes=2)
        works.run()
    world.post("ivy", BROADCAST)
    works.run()
    world.clock.forward(minutes=2)
    works.run()
    assert kinds(works) == ["broadcast"]
    assert kinds(works, "sam@south.example") == ["direct", "direct"]


def test_who_leaves_the_daily_digest_gets_the_next_mail_at_once(
    works: Works, world: World
) -> None:
    choose(works, "nat", "daily")
    world.follow("nat")
    world.post("ivy", BROADCAST, "waits")
    works.run()
    choose(works, "nat", "at_once")
    world.post("ivy", BROADCAST, "comes")
    works.run()
    (mail,) = works.tray.mails
    text = cut_up(mail.data).text
    assert "> comes" in text
    assert "> waits" not in text


def test_a_mail_of_the_broadcast_and_a_digest_never_share(
    works: Works, world: World
) -> None:
    works.window(60)
    choose(works, "nat", "daily")
    world.follow("nat")
    world.post("ivy", BROADCAST, "for the morning")
    works.run()
    choose(works, "nat", "batched")
    world.post("ivy", BROADCAST, "for the window")
    works.run()
    choose(works, "nat", "daily")
    world.post("ivy", BROADCAST, "for the morning, too")
    works.run()
    world.clock.forward(minutes=2)
    works.deliver()
    (mail,) = works.tray.mails
    assert cut_up(mail.data).one("X-Notification-Reason") == "broadcast"
    assert cut_up(mail.data).text.count("> ") == 1
    world.clock.forward(hours=20)
    works.deliver()
    assert kinds(works) == ["broadcast", "digest"]
    assert cut_up(works.tray.mails[-1].data).text.count("> for the morning") == 2
