"""The throttle: as fast as the relay takes mails, paused when it takes none."""

from datetime import timedelta

import pytest

from clp_notifications.delivery.claims import claim_due, idle_time
from clp_notifications.delivery.relay_throttle import (
    BREAKER_PAUSE,
    BREAKER_THRESHOLD,
    RelayThrottle,
    SendGrant,
)
from clp_notifications.delivery.smtp_replies import RELAY_UNAVAILABLE, outcome_of_reply
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, NOON

LONG = timedelta(hours=1)
AT_ONCE = timedelta(0)


def test_a_new_throttle_is_open() -> None:
    assert RelayThrottle().grant(NOON, 7, LONG) == SendGrant(AT_ONCE, 7)


def test_an_unreachable_relay_is_tried_less_and_less() -> None:
    throttle, now, waits = RelayThrottle(), NOON, []
    for _ in range(9):
        throttle.pause(now)
        waits.append(throttle.paused_for(now).total_seconds())
        now += throttle.paused_for(now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    throttle.record_sent(now)
    throttle.pause(now)
    assert throttle.paused_for(now) == timedelta(seconds=1)


def test_equal_replies_on_many_connections_pause_the_relay_once() -> None:
    throttle = RelayThrottle()
    for _ in range(40):
        throttle.pause(NOON)
    assert throttle.paused_for(NOON) == timedelta(seconds=1)


def test_the_rate_settles_at_what_the_relay_takes() -> None:
    """A relay that takes 50 a second, found within forty seconds."""
    throttle, now, limit = RelayThrottle(), NOON, 50
    taken_in: dict[int, int] = {}
    sent = refused = 0
    while now < NOON + timedelta(seconds=100):
        grant = throttle.grant(now, 1, LONG)
        assert grant is not None
        now += grant.wait or timedelta(milliseconds=2)
        second = int((now - NOON).total_seconds())
        if taken_in.get(second, 0) < limit:
            taken_in[second] = taken_in.get(second, 0) + 1
            sent += second >= 40
            throttle.record_sent(now)
        else:
            refused += second >= 40
            throttle.slow_down(now)
    assert refused < sent / 20
    assert 0.9 * limit <= sent / 60 <= 1.1 * limit
    assert throttle.rate is not None
    assert 0.9 * limit <= throttle.rate <= 1.1 * limit


def test_policy_refusals_in_a_row_open_the_circuit_breaker() -> None:
    throttle = RelayThrottle()
    opened = [throttle.refused_by_policy(NOON) for _ in range(BREAKER_THRESHOLD)]
    assert opened == [False] * (BREAKER_THRESHOLD - 1) + [True]
    assert throttle.is_broken
    assert throttle.paused_for(NOON) == BREAKER_PAUSE
    throttle.record_sent(NOON + BREAKER_PAUSE)
    assert not throttle.is_broken


def test_a_single_policy_refusal_closes_nothing() -> None:
    throttle = RelayThrottle()
    for _ in range(50):
        throttle.refused_by_policy(NOON)
        throttle.record_sent(NOON)
    assert throttle.paused_for(NOON) == AT_ONCE


def test_a_relay_that_goes_away_costs_one_try_and_no_mail(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia", "sam", "sol")
    message = world.post("ivy", BROADCAST)
    harness.route()
    harness.transport.outcomes = [RELAY_UNAVAILABLE]
    harness.deliver()
    first = str(harness.transport.mails[0].recipient).partition("@")[0]
    assert harness.slept == [1.0]
    assert [step.reason for step in harness.explained(message, first).transitions][
        2:4
    ] == [
        "relay_unavailable",
        "claimed",
    ]
    assert len(harness.transport.mails) == 5
    assert set(harness.states(message).values()) == {("sent", "accepted")}


def test_a_relay_that_refuses_by_policy_gets_few_mails(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia", "sam", "sol")
    for _ in range(20):
        world.post("ivy", BROADCAST)
    harness.transport.outcomes = [outcome_of_reply(550, b"5.7.1 blocked")] * 100
    harness.run()
    assert len(harness.transport.mails) <= 20
    assert claim_due(harness.delivery) == ()


def test_nothing_is_claimed_while_the_relay_is_paused(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST)
    harness.route()
    harness.delivery.throttle.pause(world.clock())
    assert claim_due(harness.delivery) == ()
    assert idle_time(harness.delivery, LONG) == timedelta(seconds=1)
    world.clock.forward(seconds=1)
    assert len(claim_due(harness.delivery)) == 1


def test_a_claimed_mail_waits_for_its_grant(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "sam")
    harness.delivery.throttle.record_sent(world.clock())
    harness.delivery.throttle.slow_down(world.clock())
    rate = harness.delivery.throttle.rate
    assert rate is not None
    world.post("ivy", BROADCAST)
    harness.run()
    assert harness.slept == [pytest.approx(1 / rate, rel=0.1)]
    assert len(harness.transport.mails) == 2


@pytest.mark.parametrize("limit", ["paused", "slowed down", "refused"])
def test_a_clock_that_was_ahead_delays_no_mail(limit: str) -> None:
    """A pause until a moment that the right clock reaches in an hour is over."""
    throttle, ahead = RelayThrottle(), NOON + timedelta(hours=1)
    if limit == "slowed down":
        throttle.record_sent(ahead)
        throttle.slow_down(ahead)
        throttle.grant(ahead, 1, LONG)
    elif limit == "paused":
        throttle.pause(ahead)
        assert throttle.paused_for(ahead)
    else:
        throttle.refused(ahead, in_session=True)
        assert throttle.paused_for(ahead)
    assert throttle.paused_for(NOON) == AT_ONCE
    assert throttle.grant(NOON, 1, AT_ONCE) == SendGrant(AT_ONCE, 1)
