"""What was asked at the door is good for a moment; then it is asked about again."""

import pytest

from clp_contracts.errors import Refused
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.states import MailMode
from clp_notifications.transitions import set_mode
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, World


def twenty_are_due(works: Works, world: World) -> None:
    world.follow("nat", "nia", "sam", "sol")
    for _ in range(5):
        world.post("ivy", BROADCAST)
    works.route()


@pytest.mark.parametrize("seconds", [0.15, 0.3, 1.0])
def test_slow_services_delay_a_mail_and_do_not_stop_it(
    works: Works, world: World, seconds: float
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)
    works.route()
    world.at_each_call = lambda: works.sleep(seconds)

    assert works.deliver() == 2
    assert works.states(message) == dict.fromkeys(("nat", "sam"), ("sent", "accepted"))


def test_what_was_asked_is_good_for_a_moment_only(works: Works, world: World) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    asked: list[str] = []

    def answered_late() -> None:
        """The answer is on its way when access ends, and too old when it comes."""
        asked.append("call")
        if len(asked) == 1:
            world.withdraw("north")
            works.sleep(works.desk.pacing.hold_s)

    world.after_each_call = answered_late
    works.deliver()

    assert works.tray.mails == []
    assert works.states(message) == {"nat": ("suppressed", "no_access")}


def test_slow_services_are_asked_once_more_and_not_for_each_mail(
    works: Works, world: World
) -> None:
    twenty_are_due(works, world)
    calls: list[float] = []

    def slow() -> None:
        calls.append(0.6)
        works.sleep(0.6)

    world.at_each_call = slow
    assert works.deliver() == 20
    assert len(works.tray.mails) == 20
    # The first answer is too old when it comes; the second is good for all.
    assert len(calls) == 2


@pytest.mark.parametrize("old", ["messages", "projects"])
def test_slow_services_of_before_promise_nothing_and_mails_wait(
    works: Works, world: World, old: str
) -> None:
    setattr(world, f"{old}_is_old", True)
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    world.at_each_call = lambda: works.sleep(0.6)
    works.deliver_once()
    assert works.tray.mails == []
    assert works.states(message)["nat"][0] != "dead"

    world.at_each_call = lambda: None
    world.clock.forward(seconds=3)
    works.deliver()
    assert works.states(message) == {"nat": ("sent", "accepted")}


def test_what_others_refuse_is_not_taken_for_a_service_of_before(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    calls: list[str] = []

    def refused_when_slow() -> None:
        calls.append("call")
        works.sleep(0.6)
        if len(calls) > 1:
            raise Refused("calls.too_many")

    world.at_each_call = refused_when_slow
    works.deliver_once()
    assert works.tray.mails == []
    # Once at first, once for an answer that holds, and once to begin anew.
    assert len(calls) == 3
    world.at_each_call = lambda: None
    world.clock.forward(seconds=3)
    works.deliver()
    assert works.states(message) == {"nat": ("sent", "accepted")}


def test_mails_that_take_longer_than_an_answer_is_good_for_are_not_made_again(
    works: Works, world: World
) -> None:
    twenty_are_due(works, world)
    made: list[str] = []
    calls: list[int] = []
    world.at_each_call = lambda: calls.append(len(made))

    def slowly(mail: ReadyMail) -> None:
        made.append(mail.id)
        works.sleep(works.desk.pacing.hold_s * 0.6)

    works.tray.before = slowly
    assert works.deliver() == 20
    assert len(works.tray.mails) == len(made) == 20
    # Once for all of them, and again after every second mail.
    assert calls == [*range(0, 21, 2)]


def test_services_that_go_away_while_mails_leave_are_not_asked_for_each_mail(
    works: Works, world: World
) -> None:
    twenty_are_due(works, world)
    calls: list[int] = []
    world.at_each_call = lambda: calls.append(len(works.tray.mails))

    def away_after_three(_mail: ReadyMail) -> None:
        if len(works.tray.mails) == 3:
            world.is_down = True
            works.ticks.at += works.desk.pacing.hold_s

    works.tray.before = away_after_three
    works.deliver_once()
    assert len(works.tray.mails) == 3
    # For all of them, again for what was left, and once more to begin anew.
    assert calls == [0, 3, 3]

    world.is_down = False
    works.tray.before = lambda _mail: None
    world.clock.forward(seconds=3)
    works.deliver()
    assert len(works.tray.mails) == 20


def test_a_mail_that_changes_while_it_waits_is_made_again_and_whole(
    works: Works, world: World
) -> None:
    works.window(60)
    world.follow("nat")
    gone, kept = (world.post("ivy", BROADCAST, text) for text in ("gone", "kept"))
    works.route()
    world.delete(gone)
    world.clock.forward(seconds=60)
    tries: list[bytes] = []

    def edited_meanwhile(mail: ReadyMail) -> None:
        tries.append(mail.data)
        if len(tries) == 1:
            world.edit(kept, mentions=(), text="kept, and edited")
            works.ticks.at += works.desk.pacing.hold_s

    works.tray.before = edited_meanwhile
    works.deliver()
    assert [b"edited" in data for data in tries] == [False, True]
    assert [mail.data for mail in works.tray.mails] == tries[1:]
    assert works.states(gone) == {"nat": ("suppressed", "deleted")}
    assert works.states(kept) == {"nat": ("sent", "accepted")}


def test_who_turns_mail_off_while_mails_leave_gets_no_more(
    works: Works, world: World
) -> None:
    world.follow("nat")
    messages = [world.post("ivy", BROADCAST) for _ in range(3)]
    works.route()

    def turned_off(_mail: ReadyMail) -> None:
        if not works.tray.mails:
            with works.database.writing() as session:
                set_mode(session, ("nat", "p1"), MailMode.OFF, at=world.clock())
        works.ticks.at += works.desk.pacing.hold_s

    works.tray.before = turned_off
    works.deliver()
    assert works.tray.mails == []
    assert {works.states(one)["nat"] for one in messages} == {
        ("suppressed", "mail_off")
    }


def test_a_messages_service_of_before_tells_no_facts_and_they_are_asked_for(
    works: Works, world: World
) -> None:
    world.messages_is_old = True
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.run()
    assert works.states(message) == {"nat": ("sent", "accepted")}
