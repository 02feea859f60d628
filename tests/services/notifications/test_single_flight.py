"""Several who ask at the same time are answered together, and never by an old answer."""

from collections.abc import Sequence

import eventlet
import pytest
from eventlet.event import Event
from eventlet.greenthread import GreenThread

from clp_notifications.delivery.single_flight import Shared


class Slow:
    """Answers when it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.gates: list[Event] = []
        self.fails = False

    def __call__(self, questions: Sequence[str]) -> str:
        gate = Event()
        self.asked.append(list(questions))
        self.gates.append(gate)
        gate.wait()
        if self.fails:
            raise ConnectionError("no answer")
        return f"answer {len(self.asked)}"


@pytest.fixture
def slow() -> Slow:
    return Slow()


def begin(shared: Shared[str, str], *questions: str) -> list[GreenThread]:
    running = [eventlet.spawn(shared.ask, question) for question in questions]
    eventlet.sleep(0)
    return running


def test_who_comes_while_a_question_is_under_way_is_asked_for_in_the_next(
    slow: Slow,
) -> None:
    shared = Shared(slow)
    (first,) = begin(shared, "a")
    others = begin(shared, "b", "c", "d")
    assert slow.asked == [["a"]]
    slow.gates[0].send()
    assert first.wait() == "answer 1"
    eventlet.sleep(0)
    slow.gates[1].send()
    assert [one.wait() for one in others] == ["answer 2"] * 3
    assert slow.asked == [["a"], ["b", "c", "d"]]


def test_no_answer_is_given_to_who_asks_after_it(slow: Slow) -> None:
    shared = Shared(slow)
    for number, question in enumerate(("a", "a")):
        (one,) = begin(shared, question)
        slow.gates[number].send()
        assert one.wait() == f"answer {number + 1}"


def test_a_failure_is_told_to_all_who_asked_and_to_nobody_later(slow: Slow) -> None:
    shared = Shared(slow)
    (first,) = begin(shared, "a")
    others = begin(shared, "b", "c")
    slow.gates[0].send()
    first.wait()
    eventlet.sleep(0)
    slow.fails = True
    slow.gates[1].send()
    for one in others:
        with pytest.raises(ConnectionError):
            one.wait()
    slow.fails = False
    (later,) = begin(shared, "d")
    slow.gates[2].send()
    assert later.wait() == "answer 3"
