"""The lane: as fast as the relay takes mails, closed when it takes none."""

from datetime import timedelta

import pytest

from clp_notifications.delivery.relay_throttle import (
    BREAKER_PAUSE,
    REFUSALS_TO_BREAK,
    Grant,
    Lane,
)
from clp_notifications.delivery.smtp_replies import RELAY_AWAY, answer_of
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, NOON, World

LONG = timedelta(hours=1)
AT_ONCE = timedelta(0)


def test_a_fresh_lane_is_open() -> None:
    assert Lane().grant(NOON, 7, LONG) == Grant(AT_ONCE, 7)


def test_a_relay_that_is_away_is_asked_less_and_less() -> None:
    lane, now, waits = Lane(), NOON, []
    for _ in range(9):
        lane.pause(now)
        waits.append(lane.closed_for(now).total_seconds())
        now += lane.closed_for(now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    lane.took(now)
    lane.pause(now)
    assert lane.closed_for(now) == timedelta(seconds=1)


def test_many_connections_that_hear_the_same_pause_the_lane_once() -> None:
    lane = Lane()
    for _ in range(40):
        lane.pause(NOON)
    assert lane.closed_for(NOON) == timedelta(seconds=1)


def test_the_rate_settles_at_what_the_relay_takes() -> None:
    """A relay that takes 50 a second, found within forty seconds."""
    lane, now, limit = Lane(), NOON, 50
    taken_in: dict[int, int] = {}
    sent = refused = 0
    while now < NOON + timedelta(seconds=100):
        grant = lane.grant(now, 1, LONG)
        assert grant is not None
        now += grant.wait or timedelta(milliseconds=2)
        second = int((now - NOON).total_seconds())
        if taken_in.get(second, 0) < limit:
            taken_in[second] = taken_in.get(second, 0) + 1
            sent += second >= 40
            lane.took(now)
        else:
            refused += second >= 40
            lane.slow_down(now)
    assert refused < sent / 20
    assert 0.9 * limit <= sent / 60 <= 1.1 * limit
    assert lane.rate is not None
    assert 0.9 * limit <= lane.rate <= 1.1 * limit


def test_a_row_of_policy_refusals_closes_the_lane() -> None:
    lane = Lane()
    opened = [lane.refused_by_policy(NOON) for _ in range(REFUSALS_TO_BREAK)]
    assert opened == [False] * (REFUSALS_TO_BREAK - 1) + [True]
    assert lane.is_broken
    assert lane.closed_for(NOON) == BREAKER_PAUSE
    lane.took(NOON + BREAKER_PAUSE)
    assert not lane.is_broken


def test_a_single_policy_refusal_closes_nothing() -> None:
    lane = Lane()
    for _ in range(50):
        lane.refused_by_policy(NOON)
        lane.took(NOON)
    assert lane.closed_for(NOON) == AT_ONCE


def test_a_relay_that_goes_away_costs_one_try_and_no_mail(
    works: Works, world: World
) -> None:
    world.follow("nat", "nia", "sam", "sol")
    message = world.post("ivy", BROADCAST)
    works.route()
    works.tray.answers = [RELAY_AWAY]
    works.deliver()
    first = str(works.tray.mails[0].recipient).partition("@")[0]
    assert works.slept == [1.0]
    assert [step.reason for step in works.explained(message, first).steps][2:4] == [
        "relay_away",
        "claimed",
    ]
    assert len(works.tray.mails) == 5
    assert set(works.states(message).values()) == {("sent", "accepted")}


def test_a_relay_that_refuses_by_policy_gets_few_mails(
    works: Works, world: World
) -> None:
    world.follow("nat", "nia", "sam", "sol")
    for _ in range(20):
        world.post("ivy", BROADCAST)
    works.tray.answers = [answer_of(550, b"5.7.1 blocked")] * 100
    works.run()
    assert len(works.tray.mails) <= 20
    assert works.desk.claim() == ()


def test_nothing_is_taken_while_the_lane_is_closed(works: Works, world: World) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST)
    works.route()
    works.desk.lane.pause(world.clock())
    assert works.desk.claim() == ()
    assert works.desk.idle_for(LONG) == timedelta(seconds=1)
    world.clock.forward(seconds=1)
    assert len(works.desk.claim()) == 1


def test_a_mail_waits_in_hand_for_its_place_in_the_lane(
    works: Works, world: World
) -> None:
    world.follow("nat", "sam")
    works.desk.lane.took(world.clock())
    works.desk.lane.slow_down(world.clock())
    rate = works.desk.lane.rate
    assert rate is not None
    world.post("ivy", BROADCAST)
    works.run()
    assert works.slept == [pytest.approx(1 / rate, rel=0.1)]
    assert len(works.tray.mails) == 2
