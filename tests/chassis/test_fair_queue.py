"""Turns of callers: who asks much waits for themselves, and for nobody else."""

from collections.abc import Callable

import eventlet
import pytest
from eventlet.event import Event
from eventlet.greenthread import GreenThread
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from clp_chassis.concurrency.fair_queue import MOST_SLOWED, MOST_WAITING, OF_ONE, Turns
from clp_chassis.concurrency.rate_limiter import Allowances
from clp_contracts.errors import Refused
from tests.waiting import until


class Work:
    """Calls that begin when they have their turn, and end when they are told to."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.began: list[str] = []
        self._ends: list[tuple[str, Event]] = []

    def _call(self, caller: str) -> None:
        with self.turns.hold(caller):
            self.began.append(caller)
            end = Event()
            self._ends.append((caller, end))
            end.wait()

    def ask(self, *callers: str) -> list[GreenThread]:
        running = [eventlet.spawn(self._call, caller) for caller in callers]
        eventlet.sleep(0)
        return running

    def end_first(self, caller: str = "") -> None:
        """End the call that has been under way the longest."""
        (found, *_) = (one for one in self._ends if caller in ("", one[0]))
        self._ends.remove(found)
        found[1].send()
        eventlet.sleep(0)
        eventlet.sleep(0)

    @property
    def under_way(self) -> list[str]:
        return sorted(caller for caller, _ in self._ends)


def test_one_caller_has_few_calls_under_way_however_many_are_asked() -> None:
    work = Work(Turns(at_once=10, of_one=2))
    work.ask(*["busy"] * 20)
    assert work.under_way == ["busy", "busy"]


def test_there_is_room_for_somebody_new_at_once() -> None:
    work = Work(Turns(at_once=10, of_one=2))
    work.ask(*["busy"] * 20)
    work.ask("quiet")
    assert work.under_way == ["busy", "busy", "quiet"]


def test_when_there_is_no_room_whoever_has_fewest_under_way_is_next() -> None:
    work = Work(Turns(at_once=3, of_one=2))
    work.ask("busy", "busy", "other", "busy", "quiet")
    assert work.under_way == ["busy", "busy", "other"]
    work.end_first("busy")
    assert work.under_way == ["busy", "other", "quiet"]


def test_among_equals_turns_go_round() -> None:
    work = Work(Turns(at_once=1, of_one=1))
    work.ask("a", "a", "b", "b", "c")
    for _ in range(4):
        work.end_first()
    assert work.began == ["a", "b", "c", "a", "b"]


def test_calls_of_one_caller_keep_their_order() -> None:
    work, order = Work(Turns(at_once=1, of_one=1)), []

    def call(number: int) -> None:
        with work.turns.hold("a"):
            order.append(number)
            eventlet.sleep(0)

    running = [eventlet.spawn(call, number) for number in range(5)]
    for one in running:
        one.wait()
    assert order == [0, 1, 2, 3, 4]


def stopped_while_waiting(work: Work) -> None:
    (waiting,) = work.ask("busy")
    waiting.kill()
    eventlet.sleep(0)


def failed_at_work(work: Work) -> None:
    (running,) = work.ask("quiet")
    running.kill()
    eventlet.sleep(0)
    work._ends.pop()


@pytest.mark.parametrize("happens", [stopped_while_waiting, failed_at_work])
def test_a_call_that_is_stopped_keeps_no_turn(happens: Callable[[Work], None]) -> None:
    work = Work(Turns(at_once=2, of_one=1))
    work.ask("busy")
    for _ in range(5):
        happens(work)
    work.ask("other")
    assert work.under_way == ["busy", "other"]
    work.end_first("busy")
    work.ask("busy")
    assert work.under_way == ["busy", "other"]


@pytest.mark.property
@given(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_everybody_gets_a_turn_and_no_more_than_allowed_are_under_way(
    callers: list[str], at_once: int, of_one: int
) -> None:
    work = Work(Turns(at_once=at_once, of_one=of_one))
    work.ask(*callers)
    while work.under_way:
        assert len(work.under_way) <= at_once
        assert all(work.under_way.count(one) <= of_one for one in callers)
        work.end_first()
    assert sorted(work.began) == sorted(callers)


def test_who_has_very_many_calls_waiting_is_refused_and_nobody_else_is() -> None:
    work = Work(Turns(at_once=2, of_one=1))
    work.ask(*["busy"] * (1 + MOST_WAITING))
    with pytest.raises(Refused) as refused, work.turns.hold("busy"):
        pass
    assert refused.value.code == "calls.too_many"
    work.ask("quiet")
    assert work.under_way == ["busy", "quiet"]
    work.end_first("busy")
    work.ask("busy")


def test_nothing_is_kept_of_callers_who_left() -> None:
    work = Work(Turns(at_once=2, of_one=1))
    work.ask("a", "a", "b")
    for _ in range(3):
        work.end_first()
    stopped_while_waiting(work)
    kept = work.turns
    assert [*kept._waiting, *kept._running, *kept._last] == []


class Slowed(Allowances):
    """Nobody waits but whoever is slowed, until they are not any more."""

    def __init__(self) -> None:
        super().__init__()
        self.slowed = {"busy"}

    @override
    def wait_of(self, caller: str) -> float:
        return 0.01 if caller in self.slowed else 0.0


def test_who_used_up_the_allowance_waits_and_the_others_pass() -> None:
    allowances = Slowed()
    work = Work(Turns(at_once=2, of_one=1, allowances=allowances))
    work.ask("busy", "quiet", "other")
    assert work.under_way == ["other", "quiet"]
    work.end_first("quiet")
    assert work.under_way == ["other"]
    # Nobody calls and nothing ends: time alone brings the turn.
    allowances.slowed.clear()
    until(lambda: work.under_way == ["busy", "other"])


def test_of_who_used_up_the_allowance_fewer_calls_may_wait() -> None:
    allowances = Slowed()
    work = Work(Turns(allowances=allowances))
    work.ask(*["busy"] * MOST_SLOWED)
    with pytest.raises(Refused) as refused, work.turns.hold("busy"):
        pass
    assert refused.value.code == "calls.too_many"
    allowances.slowed.clear()
    until(lambda: len(work.under_way) == OF_ONE)
