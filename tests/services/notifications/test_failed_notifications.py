"""Notifications that failed for good are listed and redriven (rule 41)."""

import pytest

from clp_contracts.errors import Refused
from clp_contracts.notifications import (
    DeadNotification,
    DeleteSuppression,
    ListDead,
    Redrive,
)
from clp_notifications.delivery.smtp_replies import (
    NO_SMTPUTF8,
    SmtpStage,
    outcome_of_reply,
)
from clp_notifications.inbound.bounces import delete_suppression
from clp_notifications.routing.failed_notifications import dead, redrive
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST

NO = outcome_of_reply(554, b"5.6.0 no")


def dead_ones(
    harness: DeliveryHarness, after: str | None = None, limit: int = 100
) -> tuple[DeadNotification, ...]:
    return dead(ListDead(after=after, limit=limit), deps=harness.deps).notifications


def fail_for_good(harness: DeliveryHarness, count: int) -> list[str]:
    harness.world.follow("nat")
    posted = [harness.world.post("ivy", BROADCAST) for _ in range(count)]
    harness.transport.outcomes = [NO] * count
    harness.run()
    return posted


def test_failed_notifications_are_listed_oldest_first_with_their_reason(
    harness: DeliveryHarness,
) -> None:
    posted = fail_for_good(harness, 5)
    found = dead_ones(harness)
    assert [one.message for one in found] == posted
    assert {(one.person, one.reason) for one in found} == {("nat", "refused")}


def test_the_list_continues_after_an_id(harness: DeliveryHarness) -> None:
    posted = fail_for_good(harness, 5)
    first = dead_ones(harness, limit=2)
    rest = dead_ones(harness, after=first[-1].id)
    assert [one.message for one in (*first, *rest)] == posted
    assert dead_ones(harness, after="nothing") == ()


def test_a_redriven_mail_keeps_its_message_id(harness: DeliveryHarness) -> None:
    fail_for_good(harness, 2)
    again = dead_ones(harness)[0]
    harness.transport.mails.clear()
    assert redrive(Redrive(notification_ids=(again.id,)), deps=harness.deps).count == 1
    harness.deliver()
    (mail,) = harness.transport.mails
    assert again.message in cut_up(mail.data).one("Message-ID")
    assert harness.states(again.message) == {"nat": ("sent", "accepted")}
    assert again.id not in {one.id for one in dead_ones(harness)}


def test_all_are_redriven_when_none_is_named(harness: DeliveryHarness) -> None:
    fail_for_good(harness, 3)
    assert redrive(Redrive(), deps=harness.deps).count == 3
    assert harness.deliver() == 3
    assert dead_ones(harness) == ()
    assert redrive(Redrive(), deps=harness.deps).count == 0


def test_a_sent_notification_cannot_be_redriven(harness: DeliveryHarness) -> None:
    posted = fail_for_good(harness, 1)
    (gone,) = dead_ones(harness)
    redrive(Redrive(), deps=harness.deps)
    harness.deliver()
    for name in (gone.id, posted[0], "nothing"):
        with pytest.raises(Refused) as refused:
            redrive(Redrive(notification_ids=(name,)), deps=harness.deps)
        assert refused.value.code == "notification.missing"


def test_a_redriven_mail_is_rechecked(harness: DeliveryHarness, world: World) -> None:
    (message,) = fail_for_good(harness, 1)
    world.withdraw("north")
    redrive(Redrive(), deps=harness.deps)
    harness.transport.mails.clear()
    harness.deliver()
    assert not harness.transport.mails
    assert harness.states(message) == {"nat": ("suppressed", "no_access")}


def test_a_redriven_mail_is_retried_for_three_days_again(
    harness: DeliveryHarness, world: World
) -> None:
    (message,) = fail_for_good(harness, 1)
    world.clock.forward(days=10)
    redrive(Redrive(), deps=harness.deps)
    harness.transport.outcomes = [outcome_of_reply(450, b"4.2.0 later")]
    harness.deliver()
    assert harness.states(message) == {"nat": ("due", "mailbox_busy")}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": "nat@nowhere.invalid"}, "undeliverable"),
        ({"email": "nat@north.example>"}, "address_malformed"),
    ],
)
def test_what_was_suppressed_for_its_address_is_listed_and_sent_again(
    harness: DeliveryHarness, world: World, change: dict[str, str], reason: str
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    right = world.people["nat"].email
    world.change_person("nat", **change)
    harness.run()
    (listed,) = dead(ListDead(), deps=harness.deps).notifications
    assert (listed.message, listed.person, listed.reason) == (message, "nat", reason)
    world.change_person("nat", email=right)
    assert redrive(Redrive(), deps=harness.deps).count == 1
    harness.deliver()
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_what_was_suppressed_for_a_stopped_address_is_sent_once_that_is_cleared(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    refused = world.post("ivy", BROADCAST)
    harness.transport.outcomes = [outcome_of_reply(550, b"5.1.1 who", SmtpStage.RCPT)]
    harness.run()
    waiting = world.post("ivy", BROADCAST)
    harness.run()
    assert harness.states(waiting) == {"nat": ("suppressed", "address_suppressed")}
    assert {one.reason for one in dead_ones(harness)} == {
        "address_unknown",
        "address_suppressed",
    }
    # As long as the address is stopped, it is withdrawn again.
    assert redrive(Redrive(), deps=harness.deps).count == 2
    harness.deliver()
    assert harness.states(waiting) == {"nat": ("suppressed", "address_suppressed")}
    request = DeleteSuppression(address="nat@north.example")
    delete_suppression(request, deps=harness.deps)
    assert redrive(Redrive(), deps=harness.deps).count == 2
    harness.deliver()
    for message in (refused, waiting):
        assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_what_the_relay_could_not_address_is_sent_again(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.transport.outcomes = [NO_SMTPUTF8]
    harness.run()
    assert harness.states(message) == {"nat": ("suppressed", "no_smtputf8")}
    assert redrive(Redrive(), deps=harness.deps).count == 1
    harness.deliver()
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_what_was_withdrawn_for_its_reader_cannot_be_redriven(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST)
    harness.route()
    world.unfollow("nat")
    harness.deliver()
    assert dead(ListDead(), deps=harness.deps).notifications == ()
    assert redrive(Redrive(), deps=harness.deps).count == 0
