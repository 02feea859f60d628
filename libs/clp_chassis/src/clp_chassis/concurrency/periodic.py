"""Background loops and periodic tasks that run beside a service's entrypoints."""

import logging
from collections.abc import Callable
from typing import Any, ClassVar, Final

from eventlet.event import Event
from nameko.extensions import DependencyProvider
from typing_extensions import override

from clp_chassis.concurrency.loop_timer import LoopTimer, wait_for

log = logging.getLogger(__name__)

# A run that takes longer is killed when its container stops.
LAST_RUN_S: Final = 5.0


class BackgroundLoop(DependencyProvider):  # type: ignore[misc]
    """Call `run_once` whenever the timer fires, until the container stops.

    A subclass gives `make_timer` and `run_once`. An error is logged and the loop goes
    on: it never ends its service. `on_error` gives the seconds until the next attempt,
    or None for the timer's interval.
    """

    loop_name: ClassVar[str] = "background loop"
    timer: LoopTimer
    # Sent when the loop has ended; None until it starts, and once it was waited for.
    _ended: Event | None = None

    def make_timer(self) -> LoopTimer:
        """Return the timer of this loop; called once, when the container is set up."""
        raise NotImplementedError

    def run_once(self) -> None:
        """Do the work of one run."""
        raise NotImplementedError

    def on_error(self, error: Exception) -> float | None:
        """Log the error of a run; return the seconds until the next attempt."""
        log.error(
            "%s of %s failed",
            self.loop_name,
            self.container.service_name,
            exc_info=error,
        )
        return None

    def setup(self) -> None:
        """Create the timer."""
        self.timer = self.make_timer()

    def start(self) -> None:
        """Start the loop in a green thread of the container."""
        self._ended = ended = Event()
        self._thread = self.container.spawn_managed_thread(
            self._run, identifier=self.loop_name
        )
        # Called also for a thread that is killed before it runs.
        self._thread.link(lambda _thread: ended.send())

    def stop(self) -> None:
        """Stop after the current run.

        The container kills every green thread as soon as this returns.
        """
        self.timer.stop()
        ended, self._ended = self._ended, None
        if ended is not None:
            wait_for(ended, LAST_RUN_S)

    def kill(self) -> None:
        """Stop; the container kills the green thread."""
        self.timer.stop()

    def _run(self) -> None:
        pause: float | None = None
        while self.timer.wait(pause):
            try:
                self.run_once()
                pause = None
            except Exception as error:  # noqa: BLE001 - logged, and tried again
                pause = self.on_error(error)


class PeriodicTask(BackgroundLoop):
    """Run a task at the start and at an interval.

    Args:
        task_of: gives the task for a container.
        interval_s: seconds between two runs.
    """

    loop_name = "periodic task"

    def __init__(
        self, task_of: Callable[[Any], Callable[[], object]], interval_s: float
    ) -> None:
        self._task_of = task_of
        self._interval_s = interval_s

    @override
    def setup(self) -> None:
        """Look up the task."""
        super().setup()
        self._task = self._task_of(self.container)

    @override
    def make_timer(self) -> LoopTimer:
        """Return a timer with the interval of this task."""
        return LoopTimer(self._interval_s)

    @override
    def run_once(self) -> None:
        """Run the task."""
        self._task()
