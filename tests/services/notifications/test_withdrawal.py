"""What is withdrawn before it leaves, each with its reason (rules 13 and 23)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import claim_due
from clp_notifications.states import MailMode
from clp_notifications.transitions import suppress
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, LINGUIST, NORTH

Change = Callable[[DeliveryHarness, str], None]


def change(**facts: object) -> Change:
    return lambda harness, _message: harness.world.change_person("nat", **facts)


def turn_off(harness: DeliveryHarness, _message: str) -> None:
    harness.set_mode("nat", MailMode.OFF)


def turn_all_mails_off(harness: DeliveryHarness, _message: str) -> None:
    harness.set_mode("nat", MailMode.OFF, project="")


def suppress_address(harness: DeliveryHarness, _message: str) -> None:
    with harness.database.writing() as session:
        suppress(
            session,
            "nat@north.example",
            mail="m",
            reason=TransitionReason.ADDRESS_UNKNOWN,
            at=harness.world.clock(),
        )


# fmt: off
BETWEEN_ROUTING_AND_MAIL: list[tuple[str, Change, str]] = [
    ("the partner is withdrawn",     lambda harness, _: harness.world.withdraw("north"),      "no_access"),
    ("the person becomes a linguist", change(roles=LINGUIST),                             "no_access"),
    ("the person leaves",            change(active=False),                                "no_access"),
    ("the person changes partner",   change(partner="south"),                             "no_access"),
    ("the message is deleted",       lambda harness, message: harness.world.delete(message),  "deleted"),
    ("the message is read",          lambda harness, _: harness.world.read("nat", NORTH),     "read"),
    ("mail is turned off",           turn_off,                                            "mail_off"),
    ("mail is off everywhere",       turn_all_mails_off,                                 "mail_off"),
    ("the address refused before",   suppress_address,                                    "address_suppressed"),
    ("the address is none",          change(email="nat@north.example\r\nRCPT TO:<x@y.z>"), "address_malformed"),
    ("the address is reserved",      change(email="nat@nowhere.invalid"),                 "undeliverable"),
]
# fmt: on
ids = [row[0] for row in BETWEEN_ROUTING_AND_MAIL]


@pytest.mark.parametrize(
    ("what", "happens", "reason"), BETWEEN_ROUTING_AND_MAIL, ids=ids
)
def test_a_follower_s_mail_is_withdrawn_when(
    harness: DeliveryHarness, world: World, what: str, happens: Change, reason: str
) -> None:
    world.follow("nat")
    message = world.post("ivy", NORTH)
    harness.route()
    happens(harness, message)
    harness.deliver()
    assert not harness.transport.mails
    assert harness.states(message) == {"nat": ("suppressed", reason)}
    assert harness.deliver() == 0


@pytest.mark.parametrize(
    ("what", "happens", "reason"), BETWEEN_ROUTING_AND_MAIL, ids=ids
)
def test_a_mention_is_withdrawn_when(
    harness: DeliveryHarness, world: World, what: str, happens: Change, reason: str
) -> None:
    message = world.post("ivy", NORTH, mentions=["nat"])
    harness.route()
    happens(harness, message)
    harness.deliver()
    assert not harness.transport.mails
    assert harness.states(message) == {"nat": ("suppressed", reason)}


def test_a_mention_that_an_edit_removed_is_withdrawn(
    harness: DeliveryHarness, world: World
) -> None:
    message = world.post("ivy", NORTH, mentions=["nat", "nia"])
    harness.route()
    world.edit(message, mentions=["nia"])
    harness.run()
    assert harness.transport.recipients == ["nia@north.example"]
    assert harness.states(message)["nat"] == ("suppressed", "mention_removed")


def test_a_mail_to_somebody_who_unfollowed_is_withdrawn(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    world.unfollow("nat")
    harness.deliver()
    assert harness.states(message) == {"nat": ("suppressed", "unfollowed")}


def test_unfollowing_does_not_withdraw_a_mention(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST, mentions=["nat"])
    harness.route()
    world.unfollow("nat")
    harness.deliver()
    assert harness.transport.recipients == ["nat@north.example"]


def test_a_project_s_mode_wins_over_the_general_one(
    harness: DeliveryHarness, world: World
) -> None:
    turn_all_mails_off(harness, "")
    harness.set_mode("nat", MailMode.AT_ONCE)
    world.follow("nat")
    world.post("ivy", BROADCAST)
    harness.run()
    assert len(harness.transport.mails) == 1


def test_only_what_is_withdrawn_is_missing_from_a_mail(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    world.follow("nat")
    first, second, third = (
        world.post("ivy", BROADCAST, text) for text in ("one", "two", "three")
    )
    harness.route()
    world.delete(second)
    world.clock.forward(seconds=60)
    harness.deliver()
    (mail,) = harness.transport.mails
    assert [text in mail.data.decode() for text in ("> one", "> two", "> three")] == [
        True,
        False,
        True,
    ]
    assert harness.states(second) == {"nat": ("suppressed", "deleted")}
    assert (
        harness.states(first) == harness.states(third) == {"nat": ("sent", "accepted")}
    )


def test_the_mail_shows_the_text_of_the_moment_it_leaves(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST, "first")
    harness.route()
    world.edit(message, mentions=[], text="second")
    harness.deliver()
    assert b"> second" in harness.transport.mails[0].data
    assert b"first" not in harness.transport.mails[0].data


def test_access_removed_before_the_last_question_withdraws_whatever_was_asked_before(
    harness: DeliveryHarness, world: World
) -> None:
    """Each call of delivery is a moment at which access may end."""
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    world.follow("nat")
    world.post("ivy", BROADCAST)
    harness.route()
    world.at_each_call = count
    harness.deliver()
    assert len(harness.transport.mails) == 1
    for moment in range(1, calls + 1):
        world.change_project(assigned=("north", "south"), withdrawn=())
        message = world.post("ivy", BROADCAST)
        harness.route()
        left = moment

        def withdraw_at_that_call() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                world.withdraw("north")

        world.at_each_call = withdraw_at_that_call
        harness.deliver()
        world.at_each_call = lambda: None
        assert harness.states(message) == {"nat": ("suppressed", "no_access")}
    assert len(harness.transport.mails) == 1


def test_access_that_returns_does_not_revive_a_withdrawn_mail(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    world.withdraw("north")
    harness.deliver()
    world.change_project(assigned=("north", "south"), withdrawn=())
    world.clock.forward(hours=1)
    harness.deliver()
    assert harness.states(message) == {"nat": ("suppressed", "no_access")}
    message = world.post("ivy", BROADCAST)
    harness.run()
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_a_deadline_is_not_a_reason(harness: DeliveryHarness, world: World) -> None:
    """A claim that is older than its lease allows is given back, not mailed."""
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    (claim,) = claim_due(harness.delivery)
    world.clock.forward(seconds=harness.delivery.limits.lease.total_seconds() - 1)
    deliver(harness.delivery, [claim])
    assert not harness.transport.mails
    assert harness.states(message) == {"nat": ("due", "released")}
    assert timedelta(0) < harness.delivery.limits.margin
