"""Delivery: once, in order, with its steps; tried again, given up, taken over."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_contracts.feed import Progress
from clp_notifications.delivery.backoff import DELAYS, GIVEN_UP_AFTER, next_try
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import sweep
from clp_notifications.delivery.smtp_replies import (
    ACCEPTED,
    NO_SMTPUTF8,
    RELAY_AWAY,
    Answer,
    answer_of,
)
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.routing import progress as progress_report
from clp_notifications.transitions import is_suppressed
from tests.services.notifications.harness import Works
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import BROADCAST, NOON, NORTH, World

BUSY = answer_of(450, b"4.2.0 try later")


def progress(works: Works) -> Progress:
    return progress_report.progress(parts=works.parts)


def test_a_mail_leaves_its_steps(works: Works, world: World) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.run()
    found = works.explained(message, "nat")
    assert [(step.state, step.reason) for step in found.steps] == [
        ("due", "routed"),
        ("claimed", "claimed"),
        ("sent", "accepted"),
    ]
    assert (
        found.sentence
        == "told: follows the project, new broadcast; the mail was handed over"
    )


def test_a_refusal_for_now_is_tried_again_later_and_later(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    works.tray.answers = [BUSY] * 3
    waits = []
    for _ in range(3):
        assert works.deliver() == 1
        assert works.states(message) == {"nat": ("due", "mailbox_busy")}
        waits.append(works.desk.idle_for(timedelta(days=1)))
        world.clock.forward(seconds=waits[-1].total_seconds())
    assert works.deliver() == 1
    assert works.states(message) == {"nat": ("sent", "accepted")}
    for wait, row in zip(waits, DELAYS, strict=False):
        assert row * 0.8 <= wait <= row * 1.2


def test_every_try_of_a_mail_has_the_same_message_id(
    works: Works, world: World
) -> None:
    works.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST, "first")
    works.route()
    world.clock.forward(seconds=60)
    works.tray.answers = [BUSY, RELAY_AWAY, ACCEPTED]
    for _ in range(3):
        works.deliver()
        # What comes later does not join a mail that was tried already.
        world.post("ivy", BROADCAST, "later")
        works.route()
        world.clock.forward(seconds=50)
    tries = [mail for mail in works.tray.mails if b"first" in mail.data]
    assert len(tries) == 3
    assert len({cut_up(mail.data).one("Message-ID") for mail in tries}) == 1
    assert not [mail for mail in tries if b"later" in mail.data]


@pytest.mark.property
@given(st.text(max_size=10), st.integers(1, 12))
def test_the_delay_grows_and_is_never_far_from_its_row(
    mail: str, attempts: int
) -> None:
    at = next_try(mail, attempts, first_tried_at=NOON, now=NOON)
    assert at is not None
    row = DELAYS[min(attempts, len(DELAYS)) - 1]
    assert row * 0.8 <= at - NOON <= row * 1.2
    assert at == next_try(mail, attempts, first_tried_at=NOON, now=NOON)


def test_mails_of_one_moment_do_not_all_come_back_together() -> None:
    tries = {
        next_try(f"mail {n}", 1, first_tried_at=NOON, now=NOON) for n in range(100)
    }
    assert len(tries) == 100


def test_a_mail_is_given_up_after_three_days(works: Works, world: World) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    works.tray.answers = [BUSY] * 100
    began = world.clock()
    while works.states(message)["nat"][0] == "due":
        works.deliver()
        world.clock.forward(minutes=10)
    assert works.states(message) == {"nat": ("dead", "given_up")}
    assert (
        timedelta(days=2) < world.clock() - began < GIVEN_UP_AFTER + timedelta(hours=1)
    )


# fmt: off
ENDS = [
    # reply                                    state         reason
    (answer_of(250, b"2.0.0 kept"),            "sent",       "accepted"),
    (answer_of(421, b"4.3.2 going down"),      "due",        "relay_busy"),
    (answer_of(450, b"4.2.1 greylisted"),      "due",        "mailbox_busy"),
    (answer_of(451, b"4.3.0 local error"),     "due",        "mailbox_busy"),
    (answer_of(452, b"4.2.2 mailbox full"),    "due",        "mailbox_busy"),
    (answer_of(454, b"Throttling failure"),    "due",        "relay_busy"),
    (answer_of(451, b"4.7.0 too fast"),        "due",        "relay_busy"),
    (RELAY_AWAY,                               "due",        "relay_away"),
    (NO_SMTPUTF8,                              "suppressed", "no_smtputf8"),
    (answer_of(550, b"5.1.1 no such person"),  "dead",       "address_unknown"),
    (answer_of(550, b"5.7.1 not from you"),    "dead",       "policy"),
    (answer_of(552, b"5.3.4 too big"),         "dead",       "too_big"),
    (answer_of(552, b"too big"),               "dead",       "too_big"),
    (answer_of(554, b"5.6.0 spam"),            "dead",       "refused"),
    (answer_of(550, b"no"),                    "dead",       "refused"),
    (answer_of(-1, b"not SMTP"),               "due",        "relay_busy"),
]
# fmt: on


@pytest.mark.parametrize(("answer", "state", "reason"), ENDS)
def test_each_answer_has_its_one_right_state(
    works: Works, world: World, answer: Answer, state: str, reason: str
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.tray.answers = [answer]
    works.run()
    assert works.states(message) == {"nat": (state, reason)}


def test_an_unknown_address_gets_nothing_more_until_it_changes(
    works: Works, world: World
) -> None:
    world.follow("nat", "nia")
    world.post("ivy", BROADCAST)
    works.tray.answers = [answer_of(550, b"5.1.1 unknown")]
    works.run()
    refused = str(works.tray.mails[0].recipient)
    with works.database.reading() as session:
        assert is_suppressed(session, refused)
    works.tray.mails.clear()
    world.post("ivy", BROADCAST)
    works.run()
    assert len(works.tray.mails) == 1
    assert refused not in works.tray.recipients
    world.change_person(refused.split("@", maxsplit=1)[0], email="new@north.example")
    world.post("ivy", BROADCAST)
    works.run()
    assert "new@north.example" in works.tray.recipients


def test_two_workers_share_the_mails_and_send_none_twice(
    works: Works, world: World
) -> None:
    world.follow("nat", "nia", "sam", "sol")
    messages = [world.post("ivy", BROADCAST) for _ in range(15)]
    works.route()
    desks = [works.desk, works.new_desk()]
    for desk in itertools.cycle(desks):
        claims = desk.claim()
        other = next(one for one in desks if one is not desk)
        stolen = other.claim()
        deliver(desk, (*claims, *stolen))
        if not claims and not stolen:
            break
    assert len(works.tray.mails) == 60
    assert len({cut_up(mail.data).one("Message-ID") for mail in works.tray.mails}) == 60
    assert {state for m in messages for state, _ in works.states(m).values()} == {
        "sent"
    }


def test_a_mail_whose_worker_died_comes_back_after_its_lease(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    works.desk.claim()
    assert progress(works).due == 1
    assert works.desk.sweep() == 0
    world.clock.forward(seconds=61)
    assert works.desk.sweep() == 1
    assert works.states(message) == {"nat": ("due", "lease_expired")}
    works.deliver()
    assert works.states(message) == {"nat": ("sent", "accepted")}


def test_a_worker_that_comes_back_too_late_changes_nothing(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    (late,) = works.desk.claim()
    works.tray.before = lambda _mail: world.clock.forward(seconds=61)
    original, works.tray.answers = works.tray.answers, [answer_of(550, b"5.0.0 no")]

    def taken_over(_mail: object) -> None:
        works.tray.before = lambda _mail: None
        world.clock.forward(seconds=61)
        works.desk.sweep()
        other = works.new_desk()
        (claim,) = other.claim()
        works.tray.answers = []
        deliver(other, [claim])
        works.tray.answers = [answer_of(550, b"5.0.0 no")]

    works.tray.before = taken_over
    deliver(works.desk, [late])
    assert original == []
    assert works.states(message) == {"nat": ("sent", "accepted")}


def test_a_claim_given_back_is_due_at_once(works: Works, world: World) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    (claim,) = works.desk.claim()
    deliver(works.desk, [claim], is_stopping=lambda: True)
    assert works.states(message) == {"nat": ("due", "given_back")}
    assert works.deliver() == 1


def test_nothing_is_sent_while_the_door_cannot_be_asked(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    world.is_down = True
    works.deliver()
    world.is_down = False
    assert works.states(message) == {"nat": ("due", "services_away")}
    world.clock.forward(seconds=3)
    works.deliver()
    assert works.states(message) == {"nat": ("sent", "accepted")}


def test_a_fault_in_one_mail_does_not_stop_the_others(
    works: Works, world: World
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)

    def stumble(mail: ReadyMail) -> None:
        if mail.recipient.local == "nat":
            raise RuntimeError("a fault of ours")

    works.tray.before = stumble
    works.run()
    assert works.states(message) == {
        "nat": ("due", "fault"),
        "sam": ("sent", "accepted"),
    }


def test_progress_counts_what_is_due_now_or_in_hand(works: Works, world: World) -> None:
    works.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST)
    works.route()
    assert progress(works).due == 0
    world.clock.forward(seconds=60)
    assert progress(works).due == 1
    works.desk.claim()
    assert progress(works).due == 1
    assert progress(works).readers[0].cursor == len(world.feed)


def test_a_worker_sleeps_until_the_next_mail_is_due(works: Works, world: World) -> None:
    long = timedelta(seconds=300)
    assert works.desk.idle_for(long) == long
    works.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST)
    works.route()
    assert works.desk.idle_for(long) == timedelta(seconds=60)
    assert works.desk.idle_for(timedelta(seconds=1)) == timedelta(seconds=1)


def test_an_internal_reader_gets_the_partner_s_name_and_a_partner_does_not(
    works: Works, world: World
) -> None:
    world.follow("ian", "nia")
    world.post("nat", NORTH)
    world.post("ivy", NORTH)
    works.run()
    (to_ian,) = works.tray.to("ian@studio.example")
    (to_nia,) = works.tray.to("nia@north.example")
    assert b"Direct messages with North Dubbing" in to_ian.data
    assert b"Dubbing" not in to_nia.data
    assert b"Direct messages with the studio" in to_nia.data


def test_what_workers_that_are_gone_held_is_due_at_once(
    works: Works, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    assert len(works.desk.claim()) == 1
    with works.database.writing() as session:
        assert sweep(session, world.clock()) == 0
        assert sweep(session, world.clock(), everybody_left=True) == 1

    assert works.states(message) == {"nat": ("due", "lease_expired")}
    assert works.deliver() == 1
