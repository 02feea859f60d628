"""Periodic tasks: run at the start and at an interval, whatever fails in between."""

from collections.abc import Callable

from nameko.containers import ServiceContainer

from clp_chassis.concurrency.periodic import PeriodicTask
from tests.support.waiting import until

RUNS: list[str] = []


def _failing_once(_container: object) -> Callable[[], None]:
    def task() -> None:
        RUNS.append("run")
        if len(RUNS) == 1:
            raise ValueError("the first run fails")

    return task


class TidyService:
    name = "tidy"
    task = PeriodicTask(_failing_once, interval_s=0.01)


def test_a_task_that_failed_runs_again() -> None:
    RUNS.clear()
    container = ServiceContainer(TidyService, {})
    container.start()
    until(lambda: len(RUNS) >= 3)
    container.stop()
    container.wait()  # raises the error that ended it, if any
