"""Fair queue: a busy caller waits for itself and for nobody else."""

from collections.abc import Callable

import eventlet
import pytest
from eventlet.event import Event
from eventlet.greenthread import GreenThread
from hypothesis import given
from hypothesis import strategies as st

from clp_chassis.concurrency.fair_queue import FairQueue


class Work:
    """Calls that begin when they have a slot, and end on command."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.began: list[str] = []
        self._ends: list[tuple[str, Event]] = []

    def _call(self, caller: str, group: str | None) -> None:
        with self.queue.slot(caller, group):
            self.began.append(caller)
            end = Event()
            self._ends.append((caller, end))
            end.wait()

    def request(self, *callers: str, group: str | None = None) -> list[GreenThread]:
        running = [eventlet.spawn(self._call, caller, group) for caller in callers]
        eventlet.sleep(0)
        return running

    def finish_first(self, caller: str = "") -> None:
        """End the call that has been running the longest."""
        (found, *_) = (one for one in self._ends if caller in ("", one[0]))
        self._ends.remove(found)
        found[1].send()
        eventlet.sleep(0)
        eventlet.sleep(0)

    @property
    def running(self) -> list[str]:
        return sorted(caller for caller, _ in self._ends)


def test_one_caller_has_few_running_calls_however_many_it_makes() -> None:
    work = Work(FairQueue(max_running=10, max_per_caller=2))
    work.request(*["busy"] * 20)
    assert work.running == ["busy", "busy"]


def test_a_new_caller_has_a_slot_at_once() -> None:
    work = Work(FairQueue(max_running=10, max_per_caller=2))
    work.request(*["busy"] * 20)
    work.request("quiet")
    assert work.running == ["busy", "busy", "quiet"]


def test_the_caller_with_the_fewest_running_calls_is_next() -> None:
    work = Work(FairQueue(max_running=3, max_per_caller=2))
    work.request("busy", "busy", "other", "busy", "quiet")
    assert work.running == ["busy", "busy", "other"]
    work.finish_first("busy")
    assert work.running == ["busy", "other", "quiet"]


def test_equal_callers_are_served_in_rotation() -> None:
    work = Work(FairQueue(max_running=1, max_per_caller=1))
    work.request("a", "a", "b", "b", "c")
    for _ in range(4):
        work.finish_first()
    assert work.began == ["a", "b", "c", "a", "b"]


def test_calls_of_one_caller_keep_their_order() -> None:
    work, order = Work(FairQueue(max_running=1, max_per_caller=1)), []

    def call(number: int) -> None:
        with work.queue.slot("a"):
            order.append(number)
            eventlet.sleep(0)

    running = [eventlet.spawn(call, number) for number in range(5)]
    for one in running:
        one.wait()
    assert order == [0, 1, 2, 3, 4]


def stopped_while_waiting(work: Work) -> None:
    (waiting,) = work.request("busy")
    waiting.kill()
    eventlet.sleep(0)


def failed_at_work(work: Work) -> None:
    (running,) = work.request("quiet")
    running.kill()
    eventlet.sleep(0)
    work._ends.pop()


@pytest.mark.parametrize("happens", [stopped_while_waiting, failed_at_work])
def test_a_call_that_is_stopped_keeps_no_slot(happens: Callable[[Work], None]) -> None:
    work = Work(FairQueue(max_running=2, max_per_caller=1))
    work.request("busy")
    for _ in range(5):
        happens(work)
    work.request("other")
    assert work.running == ["busy", "other"]
    work.finish_first("busy")
    work.request("busy")
    assert work.running == ["busy", "other"]


@pytest.mark.property
@given(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_every_call_runs_and_no_more_than_allowed_run_at_once(
    callers: list[str], max_running: int, max_per_caller: int
) -> None:
    work = Work(FairQueue(max_running=max_running, max_per_caller=max_per_caller))
    work.request(*callers)
    while work.running:
        assert len(work.running) <= max_running
        assert all(work.running.count(one) <= max_per_caller for one in callers)
        work.finish_first()
    assert sorted(work.began) == sorted(callers)


def test_the_rotation_goes_round_by_group() -> None:
    """Many people of one partner get no more than one person of the studio."""
    work = Work(FairQueue(max_running=1, max_per_caller=1))
    work.request("first")
    work.request(*[f"n{number}" for number in range(4)], group="partner north")
    work.request("ivy", "sam")
    for _ in range(6):
        work.finish_first()
    assert work.began == ["first", "n0", "ivy", "sam", "n1", "n2", "n3"]


def test_a_group_with_running_calls_is_behind_a_group_without() -> None:
    work = Work(FairQueue(max_running=2, max_per_caller=1))
    work.request("n0", "n1", "n2", "n3", group="partner north")
    work.request("s0", "s1", group="partner south")
    work.finish_first("n0")
    assert work.running == ["n1", "s0"]
    # South had its slot after north, and now has none.
    work.finish_first("s0")
    assert work.running == ["n1", "s1"]


def test_nothing_is_kept_of_callers_who_left() -> None:
    work = Work(FairQueue(max_running=2, max_per_caller=1))
    work.request("a", "a", group="x")
    work.request("b", "busy", group="y")
    for _ in range(4):
        work.finish_first()
    kept = work.queue
    assert [*kept._waiting, *kept._running, *kept._served, *kept._groups] == []
    assert [*kept._running_of_group, *kept._group_served] == []


def test_t23_a_group_leaves_slots_to_others() -> None:
    work = Work(FairQueue(max_running=10, max_per_group=8))
    work.request(*"abcdefgh" * 3, group="south")
    assert len(work.running) == 8
    work.request("nat", group="north")
    assert "nat" in work.running
