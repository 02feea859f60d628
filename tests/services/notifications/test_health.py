"""Health by age: an attempt hides no wait, and delivery leaves signs of life."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from clp_chassis.observability import require_well
from clp_contracts.health import SIGNS
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.smtp_replies import (
    RELAY_UNAVAILABLE,
    Effect,
    SmtpOutcome,
    SmtpStage,
)
from clp_notifications.gauges import probes
from clp_notifications.health import measure
from clp_notifications.service.delivery_process import beat_once
from clp_notifications.states import State
from clp_notifications.tables import NOTIFICATIONS, TICKETS
from tests.services.notifications.harness import DeliveryHarness
from tests.support.sample_world import BROADCAST, NOON

OLDEST = "clp_notifications_oldest_seconds"
RELAY = "clp_relay_refusing_seconds"
HEARTBEAT = "clp_heartbeat_age_seconds"
REFUSED = SmtpOutcome(
    Effect.RELAY_REFUSED, TransitionReason.RELAY_REFUSED, 535, SmtpStage.AUTH
)
BUSY = SmtpOutcome(
    Effect.PERSON_LATER, TransitionReason.MAILBOX_BUSY, 452, SmtpStage.RCPT
)


def measured(harness: DeliveryHarness) -> dict[str, float]:
    now = harness.world.clock()
    with harness.database.reading() as session:
        return {one.metric: one.value for one in measure(session, now, since=NOON)}


def relay_detail(harness: DeliveryHarness) -> str:
    with harness.database.reading() as session:
        signs = measure(session, harness.world.clock(), since=NOON)
    return next(one.detail for one in signs if one.metric == RELAY)


@pytest.fixture
def waiting(harness: DeliveryHarness) -> DeliveryHarness:
    """A notification that is due since noon."""
    harness.world.follow("nat")
    harness.world.post("ivy", BROADCAST)
    harness.route()
    return harness


def test_without_delivery_a_mail_grows_older(waiting: DeliveryHarness) -> None:
    waiting.world.clock.forward(minutes=9)
    assert measured(waiting)[OLDEST] == 540


def test_an_attempt_does_not_make_a_mail_younger(waiting: DeliveryHarness) -> None:
    waiting.transport.outcomes = [RELAY_UNAVAILABLE] * 20
    for _ in range(9):
        waiting.deliver_once()
        waiting.world.clock.forward(minutes=1)
    assert len(waiting.transport.mails) > 1
    assert measured(waiting)[OLDEST] == 540
    waiting.transport.outcomes = []
    waiting.world.clock.forward(minutes=30)
    waiting.deliver()
    assert measured(waiting)[OLDEST] == 0


def test_a_mail_in_its_window_is_not_late(harness: DeliveryHarness) -> None:
    harness.window(600)
    harness.world.follow("nat")
    harness.world.post("ivy", BROADCAST)
    harness.route()
    harness.world.clock.forward(minutes=5)
    assert measured(harness)[OLDEST] == 0


def test_a_busy_mailbox_is_nobodys_fault_here(waiting: DeliveryHarness) -> None:
    waiting.transport.outcomes = [BUSY] * 20
    waiting.deliver_once()
    waiting.world.clock.forward(minutes=90)
    assert measured(waiting)[OLDEST] == 0


def test_a_ticket_that_waits_counts(harness: DeliveryHarness) -> None:
    ticket = {
        "id": "t1", "author": "nat", "key": "k", "summary": "", "urgency": "low",
        "fields": "{}", "created_at": NOON, "due_at": NOON + timedelta(hours=9),
        "attempts": 5,
    }  # fmt: skip
    with harness.database.writing() as session:
        session.execute(insert(TICKETS).values(ticket))
    harness.world.clock.forward(minutes=8)
    assert measured(harness)[OLDEST] == 480


def test_the_state_of_the_relay_comes_with_its_last_refusal(
    waiting: DeliveryHarness,
) -> None:
    waiting.transport.outcomes = [REFUSED] * 20
    waiting.deliver_once()
    waiting.world.clock.forward(seconds=90)
    beat_once(waiting.delivery, "worker")
    assert measured(waiting)[RELAY] == 90
    assert relay_detail(waiting) == "it answered 535 at AUTH"
    with (
        waiting.database.reading() as session,
        pytest.raises(OSError, match="has accepted no mail for 90 s") as unready,
    ):
        require_well(measure(session, waiting.world.clock(), since=NOON))
    assert "535" in str(unready.value)
    waiting.transport.outcomes = []
    waiting.world.clock.forward(minutes=5)
    waiting.deliver()
    beat_once(waiting.delivery, "worker")
    assert waiting.delivery.throttle.refusing_since is None
    assert measured(waiting)[RELAY] == 0


def test_a_relay_that_nobody_needs_is_no_problem(waiting: DeliveryHarness) -> None:
    waiting.transport.outcomes = [RELAY_UNAVAILABLE]
    waiting.deliver_once()
    beat_once(waiting.delivery, "worker")
    waiting.world.clock.forward(seconds=20)
    assert measured(waiting)[RELAY] == 20
    assert relay_detail(waiting) == "the mail server was away"
    with waiting.database.writing() as session:
        session.execute(update(NOTIFICATIONS).values(state=State.SUPPRESSED.value))
    assert measured(waiting)[RELAY] == 0


def test_the_heartbeat_of_any_delivery_process_counts(
    harness: DeliveryHarness,
) -> None:
    harness.world.clock.forward(seconds=40)
    assert measured(harness)[HEARTBEAT] == 40
    beat_once(harness.delivery, "first")
    harness.world.clock.forward(seconds=10)
    beat_once(harness.new_delivery(), "second")
    harness.world.clock.forward(seconds=3)
    assert measured(harness)[HEARTBEAT] == 3
    beat_once(harness.delivery, "first")
    assert measured(harness)[HEARTBEAT] == 0


def test_the_gauges_are_those_of_the_table(harness: DeliveryHarness) -> None:
    (read,) = probes(harness.database, harness.world.clock).gauges
    names = {sample.name for sample in read()}
    # Readers and queues are measured by those who read them.
    elsewhere = {
        name for name, sign in SIGNS.items() if sign.label in {"reader", "queue"}
    }
    assert set(SIGNS) - elsewhere <= names
