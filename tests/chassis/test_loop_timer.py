"""The timer of a loop: at once after a quiet period, in batches under load."""

from collections.abc import Callable

import eventlet
import pytest

from clp_chassis.concurrency.loop_timer import (
    MAX_INTERVAL_S,
    MAX_PAUSE_S,
    LoopTimer,
)

MIN_INTERVAL_S = 0.05


class Clock:
    """Moves when the loop sleeps or works."""

    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.at += seconds


def timer_of(clock: Clock, min_interval: float = MIN_INTERVAL_S) -> LoopTimer:
    return LoopTimer(2.0, min_interval=min_interval, monotonic=clock, sleep=clock.sleep)


# fmt: off
PAUSES = [
    # a run takes, with a minimum interval of, woken meanwhile: pauses for
    (0.01,           MIN_INTERVAL_S,           [0.04]),
    (0.02,           MIN_INTERVAL_S,           [0.06]),
    (0.03,           MIN_INTERVAL_S,           [0.09]),
    (0.09,           MIN_INTERVAL_S,           [MAX_INTERVAL_S]),
    (0.2,            MIN_INTERVAL_S,           [0.2]),
    (0.5,            MIN_INTERVAL_S,           [0.5]),
    (30.0,           MIN_INTERVAL_S,           [MAX_PAUSE_S]),
    (0.2,            0.0,                      []),
]
# fmt: on


@pytest.mark.parametrize(("took", "min_interval", "pauses"), PAUSES)
def test_a_pause_follows_the_length_of_the_run_before_it(
    took: float, min_interval: float, pauses: list[float]
) -> None:
    clock = Clock()
    timer = timer_of(clock, min_interval)
    assert timer.wait()
    clock.at += took
    timer.wake()
    assert timer.wait()
    assert clock.slept == pauses


# wake-ups before each run | the pauses before the runs, of instant runs
LOADS = [
    ([1, 1, 1], [0.05, 0.05, 0.05]),
    ([2, 2, 2, 2], [0.05, 0.1, MAX_INTERVAL_S, MAX_INTERVAL_S]),
    ([9, 1, 1, 1], [0.05, 0.1, 0.05, 0.05]),
]


@pytest.mark.parametrize(("wakeups", "pauses"), LOADS)
def test_the_interval_grows_while_several_wakeups_come_in_it(
    wakeups: list[int], pauses: list[float]
) -> None:
    clock = Clock()
    timer = timer_of(clock)
    assert timer.wait()
    for count in wakeups:
        for _ in range(count):
            timer.wake()
        assert timer.wait()
    assert clock.slept == pauses


def test_a_timer_without_a_minimum_interval_never_waits() -> None:
    clock = Clock()
    timer = timer_of(clock, min_interval=0.0)
    for _ in range(4):
        timer.wake()
        timer.wake()
        assert timer.wait()
    assert clock.slept == []


def test_the_first_run_and_one_after_a_quiet_period_start_at_once() -> None:
    clock = Clock()
    timer = timer_of(clock)
    assert timer.wait()
    clock.at += 0.01

    def quiet(_seconds: float) -> None:
        clock.at += 1.0

    timer._wait_for_wakeup = quiet  # type: ignore[method-assign]
    assert timer.wait()
    assert clock.slept == []


@pytest.mark.parametrize(
    "stop", [LoopTimer.stop, lambda timer: (timer.wake(), timer.stop())]
)
def test_a_stopped_loop_does_not_pause_first(
    stop: Callable[[LoopTimer], object],
) -> None:
    clock = Clock()
    timer = timer_of(clock)
    assert timer.wait()
    stop(timer)
    assert not timer.wait()
    assert clock.slept == []


def test_stopping_ends_the_pause_after_a_run() -> None:
    timer = LoopTimer(30.0, min_interval=30.0)
    assert timer.wait()
    timer.wake()
    waiter = eventlet.spawn(timer.wait)
    eventlet.sleep(0)
    timer.stop()
    with eventlet.Timeout(5):
        assert not waiter.wait()
