"""What one caller may have while others call as well.

Whoever is alone has all there is. Beside others a caller has a number of calls at once,
and then as many a second as a person at work needs, or some times what the others have
on average: so nobody is slowed who calls like the rest, however fast all of them are.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

AT_ONCE: Final = 20.0
A_SECOND: Final = 5.0
TIMES_THE_OTHERS: Final = 4.0
# Somebody calls as well who does so again and again, and did not long ago: a call now
# and then is no reason to slow anybody down.
BESIDE_S: Final = 2.0
AGAIN_AND_AGAIN: Final = 0.5
# Over so long calls are counted for how many a second they are.
AVERAGED_OVER_S: Final = 5.0
# So little is missing of a call by rounding alone, and must not be waited for again.
ROUNDED: Final = 1e-9
# After so long without a call everything is allowed again, and nothing is remembered.
FORGOTTEN_AFTER_S: Final = AT_ONCE / A_SECOND


@dataclass(slots=True)
class _Account:
    """Of one caller: the calls left to have, and how many a second there were."""

    left: float
    settled_at: float
    called_at: float
    a_second: float = 0.0


class Allowances:
    """Says how long each caller waits for its next call, and counts the calls."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._accounts: dict[str, _Account] = {}
        self._swept_at = ticks()

    def wait_of(self, caller: str) -> float:
        """Seconds until a caller may have another call; 0.0 for now."""
        account = self._accounts.get(caller)
        if account is None:
            return 0.0
        allowed = self._settle(account)
        missing = 1.0 - account.left
        return missing / allowed if missing > ROUNDED else 0.0

    def took(self, caller: str) -> None:
        """A caller has a call now."""
        now = self._ticks()
        self._forget(now)
        account = self._accounts.get(caller)
        if account is None:
            account = self._accounts[caller] = _Account(AT_ONCE, now, now)
        account.a_second = _faded(account, now) + 1.0 / AVERAGED_OVER_S
        account.called_at = now
        account.left = max(0.0, account.left - 1.0)

    def _settle(self, account: _Account) -> float:
        """Add what was allowed since the last time; gives how many a second may be."""
        now = self._ticks()
        since, account.settled_at = now - account.settled_at, now
        others = list(self._others(account, now))
        if not others:
            account.left = AT_ONCE
            return math.inf
        allowed = max(A_SECOND, TIMES_THE_OTHERS * sum(others) / len(others))
        account.left = min(AT_ONCE, account.left + since * allowed)
        return allowed

    def _others(self, account: _Account, now: float) -> Iterator[float]:
        for other in self._accounts.values():
            if other is not account and now - other.called_at < BESIDE_S:
                a_second = _faded(other, now)
                if a_second >= AGAIN_AND_AGAIN:
                    yield a_second

    def _forget(self, now: float) -> None:
        if now - self._swept_at >= BESIDE_S:
            self._swept_at = now
            self._accounts = {
                caller: account
                for caller, account in self._accounts.items()
                if now - account.called_at < FORGOTTEN_AFTER_S
            }


def _faded(account: _Account, now: float) -> float:
    """How many calls a second a caller has had of late."""
    gone = (now - account.called_at) / AVERAGED_OVER_S
    return account.a_second * math.exp(-gone)
