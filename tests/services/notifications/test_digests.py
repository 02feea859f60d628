"""Digests: daily, and over the hourly limit (rule 40)."""

from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from clp_contracts.notifications import UpdateMailSettings
from clp_notifications.delivery.smtp_replies import RELAY_UNAVAILABLE
from clp_notifications.routing.mail_settings import mail_settings
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.mailcheck import cut_up, faults
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, NORTH, SOUTH


def choose(harness: DeliveryHarness, person: str, mode: str) -> None:
    request = UpdateMailSettings(project="p1", mode=mode)
    mail_settings(request, actor=person, deps=harness.deps)


def max_mails_per_hour(harness: DeliveryHarness, number: int) -> None:
    harness.deps = replace(
        harness.deps, mail=replace(harness.deps.mail, max_mails_per_hour=number)
    )


def kinds(harness: DeliveryHarness, address: str = "nat@north.example") -> list[str]:
    return [
        cut_up(mail.data).one("X-Notification-Reason")
        for mail in harness.transport.to(address)
    ]


def test_a_daily_digest_is_one_mail_about_all_channels_of_a_project(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, "ian", "daily")
    world.follow("ian")
    for author, channel in (("sam", SOUTH), ("nat", NORTH), ("nia", NORTH)):
        world.post(author, channel, f"from {author}")
        harness.run()
        world.clock.forward(minutes=10)
    assert not harness.transport.mails
    world.clock.forward(hours=20)
    harness.run()
    (mail,) = harness.transport.mails
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


def test_a_partner_s_digest_names_no_partner(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, "nat", "daily")
    world.follow("nat", "sam")
    world.post("ivy", BROADCAST, "to all")
    world.post("ivy", NORTH, "to north")
    world.post("ivy", SOUTH, "to south")
    harness.run()
    world.clock.forward(hours=20)
    harness.deliver()
    (mail,) = harness.transport.to("nat@north.example")
    parts = cut_up(mail.data)
    whole = parts.head + parts.text + parts.html
    assert "> to all" in parts.text
    assert "> to north" in parts.text
    assert "Direct messages with the studio" in parts.text
    assert not any(word in whole for word in ("south", "South", "North Dubbing"))
    # A partner reads broadcasts, and answers in its own channel.
    assert "Read in the portal: https://clp.example/p1/broadcast/1" in parts.text
    assert "Read and answer: https://clp.example/p1/direct/north/1" in parts.text
    assert parts.html.count("Read in the portal") == 1
    assert parts.html.count("Read and answer") == 1


def test_a_digest_omits_withdrawn_notifications_of_any_channel(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, "ian", "daily")
    world.follow("ian")
    kept = world.post("nat", NORTH, "kept")
    gone = world.post("sam", SOUTH, "gone")
    harness.run()
    world.delete(gone)
    world.clock.forward(hours=20)
    harness.run()
    (mail,) = harness.transport.mails
    text = cut_up(mail.data).text
    assert "> kept" in text
    assert "South" not in text
    assert harness.states(kept) == {"ian": ("sent", "accepted")}
    assert harness.states(gone) == {"ian": ("suppressed", "deleted")}


def test_the_digest_for_a_withdrawn_partner_is_withdrawn(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, "nat", "daily")
    world.follow("nat")
    messages = [world.post("ivy", channel) for channel in (BROADCAST, NORTH)]
    harness.run()
    world.withdraw("north")
    world.clock.forward(hours=20)
    harness.run()
    assert not harness.transport.mails
    assert [harness.states(one)["nat"] for one in messages] == [
        ("suppressed", "no_access")
    ] * 2


def test_messages_over_the_limit_are_all_in_a_digest(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    max_mails_per_hour(harness, 3)
    world.follow("nat")
    for number in range(20):
        world.post("robot", BROADCAST, f"message {number}.")
        harness.run()
        world.clock.forward(minutes=2)
        harness.run()
    world.clock.forward(hours=2)
    harness.run()
    assert kinds(harness) == ["broadcast", "broadcast", "broadcast", "digest"]
    text = "".join(cut_up(mail.data).text for mail in harness.transport.mails)
    assert all(f"> message {number}." in text for number in range(20))


def test_a_mention_ignores_the_limit_and_does_not_count(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    max_mails_per_hour(harness, 1)
    world.follow("nat")
    for _ in range(3):
        world.post("ivy", BROADCAST, mentions=["nat"])
        harness.route()
        world.clock.forward(seconds=10)
        harness.deliver()
    world.post("ivy", BROADCAST)
    harness.run()
    world.clock.forward(minutes=2)
    harness.run()
    assert kinds(harness) == ["mention", "mention", "mention", "broadcast"]
    world.post("ivy", BROADCAST)
    world.post("ivy", BROADCAST, mentions=["nat"])
    harness.run()
    world.clock.forward(seconds=10)
    harness.deliver()
    assert kinds(harness)[4:] == ["mention"]


def test_an_hour_later_mails_come_one_by_one_again(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    max_mails_per_hour(harness, 1)
    world.follow("nat")
    for _ in range(2):
        world.post("ivy", BROADCAST)
        harness.run()
        world.clock.forward(minutes=61)
        harness.run()
    assert kinds(harness) == ["broadcast", "broadcast"]


@pytest.mark.parametrize(("window_s", "number"), [(0, 3), (60, 0)])
def test_without_a_window_nothing_waits(
    harness: DeliveryHarness, world: World, window_s: float, number: int
) -> None:
    harness.window(window_s)
    max_mails_per_hour(harness, number)
    world.follow("nat")
    for _ in range(8):
        world.post("ivy", BROADCAST)
        harness.run()
        world.clock.forward(minutes=2)
        harness.run()
    assert kinds(harness) == ["broadcast"] * 8


def test_the_limit_counts_each_person_alone(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    max_mails_per_hour(harness, 2)
    world.follow("nat", "sam")
    for _ in range(3):
        world.post("ivy", SOUTH)
        harness.run()
        world.clock.forward(minutes=2)
        harness.run()
    world.post("ivy", BROADCAST)
    harness.run()
    world.clock.forward(minutes=2)
    harness.run()
    assert kinds(harness) == ["broadcast"]
    assert kinds(harness, "sam@south.example") == ["direct", "direct"]


def test_leaving_the_daily_digest_applies_to_the_next_mail(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, "nat", "daily")
    world.follow("nat")
    world.post("ivy", BROADCAST, "waits")
    harness.run()
    choose(harness, "nat", "at_once")
    world.post("ivy", BROADCAST, "comes")
    harness.run()
    (mail,) = harness.transport.mails
    text = cut_up(mail.data).text
    assert "> comes" in text
    assert "> waits" not in text


def test_a_mail_of_the_broadcast_and_a_digest_never_share(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    choose(harness, "nat", "daily")
    world.follow("nat")
    world.post("ivy", BROADCAST, "for the morning")
    harness.run()
    choose(harness, "nat", "batched")
    world.post("ivy", BROADCAST, "for the window")
    harness.run()
    choose(harness, "nat", "daily")
    world.post("ivy", BROADCAST, "for the morning, too")
    harness.run()
    world.clock.forward(minutes=2)
    harness.deliver()
    (mail,) = harness.transport.mails
    assert cut_up(mail.data).one("X-Notification-Reason") == "broadcast"
    assert cut_up(mail.data).text.count("> ") == 1
    world.clock.forward(hours=20)
    harness.deliver()
    assert kinds(harness) == ["broadcast", "digest"]
    assert cut_up(harness.transport.mails[-1].data).text.count("> for the morning") == 2


def test_a_mention_by_an_edit_does_not_wait_for_the_daily_digest(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, "nat", "daily")
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.run()
    assert harness.transport.mails == []
    world.edit(message, mentions=["nat"])
    harness.run()
    world.clock.forward(seconds=10)
    harness.deliver()
    (mail,) = harness.transport.mails
    assert cut_up(mail.data).one("X-Notification-Reason") == "mention"
    found = harness.explained(message, "nat")
    assert (found.trigger, found.rule) == ("mention", "R4")
    assert [one.reason for one in found.transitions][:2] == ["routed", "mentioned"]
    world.clock.forward(days=2)
    harness.deliver()
    assert len(harness.transport.mails) == 1


def test_a_mention_withdrawn_and_made_again_is_mailed_once_and_explained(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", BROADCAST, mentions=["nat"])
    harness.route()
    world.edit(message, mentions=[])
    world.clock.forward(seconds=10)
    harness.run()
    assert harness.states(message) == {"nat": ("suppressed", "mention_removed")}
    world.edit(message, mentions=["nat"])
    harness.route()
    world.clock.forward(seconds=10)
    harness.deliver()
    assert len(harness.transport.mails) == 1
    found = harness.explained(message, "nat")
    assert [one.reason for one in found.transitions] == [
        "routed",
        "claimed",
        "mention_removed",
        "mentioned",
        "claimed",
        "accepted",
    ]
    # Once it was sent, nothing makes it due again.
    world.edit(message, mentions=[])
    world.edit(message, mentions=["nat"])
    harness.run()
    assert len(harness.transport.mails) == 1


def test_a_digest_is_dated_when_it_is_made_and_not_when_it_is_retried(
    harness: DeliveryHarness, world: World
) -> None:
    choose(harness, "nat", "daily")
    world.follow("nat")
    world.post("ivy", BROADCAST)
    harness.route()
    world.clock.forward(days=1)
    made = world.clock()
    harness.transport.outcomes = [RELAY_UNAVAILABLE] * 2
    for _ in range(2):
        harness.deliver_once()
        world.clock.forward(hours=1)
    harness.deliver()
    dates = [cut_up(mail.data).one("Date") for mail in harness.transport.mails]
    assert [parsedate_to_datetime(date) for date in dates] == [made] * 3


# fmt: off
MORNINGS = [
    # zone of the reader    | posted at (UTC)       | digest due at (UTC)
    (None,                    "2026-03-01T12:00",     "2026-03-02T07:00"),
    ("Asia/Tokyo",            "2026-03-01T12:00",     "2026-03-01T22:00"),
    ("America/Los_Angeles",   "2026-03-01T12:00",     "2026-03-01T15:00"),
    ("America/Los_Angeles",   "2026-03-01T15:00",     "2026-03-02T15:00"),
    ("Asia/Kathmandu",        "2026-03-01T12:00",     "2026-03-02T01:15"),
    # The night in which the clocks go forward, and the one in which they go back.
    ("Europe/Paris",          "2026-03-28T12:00",     "2026-03-29T05:00"),
    ("Europe/Paris",          "2026-10-24T12:00",     "2026-10-25T06:00"),
    ("Mars/Olympus",          "2026-03-01T12:00",     "2026-03-02T07:00"),
]
# fmt: on


@pytest.mark.parametrize(("zone", "posted", "due"), MORNINGS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_daily_digest_leaves_at_the_hour_of_the_reader_s_zone(
    harness: DeliveryHarness, world: World, zone: str | None, posted: str, due: str
) -> None:
    choose(harness, "nat", "daily")
    world.follow("nat")
    world.change_person("nat", time_zone=zone)
    world.clock.at = datetime.fromisoformat(f"{posted}+00:00")
    world.post("ivy", BROADCAST)
    harness.route()
    wanted = datetime.fromisoformat(f"{due}+00:00")
    world.clock.at = wanted - timedelta(seconds=1)
    harness.deliver()
    assert harness.transport.mails == []
    world.clock.at = wanted
    harness.deliver()
    (mail,) = harness.transport.mails
    assert parsedate_to_datetime(cut_up(mail.data).one("Date")) == wanted


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_zone_of_the_deployment_is_that_of_readers_without_one(
    harness: DeliveryHarness, world: World
) -> None:
    policy = replace(harness.deps.mail, time_zone="Asia/Tokyo")
    harness.deps = replace(harness.deps, mail=policy)
    choose(harness, "nat", "daily")
    world.follow("nat")
    world.clock.at = datetime.fromisoformat("2026-03-01T12:00+00:00")
    world.post("ivy", BROADCAST)
    harness.route()
    world.clock.at = datetime.fromisoformat("2026-03-01T22:00+00:00")
    harness.deliver()
    assert len(harness.transport.mails) == 1
