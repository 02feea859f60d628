"""The lane to a relay: how fast it takes mails, and when it takes none.

A relay that asks for fewer mails gets fewer: the lane drops to what went through, and
then tries a little more from time to time. A relay that refuses by policy several times
in a row gets none for a while: asking again makes it worse.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clp_chassis.clock import Clock
from clp_chassis.observability import Reading

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(seconds=60)
BREAKER_PAUSE: Final = timedelta(minutes=15)
REFUSALS_TO_BREAK: Final = 10
LOOK_BACK: Final = timedelta(seconds=2)
AT_MOST_EVERY: Final = timedelta(seconds=1)
STEP_DOWN: Final = 0.95
STEP_UP: Final = 0.02
SLOWEST: Final = 0.5
# What leaves in one go when the relay has shown a limit.
BURST: Final = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Grant:
    """How many mails may leave, and after which wait."""

    wait: timedelta
    mails: int


class Lane:
    """Shared by all connections of one process to one relay."""

    def __init__(self) -> None:
        self._open_at: datetime | None = None
        self._pause = FIRST_PAUSE
        self._policy_refusals = 0
        self._rate: float | None = None
        self._next_at: datetime | None = None
        self._slowed_at: datetime | None = None
        self._taken: deque[datetime] = deque()

    @property
    def rate(self) -> float | None:
        """Mails a second, once the relay has shown a limit."""
        return self._rate

    @property
    def is_broken(self) -> bool:
        """Whether the breaker is open: the relay refuses us by policy."""
        return self._policy_refusals >= REFUSALS_TO_BREAK

    @property
    def is_doubted(self) -> bool:
        """Whether the relay just refused by policy: one mail goes to find out."""
        return self._policy_refusals > 0

    def grant(self, now: datetime, mails: int, most: timedelta) -> Grant | None:
        """Places for up to so many mails; None when they are too far away.

        The places are taken: the next one to ask waits longer.
        """
        at = max(now, self._open_at or now)
        if self._rate is not None:
            at = max(at, self._next_at or at)
        if at - now > most:
            return None
        if self.is_doubted:
            mails = 1
        if self._rate is not None:
            mails = min(mails, max(1, int(self._rate * BURST.total_seconds())))
            self._next_at = at + timedelta(seconds=mails / self._rate)
        return Grant(at - now, mails)

    def closed_for(self, now: datetime) -> timedelta:
        """How long nothing may leave at all."""
        return max(timedelta(0), (self._open_at or now) - now)

    def took(self, now: datetime) -> None:
        """The relay accepted a mail."""
        self._pause = FIRST_PAUSE
        self._policy_refusals = 0
        self._taken.append(now)
        self._forget(now)
        if self._rate is not None:
            # By so much each second, whatever the rate is.
            self._rate += STEP_UP

    def slow_down(self, now: datetime) -> None:
        """The relay asked for fewer mails: go on at what it took lately."""
        self._forget(now)
        if not self._taken:
            self.pause(now)
            return
        # Several connections hear of one excess; it counts once.
        if self._slowed_at is None or now - self._slowed_at >= AT_MOST_EVERY:
            seen = len(self._taken) / LOOK_BACK.total_seconds()
            self._rate = max(SLOWEST, min(seen, self._rate or seen) * STEP_DOWN)
            self._slowed_at = now

    def pause(self, now: datetime) -> None:
        """The relay takes nothing now: longer each time, until it takes a mail."""
        if self._open_at is not None and self._open_at > now:
            return
        self._open_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def refused_by_policy(self, now: datetime) -> bool:
        """The relay refused a mail by policy; true when that opens the breaker."""
        self._policy_refusals += 1
        if self.is_broken:
            self._open_at = now + BREAKER_PAUSE
        return self._policy_refusals == REFUSALS_TO_BREAK

    def _forget(self, now: datetime) -> None:
        while self._taken and self._taken[0] <= now - LOOK_BACK:
            self._taken.popleft()


def lane_readings(lane: Lane, clock: Clock) -> tuple[Reading, ...]:
    """Whether the relay refuses this worker by its policy, and nothing leaves."""
    is_shut = lane.is_broken and bool(lane.closed_for(clock()))
    return (
        Reading(
            name="clp_mail_lane_refused",
            help="1 while the relay refuses this worker's mails by its policy.",
            value=float(is_shut),
        ),
    )
