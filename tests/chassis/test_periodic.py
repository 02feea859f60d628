"""Periodic tasks: run at the start and at an interval, whatever fails in between."""

from collections.abc import Callable

import eventlet
import pytest
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


def _slow(_container: object) -> Callable[[], None]:
    def task() -> None:
        RUNS.append("begun")
        eventlet.sleep(0.1)
        RUNS.append("ended")

    return task


class SlowService:
    name = "slow"
    task = PeriodicTask(_slow, interval_s=30.0)


def test_stopping_waits_for_the_end_of_a_run(caplog: pytest.LogCaptureFixture) -> None:
    RUNS.clear()
    container = ServiceContainer(SlowService, {})
    container.start()
    until(lambda: RUNS == ["begun"])
    container.stop()
    assert RUNS == ["begun", "ended"]
    assert "killing" not in caplog.text


def test_stopping_ends_a_loop_that_waits(caplog: pytest.LogCaptureFixture) -> None:
    RUNS.clear()
    container = ServiceContainer(SlowService, {})
    container.start()
    until(lambda: RUNS == ["begun", "ended"])
    with eventlet.Timeout(5):
        container.stop()
    assert "killing" not in caplog.text
