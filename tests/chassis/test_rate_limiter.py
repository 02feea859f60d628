"""What one caller may have while others call as well."""

import pytest

from clp_chassis.concurrency.rate_limiter import (
    A_SECOND,
    AT_ONCE,
    BESIDE_S,
    FORGOTTEN_AFTER_S,
    TIMES_THE_OTHERS,
    Allowances,
)

STEP_S = 0.01


class Day:
    """Callers that each call so many times a second, as far as they may."""

    def __init__(self) -> None:
        self.now = 100.0
        self.allowances = Allowances(lambda: self.now)

    def pass_by(self, seconds: float, **a_second: float) -> dict[str, int]:
        """How many calls each of them had in this time."""
        had = dict.fromkeys(a_second, 0)
        began = self.now
        while self.now - began < seconds:
            for caller, rate in a_second.items():
                wants = int((self.now - began + STEP_S) * rate)
                while had[caller] < wants and not self.allowances.wait_of(caller):
                    self.allowances.took(caller)
                    had[caller] += 1
            self.now += STEP_S
        return had


# fmt: off
ROWS: list[tuple[str, dict[str, float], dict[str, float]]] = [
    # who calls how often                         | a second, what each of them has
    ("one alone has all there is",
        {"busy": 50},                                {"busy": 50}),
    ("who calls without a pause beside others has as much as a person at work",
        {"busy": 50, "a": 1, "b": 1},                {"busy": A_SECOND, "a": 1, "b": 1}),
    ("a few times more than the others is no reason to wait",
        {"busy": 30, "a": 10, "b": 10},              {"busy": 30, "a": 10, "b": 10}),
    ("many times more than the others is",
        {"busy": 90, "a": 3, "b": 3},                {"busy": 3 * TIMES_THE_OTHERS, "a": 3, "b": 3}),
    ("nobody waits who calls like the rest, however fast",
        {"a": 60, "b": 60, "c": 60},                 {"a": 60, "b": 60, "c": 60}),
    ("as few calls as a person needs are never slowed",
        {"a": A_SECOND, "b": 0.8},                   {"a": A_SECOND, "b": 0.8}),
]
# fmt: on


@pytest.mark.parametrize(
    ("asked", "wanted"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_callers_have_beside_each_other(
    asked: dict[str, float], wanted: dict[str, float]
) -> None:
    day = Day()
    day.pass_by(10, **asked)
    had = day.pass_by(20, **asked)
    assert {caller: round(calls / 20, 0) for caller, calls in had.items()} == {
        caller: pytest.approx(rate, rel=0.15, abs=0.6)
        for caller, rate in wanted.items()
    }


def test_a_number_of_calls_may_come_at_once() -> None:
    day = Day()
    day.pass_by(3, a=2)
    at_once = day.pass_by(STEP_S, busy=10_000, a=2)["busy"]
    assert at_once == pytest.approx(AT_ONCE, abs=1)
    assert day.pass_by(2, busy=10_000, a=2)["busy"] == 2 * A_SECOND


def test_what_was_used_up_comes_back_with_time() -> None:
    day = Day()
    day.pass_by(5, a=1, busy=1000)
    day.pass_by(FORGOTTEN_AFTER_S, a=1)
    at_once = day.pass_by(STEP_S, busy=10_000)["busy"]
    assert at_once == pytest.approx(AT_ONCE, abs=1)


def test_no_more_comes_back_than_may_come_at_once() -> None:
    day = Day()
    day.pass_by(5, a=20, busy=1000)
    day.pass_by(FORGOTTEN_AFTER_S - 1, a=20)
    at_once = day.pass_by(STEP_S, busy=10_000)["busy"]
    assert at_once == pytest.approx(AT_ONCE, abs=1)


def test_who_is_slowed_is_told_for_how_long() -> None:
    day = Day()
    day.pass_by(5, a=1, busy=1000)
    while not (wait := day.allowances.wait_of("busy")):
        day.allowances.took("busy")
    assert 0 < wait <= 1 / A_SECOND
    day.now += wait
    assert day.allowances.wait_of("busy") == 0


def test_a_call_now_and_then_slows_nobody() -> None:
    day = Day()
    day.pass_by(STEP_S, a=200, b=100, c=100)
    assert day.pass_by(1, busy=1000)["busy"] == 1000


def test_who_stopped_calling_a_while_ago_slows_nobody() -> None:
    day = Day()
    day.pass_by(5, a=1, busy=1000)
    day.pass_by(BESIDE_S, busy=1000)
    assert day.pass_by(1, busy=1000)["busy"] == pytest.approx(1000, abs=1)


def test_who_was_alone_begins_beside_others_with_all_that_may_come_at_once() -> None:
    day = Day()
    day.pass_by(1, busy=1000)
    day.pass_by(STEP_S, a=400)
    at_once = day.pass_by(STEP_S, busy=10_000)["busy"]
    assert at_once == pytest.approx(AT_ONCE, abs=1)


def test_nothing_is_kept_of_callers_who_left() -> None:
    day = Day()
    day.pass_by(1, **{f"c{number}": 1 for number in range(50)})
    day.pass_by(2 * FORGOTTEN_AFTER_S, a=1)
    assert set(day.allowances._accounts) == {"a"}
