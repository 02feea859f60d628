"""The rate limit of a caller: so many at once, so many a second, whoever else calls."""

from contextlib import suppress

import pytest

from clp_chassis.concurrency.rate_limiter import (
    CHARACTERS_OF_A_CALL,
    MAX_DELAY_S,
    SWEEP_INTERVAL_S,
    RateLimit,
    TokenBucketLimiter,
)
from clp_contracts.errors import Refused
from clp_core.messages import TextPolicy

LIMIT = RateLimit(burst=40, per_second=20)
MAX_TEXT = TextPolicy().max_characters


class CallSimulation:
    """Calls at given moments; counts what is served at once, later, or refused."""

    def __init__(self) -> None:
        self.now = 100.0
        self.limiter = TokenBucketLimiter(LIMIT, lambda: self.now)

    def call(self, caller: str, times: int = 1) -> list[str]:
        return [self._call(caller) for _ in range(times)]

    def _call(self, caller: str) -> str:
        try:
            return "later" if self.limiter.delay_for(caller) else "served"
        except Refused as refused:
            return refused.code


def test_as_many_calls_as_the_burst_are_served_at_once() -> None:
    callers = CallSimulation()
    assert callers.call("a", 40) == ["served"] * 40
    assert callers.call("a") == ["later"]


def test_calls_wait_for_a_second_at_most_and_are_refused_beyond() -> None:
    callers = CallSimulation()
    callers.call("a", 40)
    later = int(MAX_DELAY_S * LIMIT.per_second)
    assert callers.call("a", later) == ["later"] * later
    assert callers.call("a", 3) == ["calls.too_many"] * 3


def test_a_refused_call_costs_nothing() -> None:
    callers = CallSimulation()
    callers.call("a", 200)
    callers.now += MAX_DELAY_S
    assert callers.call("a", 21) == ["later"] * 20 + ["calls.too_many"]


def test_the_delay_is_the_time_until_the_token_comes() -> None:
    callers = CallSimulation()
    callers.call("a", 40)
    assert callers.limiter.delay_for("a") == pytest.approx(1 / 20)
    assert callers.limiter.delay_for("a") == pytest.approx(2 / 20)


def test_t28_a_long_request_counts_as_several_calls() -> None:
    callers = CallSimulation()
    assert callers.limiter.delay_for("a", 20 * CHARACTERS_OF_A_CALL) == 0
    assert callers.call("a", 20) == ["served"] * 20
    assert callers.call("a") == ["later"]


def test_t28_the_longest_request_waits_for_no_more_than_the_longest_delay() -> None:
    callers = CallSimulation()
    callers.call("a", 40)
    longest = callers.limiter.delay_for("a", 10_000_000)
    assert longest == pytest.approx(MAX_DELAY_S)


def test_t28_of_the_longest_texts_one_a_second_is_taken() -> None:
    callers = CallSimulation()
    taken = 0
    for _ in range(600):
        callers.now += 0.1
        with suppress(Refused):
            callers.limiter.delay_for("a", MAX_TEXT)
            taken += 1
    saved = LIMIT.burst / LIMIT.per_second + MAX_DELAY_S
    assert 60 <= taken <= 60 + saved


def test_t28_who_writes_at_length_now_and_then_does_not_wait() -> None:
    callers = CallSimulation()
    for _ in range(20):
        callers.now += 3.0
        assert callers.limiter.delay_for("a", MAX_TEXT) == 0
        assert callers.call("a", 20) == ["served"] * 20


def test_tokens_come_back_with_time_and_never_exceed_the_burst() -> None:
    callers = CallSimulation()
    callers.call("a", 40)
    callers.now += 1000.0
    assert callers.call("a", 41) == ["served"] * 40 + ["later"]


def test_t32_what_a_caller_may_have_is_the_same_whoever_else_calls() -> None:
    alone, beside = CallSimulation(), CallSimulation()
    seen: list[tuple[list[str], list[str]]] = []
    for second in range(30):
        for callers in (alone, beside):
            callers.now = 100.0 + second / 4
        beside.call("b", 7 * second)
        beside.call("c", 100)
        seen.append((alone.call("a", second), beside.call("a", second)))
    assert all(mine == same for mine, same in seen)
    outcomes = {outcome for mine, _ in seen for outcome in mine}
    assert outcomes == {"served", "later", "calls.too_many"}


def test_nothing_is_kept_of_callers_who_left() -> None:
    callers = CallSimulation()
    for number in range(50):
        callers.call(f"c{number}")
    callers.now += SWEEP_INTERVAL_S
    callers.call("a")
    assert set(callers.limiter._buckets._buckets) == {"a"}
