"""What is withdrawn before it leaves, each with its reason (rules 13 and 23)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from clp_notifications.delivery.batch import deliver
from clp_notifications.states import Because, MailMode
from clp_notifications.transitions import set_mode, suppress
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, LINGUIST, NORTH, World

Change = Callable[[Works, str], None]


def change(**facts: object) -> Change:
    return lambda works, _message: works.world.change_person("nat", **facts)


def turn_off(works: Works, _message: str) -> None:
    with works.database.writing() as session:
        set_mode(session, ("nat", "p1"), MailMode.OFF, at=works.world.clock())


def turn_off_everywhere(works: Works, _message: str) -> None:
    with works.database.writing() as session:
        set_mode(session, ("nat", ""), MailMode.OFF, at=works.world.clock())


def suppress_address(works: Works, _message: str) -> None:
    with works.database.writing() as session:
        address = ("nat@north.example", "m")
        suppress(session, address, Because.ADDRESS_UNKNOWN, at=works.world.clock())


# fmt: off
BETWEEN_ROUTING_AND_MAIL: list[tuple[str, Change, str]] = [
    ("the partner is withdrawn",     lambda works, _: works.world.withdraw("north"),      "no_access"),
    ("the person becomes a linguist", change(roles=LINGUIST),                             "no_access"),
    ("the person leaves",            change(active=False),                                "no_access"),
    ("the person changes partner",   change(partner="south"),                             "no_access"),
    ("the message is deleted",       lambda works, message: works.world.delete(message),  "deleted"),
    ("the message is read",          lambda works, _: works.world.read("nat", NORTH),     "read"),
    ("mail is turned off",           turn_off,                                            "mail_off"),
    ("mail is off everywhere",       turn_off_everywhere,                                 "mail_off"),
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
    works: Works, world: World, what: str, happens: Change, reason: str
) -> None:
    world.follow("nat")
    message = world.post("ivy", NORTH)
    works.route()
    happens(works, message)
    works.deliver()
    assert not works.tray.mails
    assert works.states(message) == {"nat": ("suppressed", reason)}
    assert works.deliver() == 0


@pytest.mark.parametrize(
    ("what", "happens", "reason"), BETWEEN_ROUTING_AND_MAIL, ids=ids
)
def test_a_mention_is_withdrawn_when(
    works: Works, world: World, what: str, happens: Change, reason: str
) -> None:
    message = world.post("ivy", NORTH, mentions=["nat"])
    works.route()
    happens(works, message)
    works.deliver()
    assert not works.tray.mails
    assert works.states(message) == {"nat": ("suppressed", reason)}


def test_a_mention_that_an_edit_removed_is_withdrawn(
    works: Works, world: World
) -> None:
    message = world.post("ivy", NORTH, mentions=["nat", "nia"])
    works.route()
    world.edit(message, mentions=["nia"])
    works.run()
    assert works.tray.recipients == ["nia@north.example"]
    assert works.states(message)["nat"] == ("suppressed", "mention_removed")


def test_a_mail_to_somebody_who_unfollowed_is_withdrawn(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    world.unfollow("nat")
    works.deliver()
    assert works.states(message) == {"nat": ("suppressed", "unfollowed")}


def test_unfollowing_does_not_withdraw_a_mention(works: Works, world: World) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST, mentions=["nat"])
    works.route()
    world.unfollow("nat")
    works.deliver()
    assert works.tray.recipients == ["nat@north.example"]


def test_a_project_s_mode_wins_over_the_general_one(works: Works, world: World) -> None:
    turn_off_everywhere(works, "")
    with works.database.writing() as session:
        set_mode(session, ("nat", "p1"), MailMode.AT_ONCE, at=world.clock())
    world.follow("nat")
    world.post("ivy", BROADCAST)
    works.run()
    assert len(works.tray.mails) == 1


def test_only_what_is_withdrawn_is_missing_from_a_mail(
    works: Works, world: World
) -> None:
    works.window(60)
    world.follow("nat")
    first, second, third = (
        world.post("ivy", BROADCAST, text) for text in ("one", "two", "three")
    )
    works.route()
    world.delete(second)
    world.clock.forward(seconds=60)
    works.deliver()
    (mail,) = works.tray.mails
    assert [text in mail.data.decode() for text in ("> one", "> two", "> three")] == [
        True,
        False,
        True,
    ]
    assert works.states(second) == {"nat": ("suppressed", "deleted")}
    assert works.states(first) == works.states(third) == {"nat": ("sent", "accepted")}


def test_the_mail_shows_the_text_of_the_moment_it_leaves(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST, "first")
    works.route()
    world.edit(message, mentions=[], text="second")
    works.deliver()
    assert b"> second" in works.tray.mails[0].data
    assert b"first" not in works.tray.mails[0].data


def test_access_removed_before_the_last_question_withdraws_whatever_was_asked_before(
    works: Works, world: World
) -> None:
    """Each call of delivery is a moment at which access may end."""
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    world.follow("nat")
    world.post("ivy", BROADCAST)
    works.route()
    world.at_each_call = count
    works.deliver()
    assert len(works.tray.mails) == 1
    for moment in range(1, calls + 1):
        world.change_project(assigned=("north", "south"), withdrawn=())
        message = world.post("ivy", BROADCAST)
        works.route()
        left = moment

        def withdraw_at_that_call() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                world.withdraw("north")

        world.at_each_call = withdraw_at_that_call
        works.deliver()
        world.at_each_call = lambda: None
        assert works.states(message) == {"nat": ("suppressed", "no_access")}
    assert len(works.tray.mails) == 1


def test_access_that_returns_does_not_revive_a_withdrawn_mail(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    world.withdraw("north")
    works.deliver()
    world.change_project(assigned=("north", "south"), withdrawn=())
    world.clock.forward(hours=1)
    works.deliver()
    assert works.states(message) == {"nat": ("suppressed", "no_access")}
    message = world.post("ivy", BROADCAST)
    works.run()
    assert works.states(message) == {"nat": ("sent", "accepted")}


def test_a_deadline_is_not_a_reason(works: Works, world: World) -> None:
    """A claim that is older than its lease allows is given back, not mailed."""
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    (claim,) = works.desk.claim()
    world.clock.forward(seconds=works.desk.pacing.lease.total_seconds() - 1)
    deliver(works.desk, [claim])
    assert not works.tray.mails
    assert works.states(message) == {"nat": ("due", "given_back")}
    assert timedelta(0) < works.desk.pacing.margin
