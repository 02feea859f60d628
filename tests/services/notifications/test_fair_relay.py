"""R10: a relay that closes, then limits, then refuses.

Time is a clock that only moves when somebody waits, so ten minutes take none.
"""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.dependencies import Desk
from clp_notifications.delivery.relay_throttle import lane_readings
from clp_notifications.delivery.smtp_replies import (
    ACCEPTED,
    Answer,
    MayLeave,
    answer_of,
)
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.states import State
from clp_notifications.tables import Notification
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, World

LIMIT = 50
CLOSED_FOR = timedelta(minutes=10)
LIMITED_FOR = timedelta(seconds=100)
REST = timedelta(milliseconds=20)
HAND_OVER_S = 0.002


class Relay:
    """Busy for ten minutes, then 50 mails a second and no more, then it refuses all."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self._began = self._clock()
        self.taken: list[datetime] = []
        self.refused: list[datetime] = []

    def _clock(self) -> datetime:
        return self._works.world.clock()

    @property
    def age(self) -> timedelta:
        return self._clock() - self._began

    def hand_over(self, mail: ReadyMail, may_leave: MayLeave) -> Answer:
        del mail, may_leave
        self._works.sleep(HAND_OVER_S)
        now = self._clock()
        if self.age < CLOSED_FOR:
            return answer_of(421, b"4.3.2 closed")
        if self.age >= CLOSED_FOR + LIMITED_FOR:
            self.refused.append(now)
            return answer_of(550, b"5.7.1 blocked")
        if sum(now - at < timedelta(seconds=1) for at in self.taken[-LIMIT:]) >= LIMIT:
            return answer_of(454, b"4.7.0 throttled")
        self.taken.append(now)
        return ACCEPTED

    def close(self) -> None:
        pass


def work_until(works: Works, desk: Desk, end: timedelta, relay: Relay) -> None:
    """What a worker's loop does, with waits in place of rests."""
    while relay.age < end:
        while relay.age < end and (claims := desk.claim()):
            deliver(desk, claims, lambda: relay.age >= end)
        works.sleep(max(REST, desk.idle_for(timedelta(seconds=1))).total_seconds())


# A lane is the same on every database.
@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_relay_that_closes_then_limits_then_refuses_costs_few_mails(
    works: Works, world: World
) -> None:
    world.follow("nat", "nia", "sam", "sol")
    for _ in range(1500):
        world.post("ivy", BROADCAST)
    works.route()
    relay = Relay(works)
    works.tray = relay  # type: ignore[assignment]
    desk = works.new_desk()

    work_until(works, desk, CLOSED_FOR + timedelta(seconds=60), relay)
    since = len(relay.taken)
    work_until(works, desk, CLOSED_FOR + LIMITED_FOR, relay)
    settled = (len(relay.taken) - since) / (LIMITED_FOR.total_seconds() - 60)
    assert 0.9 * LIMIT <= settled <= 1.1 * LIMIT
    assert _reasons(works, State.DEAD) == set()

    work_until(works, desk, CLOSED_FOR + LIMITED_FOR + timedelta(minutes=5), relay)
    assert 0 < len(relay.refused) <= 20
    assert desk.lane.is_broken
    (shown,) = lane_readings(desk.lane, world.clock)
    assert (shown.name, shown.value) == ("clp_mail_lane_refused", 1)
    assert _reasons(works, State.DEAD) == {"policy"}


def _reasons(works: Works, state: State) -> set[str]:
    asked = select(Notification.reason).where(Notification.state == state.value)
    with works.database.reading() as session:
        return set(session.scalars(asked.distinct()))
