"""Throttle mails to the relay: how fast it takes them, and when it takes none.

A relay that asks for fewer mails gets fewer: the rate drops to what went through and
then grows slowly. A relay that refuses us, as by a wrong password, is probed with one
mail every minute. One that refuses several mails in a row by policy gets none for a
while, as further attempts make it worse.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clp_chassis.clock import Clock
from clp_chassis.observability import GaugeSample

INITIAL_PAUSE: Final = timedelta(seconds=1)
MAX_PAUSE: Final = timedelta(seconds=60)
# A relay that refuses us is probed with one mail so often.
PROBE_INTERVAL: Final = timedelta(seconds=60)
BREAKER_PAUSE: Final = timedelta(minutes=15)
BREAKER_THRESHOLD: Final = 10
RATE_WINDOW: Final = timedelta(seconds=2)
MIN_SLOWDOWN_INTERVAL: Final = timedelta(seconds=1)
STEP_DOWN: Final = 0.95
STEP_UP: Final = 0.02
MIN_RATE: Final = 0.5
# A clock that goes back by more was wrong before.
CLOCK_JITTER: Final = timedelta(seconds=1)
# What is sent in one go once the relay has shown a limit.
BURST: Final = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class SendGrant:
    """Permission to send so many mails after a wait."""

    wait: timedelta
    mails: int


class RelayThrottle:
    """The throttle of one relay, shared by all connections of a process."""

    def __init__(self) -> None:
        self._paused_until: datetime | None = None
        self._pause = INITIAL_PAUSE
        self._policy_refusals = 0
        self._is_refused = False
        self._last_sent_at: datetime | None = None
        self._rate: float | None = None
        self._next_at: datetime | None = None
        self._slowed_at: datetime | None = None
        self._sent_times: deque[datetime] = deque()
        self._refusing_since: datetime | None = None
        self._last_refusal = ""
        self._asked_at: datetime | None = None

    @property
    def refusing_since(self) -> datetime | None:
        """The time since which the relay accepts no mail; None while it accepts."""
        return self._refusing_since

    @property
    def last_refusal(self) -> str:
        """The last refusal of the relay."""
        return self._last_refusal

    def record_refusal(self, now: datetime, refusal: str) -> None:
        """Remember what the relay did instead of accepting a mail."""
        self._refusing_since = self._refusing_since or now
        self._last_refusal = refusal

    @property
    def rate(self) -> float | None:
        """Mails per second, once the relay has shown a limit."""
        return self._rate

    @property
    def is_broken(self) -> bool:
        """Whether the circuit breaker is open: the relay refuses by policy."""
        return self._policy_refusals >= BREAKER_THRESHOLD

    @property
    def is_probing(self) -> bool:
        """Whether the relay refused us or by policy: one mail is sent as a probe."""
        return self._is_refused or self._policy_refusals > 0

    @property
    def is_refused(self) -> bool:
        """Whether the relay refused us, and has accepted no mail since."""
        return self._is_refused

    def grant(self, now: datetime, mails: int, max_wait: timedelta) -> SendGrant | None:
        """Grant up to so many mails; None when the wait would exceed ``max_wait``.

        A grant is used up: the next one waits longer.
        """
        self._forget_the_future(now)
        at = max(now, self._paused_until or now)
        if self._rate is not None:
            at = max(at, self._next_at or at)
        if at - now > max_wait:
            return None
        if self.is_probing:
            mails = 1
        if self._rate is not None:
            mails = min(mails, max(1, int(self._rate * BURST.total_seconds())))
            self._next_at = at + timedelta(seconds=mails / self._rate)
        return SendGrant(at - now, mails)

    def paused_for(self, now: datetime) -> timedelta:
        """The time for which nothing may be sent."""
        self._forget_the_future(now)
        return max(timedelta(0), (self._paused_until or now) - now)

    def record_sent(self, now: datetime) -> None:
        """Record that the relay accepted a mail."""
        self._pause = INITIAL_PAUSE
        self._policy_refusals = 0
        self._is_refused = False
        self._refusing_since, self._last_refusal = None, ""
        self._last_sent_at = now
        self._sent_times.append(now)
        self._drop_old(now)
        if self._rate is not None:
            # One step per second, whatever the rate is.
            self._rate += STEP_UP

    def slow_down(self, now: datetime) -> None:
        """Reduce the rate to what the relay took lately."""
        self._drop_old(now)
        if not self._sent_times:
            self.pause(now)
            return
        # Several connections see the same excess; it counts once.
        if self._slowed_at is None or now - self._slowed_at >= MIN_SLOWDOWN_INTERVAL:
            recent = len(self._sent_times) / RATE_WINDOW.total_seconds()
            self._rate = max(MIN_RATE, min(recent, self._rate or recent) * STEP_DOWN)
            self._slowed_at = now

    def pause(self, now: datetime) -> None:
        """Send nothing for a while, twice as long each time, until a mail is sent."""
        if self._paused_until is not None and self._paused_until > now:
            return
        self._paused_until = now + self._pause
        self._pause = min(self._pause * 2, MAX_PAUSE)

    def refused(self, now: datetime, *, in_session: bool) -> bool:
        """Pause, and probe every minute; true when the refusal is a new one.

        A refusal inside a transaction is one of that mail's, and pauses nothing, while
        other mails are accepted.
        """
        is_new = not self._is_refused
        if not in_session and self._accepts_others(now):
            return is_new
        self._is_refused = True
        self._paused_until = now + PROBE_INTERVAL
        return is_new

    def _accepts_others(self, now: datetime) -> bool:
        last = self._last_sent_at
        return last is not None and now - last < PROBE_INTERVAL

    def refused_by_policy(self, now: datetime) -> bool:
        """Count a refusal by policy; true when it opens the circuit breaker."""
        self._policy_refusals += 1
        if self.is_broken:
            self._paused_until = now + BREAKER_PAUSE
        return self._policy_refusals == BREAKER_THRESHOLD

    def _forget_the_future(self, now: datetime) -> None:
        """Drop the moments of a clock that has been set back since: none would come."""
        if self._asked_at is not None and now < self._asked_at - CLOCK_JITTER:
            self._paused_until = self._next_at = None
            self._last_sent_at = self._slowed_at = None
            self._sent_times.clear()
        self._asked_at = now

    def _drop_old(self, now: datetime) -> None:
        while self._sent_times and self._sent_times[0] <= now - RATE_WINDOW:
            self._sent_times.popleft()


def throttle_gauges(throttle: RelayThrottle, clock: Clock) -> tuple[GaugeSample, ...]:
    """Whether the relay refuses this worker, and nothing but probes is sent."""
    is_broken = throttle.is_broken and bool(throttle.paused_for(clock()))
    return (
        GaugeSample(
            name="clp_relay_refused",
            help="1 while the relay refuses this worker's login, relaying or policy.",
            value=float(throttle.is_refused or is_broken),
        ),
    )
