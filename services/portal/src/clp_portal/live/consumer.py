"""The tick of the clock on which live updates are sent."""

from typing import Final

from typing_extensions import override

from clp_chassis.concurrency.loop_timer import LoopTimer
from clp_chassis.concurrency.periodic import PeriodicTask

TICK_S: Final = 0.05


class TickTimer(LoopTimer):
    """Fire at the multiples of an interval, whatever happens in between."""

    @override
    def wait(self, interval: float | None = None) -> bool:
        """Wait for the next multiple; return False when stopped."""
        tick = TICK_S if interval is None else interval
        return super().wait(tick - self._monotonic() % tick)


class Ticks(PeriodicTask):
    """Run a task at every tick."""

    loop_name = "live updates"

    @override
    def make_timer(self) -> LoopTimer:
        """Return a timer that fires at every tick."""
        return TickTimer(TICK_S)
