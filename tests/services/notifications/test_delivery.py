"""Delivery: once, in order, with its transitions; retried, dead, taken over."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_contracts.feed import Progress
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import claim_due, idle_time, sweep, sweep_expired
from clp_notifications.delivery.outcomes import DELAYS, MAX_AGE, next_attempt
from clp_notifications.delivery.smtp_replies import (
    ACCEPTED,
    NO_SMTPUTF8,
    RELAY_UNAVAILABLE,
    SmtpOutcome,
    outcome_of_reply,
)
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.routing import progress as progress_report
from clp_notifications.transitions import is_suppressed
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, NOON, NORTH

BUSY = outcome_of_reply(450, b"4.2.0 try later")


def progress(harness: DeliveryHarness) -> Progress:
    return progress_report.progress(deps=harness.deps)


def test_a_mail_leaves_its_steps(harness: DeliveryHarness, world: World) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.run()
    found = harness.explained(message, "nat")
    assert [(step.state, step.reason) for step in found.transitions] == [
        ("due", "routed"),
        ("claimed", "claimed"),
        ("sent", "accepted"),
    ]
    assert (
        found.sentence
        == "told: follows the project, new broadcast; the mail server accepted the mail"
    )


def test_a_refusal_for_now_is_tried_again_later_and_later(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    harness.transport.outcomes = [BUSY] * 3
    waits = []
    for _ in range(3):
        assert harness.deliver() == 1
        assert harness.states(message) == {"nat": ("due", "mailbox_busy")}
        waits.append(idle_time(harness.delivery, timedelta(days=1)))
        world.clock.forward(seconds=waits[-1].total_seconds())
    assert harness.deliver() == 1
    assert harness.states(message) == {"nat": ("sent", "accepted")}
    for wait, row in zip(waits, DELAYS, strict=False):
        assert row * 0.8 <= wait <= row * 1.2


def test_every_try_of_a_mail_has_the_same_message_id(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST, "first")
    harness.route()
    world.clock.forward(seconds=60)
    harness.transport.outcomes = [BUSY, RELAY_UNAVAILABLE, ACCEPTED]
    for _ in range(3):
        harness.deliver()
        # A later message does not join a mail that was attempted already.
        world.post("ivy", BROADCAST, "later")
        harness.route()
        world.clock.forward(seconds=50)
    tries = [mail for mail in harness.transport.mails if b"first" in mail.data]
    assert len(tries) == 3
    assert len({cut_up(mail.data).one("Message-ID") for mail in tries}) == 1
    assert not [mail for mail in tries if b"later" in mail.data]


@pytest.mark.property
@given(st.text(max_size=10), st.integers(1, 12))
def test_the_delay_grows_and_is_never_far_from_its_row(
    mail: str, attempts: int
) -> None:
    at = next_attempt(mail, attempts, first_tried_at=NOON, now=NOON)
    assert at is not None
    row = DELAYS[min(attempts, len(DELAYS)) - 1]
    assert row * 0.8 <= at - NOON <= row * 1.2
    assert at == next_attempt(mail, attempts, first_tried_at=NOON, now=NOON)


def test_mails_of_one_moment_do_not_all_come_back_together() -> None:
    tries = {
        next_attempt(f"mail {n}", 1, first_tried_at=NOON, now=NOON) for n in range(100)
    }
    assert len(tries) == 100


def test_a_mail_is_dead_after_three_days(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    harness.transport.outcomes = [BUSY] * 100
    began = world.clock()
    while harness.states(message)["nat"][0] == "due":
        harness.deliver()
        # To the next attempt, in steps of an hour at most.
        pause = idle_time(harness.delivery, timedelta(hours=1))
        world.clock.forward(seconds=max(pause.total_seconds(), 600))
    assert harness.states(message) == {"nat": ("dead", "expired")}
    assert timedelta(days=2) < world.clock() - began < MAX_AGE + timedelta(hours=1)


# fmt: off
ENDS = [
    # reply                                    state         reason
    (outcome_of_reply(250, b"2.0.0 kept"),            "sent",       "accepted"),
    (outcome_of_reply(421, b"4.3.2 going down"),      "due",        "relay_busy"),
    (outcome_of_reply(450, b"4.2.1 greylisted"),      "due",        "mailbox_busy"),
    (outcome_of_reply(451, b"4.3.0 local error"),     "due",        "mailbox_busy"),
    (outcome_of_reply(452, b"4.2.2 mailbox full"),    "due",        "mailbox_busy"),
    (outcome_of_reply(454, b"Throttling failure"),    "due",        "relay_busy"),
    (outcome_of_reply(451, b"4.7.0 too fast"),        "due",        "relay_busy"),
    (RELAY_UNAVAILABLE,                               "due",        "relay_unavailable"),
    (NO_SMTPUTF8,                              "suppressed", "no_smtputf8"),
    (outcome_of_reply(550, b"5.1.1 no such person"),  "dead",       "address_unknown"),
    (outcome_of_reply(550, b"5.7.1 not from you"),    "due",        "policy"),
    (outcome_of_reply(550, b"5.7.1 Unable to relay"), "due",        "relay_refused"),
    (outcome_of_reply(552, b"5.3.4 too big"),         "dead",       "too_big"),
    (outcome_of_reply(552, b"too big"),               "dead",       "too_big"),
    (outcome_of_reply(554, b"5.6.0 spam"),            "dead",       "refused"),
    (outcome_of_reply(550, b"no"),                    "dead",       "refused"),
    (outcome_of_reply(-1, b"not SMTP"),               "due",        "relay_busy"),
]
# fmt: on


@pytest.mark.parametrize(("outcome", "state", "reason"), ENDS)
def test_each_reply_leads_to_its_state(
    harness: DeliveryHarness,
    world: World,
    outcome: SmtpOutcome,
    state: str,
    reason: str,
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.transport.outcomes = [outcome]
    harness.run()
    assert harness.states(message) == {"nat": (state, reason)}


def test_an_unknown_address_gets_nothing_more_until_it_changes(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia")
    world.post("ivy", BROADCAST)
    harness.transport.outcomes = [outcome_of_reply(550, b"5.1.1 unknown")]
    harness.run()
    refused = str(harness.transport.mails[0].recipient)
    with harness.database.reading() as session:
        assert is_suppressed(session, refused)
    harness.transport.mails.clear()
    world.post("ivy", BROADCAST)
    harness.run()
    assert len(harness.transport.mails) == 1
    assert refused not in harness.transport.recipients
    world.change_person(refused.split("@", maxsplit=1)[0], email="new@north.example")
    world.post("ivy", BROADCAST)
    harness.run()
    assert "new@north.example" in harness.transport.recipients


def test_two_workers_share_the_mails_and_send_none_twice(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia", "sam", "sol")
    messages = [world.post("ivy", BROADCAST) for _ in range(15)]
    harness.route()
    workers = [harness.delivery, harness.new_delivery()]
    for deps in itertools.cycle(workers):
        claims = claim_due(deps)
        other = next(one for one in workers if one is not deps)
        stolen = claim_due(other)
        deliver(deps, (*claims, *stolen))
        if not claims and not stolen:
            break
    assert len(harness.transport.mails) == 60
    assert (
        len({cut_up(mail.data).one("Message-ID") for mail in harness.transport.mails})
        == 60
    )
    assert {state for m in messages for state, _ in harness.states(m).values()} == {
        "sent"
    }


def test_a_mail_whose_worker_died_comes_back_after_its_lease(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    claim_due(harness.delivery)
    assert progress(harness).due == 1
    assert sweep_expired(harness.delivery) == 0
    world.clock.forward(seconds=61)
    assert sweep_expired(harness.delivery) == 1
    assert harness.states(message) == {"nat": ("due", "lease_expired")}
    harness.deliver()
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_a_worker_that_comes_back_too_late_changes_nothing(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    (late,) = claim_due(harness.delivery)

    def taken_over(_mail: object) -> None:
        harness.transport.before = lambda _mail: None
        world.clock.forward(seconds=61)
        sweep_expired(harness.delivery)
        other = harness.new_delivery()
        (claim,) = claim_due(other)
        deliver(other, [claim])
        harness.transport.outcomes = [outcome_of_reply(550, b"5.0.0 no")]

    harness.transport.before = taken_over
    deliver(harness.delivery, [late])
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_a_released_claim_is_due_at_once(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    (claim,) = claim_due(harness.delivery)
    deliver(harness.delivery, [claim], is_stopping=lambda: True)
    assert harness.states(message) == {"nat": ("due", "released")}
    assert harness.deliver() == 1


def test_nothing_is_sent_while_no_recheck_succeeds(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    world.is_down = True
    harness.deliver()
    world.is_down = False
    assert harness.states(message) == {"nat": ("due", "services_unavailable")}
    world.clock.forward(seconds=3)
    harness.deliver()
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_a_fault_in_one_mail_does_not_stop_the_others(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)

    def stumble(mail: OutgoingMail) -> None:
        if mail.recipient.local == "nat":
            raise RuntimeError("a fault of ours")

    harness.transport.before = stumble
    harness.run()
    assert harness.states(message) == {
        "nat": ("due", "fault"),
        "sam": ("sent", "accepted"),
    }


def test_progress_counts_due_and_claimed_mails(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST)
    harness.route()
    assert progress(harness).due == 0
    world.clock.forward(seconds=60)
    assert progress(harness).due == 1
    claim_due(harness.delivery)
    assert progress(harness).due == 1
    assert progress(harness).readers[0].cursor == len(world.feed)


def test_a_worker_sleeps_until_the_next_mail_is_due(
    harness: DeliveryHarness, world: World
) -> None:
    long = timedelta(seconds=300)
    assert idle_time(harness.delivery, long) == long
    harness.window(60)
    world.follow("nat")
    world.post("ivy", BROADCAST)
    harness.route()
    assert idle_time(harness.delivery, long) == timedelta(seconds=60)
    assert idle_time(harness.delivery, timedelta(seconds=1)) == timedelta(seconds=1)


def test_an_internal_reader_gets_the_partner_s_name_and_a_partner_does_not(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("ian", "nia")
    world.post("nat", NORTH)
    world.post("ivy", NORTH)
    harness.run()
    (to_ian,) = harness.transport.to("ian@studio.example")
    (to_nia,) = harness.transport.to("nia@north.example")
    assert b"Direct messages with North Dubbing" in to_ian.data
    assert b"Dubbing" not in to_nia.data
    assert b"Direct messages with the studio" in to_nia.data


def test_claims_of_dead_workers_are_due_at_once(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    assert len(claim_due(harness.delivery)) == 1
    with harness.database.writing() as session:
        assert sweep(session, world.clock()) == 0
        assert sweep(session, world.clock(), all_workers_gone=True) == 1

    assert harness.states(message) == {"nat": ("due", "lease_expired")}
    assert harness.deliver() == 1
