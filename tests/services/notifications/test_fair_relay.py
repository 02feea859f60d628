"""F10: a relay that closes, then limits, then refuses.

Time is a clock that only moves when somebody waits, so ten minutes take none.
"""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import claim_due, idle_time
from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.delivery.relay_throttle import throttle_gauges
from clp_notifications.delivery.smtp_replies import (
    ACCEPTED,
    MaySend,
    SmtpOutcome,
    outcome_of_reply,
)
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.states import State
from clp_notifications.tables import Notification
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST

LIMIT = 50
CLOSED_FOR = timedelta(minutes=10)
LIMITED_FOR = timedelta(seconds=100)
IDLE = timedelta(milliseconds=20)
SEND_S = 0.002


class SmtpRelay:
    """Busy for ten minutes, then 50 mails a second and no more, then it refuses all."""

    def __init__(self, harness: DeliveryHarness) -> None:
        self._harness = harness
        self._began = self._clock()
        self.taken: list[datetime] = []
        self.refused: list[datetime] = []

    def _clock(self) -> datetime:
        return self._harness.world.clock()

    @property
    def age(self) -> timedelta:
        return self._clock() - self._began

    def send(self, mail: OutgoingMail, may_send: MaySend) -> SmtpOutcome:
        del mail, may_send
        self._harness.sleep(SEND_S)
        now = self._clock()
        if self.age < CLOSED_FOR:
            return outcome_of_reply(421, b"4.3.2 closed")
        if self.age >= CLOSED_FOR + LIMITED_FOR:
            self.refused.append(now)
            return outcome_of_reply(550, b"5.7.1 blocked")
        if sum(now - at < timedelta(seconds=1) for at in self.taken[-LIMIT:]) >= LIMIT:
            return outcome_of_reply(454, b"4.7.0 throttled")
        self.taken.append(now)
        return ACCEPTED

    def close(self) -> None:
        pass


def work_until(
    harness: DeliveryHarness,
    deps: DeliveryDependencies,
    end: timedelta,
    relay: SmtpRelay,
) -> None:
    """The loop of a worker, with a test clock."""
    while relay.age < end:
        while relay.age < end and (claims := claim_due(deps)):
            deliver(deps, claims, lambda: relay.age >= end)
        harness.sleep(max(IDLE, idle_time(deps, timedelta(seconds=1))).total_seconds())


# A throttle is the same on every database.
@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_relay_that_closes_then_limits_then_refuses_costs_few_mails(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia", "sam", "sol")
    for _ in range(1500):
        world.post("ivy", BROADCAST)
    harness.route()
    relay = SmtpRelay(harness)
    harness.transport = relay  # type: ignore[assignment]
    deps = harness.new_delivery()

    work_until(harness, deps, CLOSED_FOR + timedelta(seconds=60), relay)
    since = len(relay.taken)
    work_until(harness, deps, CLOSED_FOR + LIMITED_FOR, relay)
    settled = (len(relay.taken) - since) / (LIMITED_FOR.total_seconds() - 60)
    assert 0.9 * LIMIT <= settled <= 1.1 * LIMIT
    assert _reasons(harness, State.DEAD) == set()

    work_until(harness, deps, CLOSED_FOR + LIMITED_FOR + timedelta(minutes=5), relay)
    assert 0 < len(relay.refused) <= 20
    assert deps.throttle.is_broken
    (shown,) = throttle_gauges(deps.throttle, world.clock)
    assert (shown.name, shown.value) == ("clp_relay_refused", 1)
    assert _reasons(harness, State.DEAD) == set()
    assert "policy" in _reasons(harness, State.DUE)


def _reasons(harness: DeliveryHarness, state: State) -> set[str]:
    query = select(Notification.reason).where(Notification.state == state.value)
    with harness.database.reading() as session:
        return set(session.scalars(query.distinct()))
