"""A loop's rhythm: at once after a quiet time, and together when there is much to do."""

from collections.abc import Callable

import pytest

from clp_chassis.concurrency.loop_timer import LONGEST_REST_S, Pace

BREATH_S = 0.05


class Clock:
    """Moves when somebody sleeps or works."""

    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.at += seconds


# fmt: off
RESTS = [
    # a turn takes, with a breath of,  and news meanwhile: it rests for
    (0.01,           BREATH_S,         [0.04]),
    (0.02,           BREATH_S,         [0.03]),
    (0.03,           BREATH_S,         [0.03]),
    (0.2,            BREATH_S,         [0.2]),
    (0.5,            BREATH_S,         [0.5]),
    (30.0,           BREATH_S,         [LONGEST_REST_S]),
    (0.2,            0.0,              []),
]
# fmt: on


@pytest.mark.parametrize(("took", "breath", "rests"), RESTS)
def test_a_rest_is_as_long_as_the_turn_before_it(
    took: float, breath: float, rests: list[float]
) -> None:
    clock = Clock()
    pace = Pace(2.0, breath=breath, ticks=clock, sleep=clock.sleep)
    assert pace.wait()
    clock.at += took
    pace.wake()
    assert pace.wait()
    assert clock.slept == rests


def test_the_first_turn_and_one_after_a_quiet_time_are_taken_at_once() -> None:
    clock = Clock()
    pace = Pace(2.0, breath=BREATH_S, ticks=clock, sleep=clock.sleep)
    assert pace.wait()
    clock.at += 0.01

    def quiet(_seconds: float) -> None:
        clock.at += 1.0

    pace._listen = quiet  # type: ignore[method-assign]
    assert pace.wait()
    assert clock.slept == []


@pytest.mark.parametrize("asked", [Pace.stop, lambda pace: (pace.wake(), pace.stop())])
def test_who_is_to_stop_does_not_rest_first(asked: Callable[[Pace], object]) -> None:
    clock = Clock()
    pace = Pace(2.0, breath=BREATH_S, ticks=clock, sleep=clock.sleep)
    assert pace.wait()
    asked(pace)
    assert not pace.wait()
    assert clock.slept == []
