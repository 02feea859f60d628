"""Events over both brokers: delayed retries, the dead queue, and hearing everywhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import ChannelError
from kombu.exceptions import OperationalError
from nameko.standalone.events import event_dispatcher

from clp_chassis.messaging import RetryPublisher
from tests.chassis.children import Child
from tests.chassis.conftest import Serve
from tests.chassis.raw_amqp import Wire, body_of
from tests.chassis.services_under_test import hearing, hearing_everywhere
from tests.waiting import until

QUICKLY = (20, 40)
Dispatch = Callable[..., None]


@pytest.fixture
def dispatch(broker_url: str, unique: str) -> Dispatch:
    """Publish an event of the source named after the test."""
    publish = event_dispatcher({"AMQP_URI": broker_url})

    def say(body: Any, event_type: str = "happened") -> None:
        publish(unique, event_type, body)

    return say


@pytest.fixture
def wire(broker_url: str) -> Iterator[Wire]:
    with Wire(broker_url) as opened:
        yield opened


def main_queue(unique: str) -> str:
    return f"evt-{unique}--{unique}.on_happened.q2"


def test_one_method_hears_all_the_types_it_asked_for(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    heard: list[Any] = []
    serve(hearing(unique, unique, heard))
    dispatch("one", "happened")
    dispatch("two", "changed")
    dispatch("three", "ended")
    until(lambda: len(heard) == 2)
    assert sorted(heard) == ["one", "two"]


def test_one_process_of_each_service_hears_an_event(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    heard: list[Any] = []
    serve(hearing(unique, unique, heard))
    serve(hearing(unique, unique, heard))
    serve(hearing(f"{unique}-other", unique, heard))
    for number in range(10):
        dispatch(number)
    until(lambda: len(heard) == 20)
    assert sorted(heard) == sorted([*range(10), *range(10)])


def test_an_event_waits_for_a_service_that_is_away(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    heard: list[Any] = []
    service = hearing(unique, unique, heard)
    serve(service).stop()
    dispatch("meanwhile")
    assert heard == []
    serve(service)
    until(lambda: heard == ["meanwhile"])


def test_a_failed_event_comes_back_after_its_delays(
    serve: Serve, dispatch: Dispatch, wire: Wire, unique: str
) -> None:
    heard: list[Any] = []
    serve(hearing(unique, unique, heard, retry_delays_ms=(100, 200)))
    began = time.monotonic()
    dispatch({"fails": 2})
    until(lambda: len(heard) == 3)
    assert time.monotonic() - began >= 0.3
    until(lambda: wire.size(main_queue(unique)) == 0)
    assert wire.size(f"{main_queue(unique)}.dead") == 0


def test_an_event_that_never_works_is_parked_with_its_reason(
    serve: Serve, dispatch: Dispatch, wire: Wire, unique: str
) -> None:
    heard: list[Any] = []
    dead = f"{main_queue(unique)}.dead"
    serve(hearing(unique, unique, heard, retry_delays_ms=QUICKLY))
    dispatch({"fails": 99})
    until(lambda: wire.size(dead) == 1)
    assert len(heard) == 3
    parked = wire.get(dead)
    assert body_of(parked) == {"fails": 99}
    assert parked.headers["x-attempt"] == 3
    assert parked.headers["x-error"] == "ValueError", "named and not quoted"
    assert parked.headers["x-first-failed"].endswith("+00:00")
    parked.ack()


def test_an_event_no_retry_helps_is_parked_at_once(
    serve: Serve, dispatch: Dispatch, wire: Wire, unique: str
) -> None:
    heard: list[Any] = []
    serve(hearing(unique, unique, heard))
    dispatch("drop")
    until(lambda: wire.size(f"{main_queue(unique)}.dead") == 1)
    assert heard == ["drop"]


def test_a_failing_event_holds_nobody_up(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    heard: list[Any] = []
    serve(hearing(unique, unique, heard, retry_delays_ms=(60_000,)), max_workers=1)
    dispatch({"fails": 99})
    dispatch("next")
    until(lambda: heard == [{"fails": 99}, "next"])


def test_an_event_is_requeued_when_no_retry_can_be_arranged(
    serve: Serve, dispatch: Dispatch, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    broken = [OperationalError("the broker went away")]
    publish = RetryPublisher.publish

    def failing(self: RetryPublisher, *args: Any, **kwargs: Any) -> None:
        if broken:
            raise broken.pop()
        publish(self, *args, **kwargs)

    monkeypatch.setattr(RetryPublisher, "publish", failing)
    group = serve(hearing(unique, unique, heard, retry_delays_ms=QUICKLY))
    dispatch({"fails": 2})
    until(lambda: len(heard) == 3)
    group.raise_if_dead()


POISON: dict[str, dict[str, Any]] = {
    "broken JSON": {"body": b"{"},
    "no content type": {"content_type": None},
    "pickle": {"content_type": "application/x-python-serialize"},
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_an_unreadable_event_is_parked_and_not_lost(
    serve: Serve, wire: Wire, unique: str, poison: dict[str, Any]
) -> None:
    heard: list[Any] = []
    group = serve(hearing(unique, unique, heard))
    stated = {"body": b"{}", "content_type": "application/json", **poison}
    stated["content_encoding"] = "utf-8"
    wire.publish_raw(stated.pop("body"), "happened", f"{unique}.events", **stated)
    until(lambda: wire.size(f"{main_queue(unique)}.dead") == 1)
    group.raise_if_dead()
    assert heard == []


@pytest.mark.parametrize("stack", [7, [1, 2], "abc"])
def test_an_event_with_a_broken_call_chain_is_still_heard(
    serve: Serve, wire: Wire, unique: str, stack: Any
) -> None:
    heard: list[Any] = []
    serve(hearing(unique, unique, heard))
    wire.publish_raw(
        b'"hello"',
        "happened",
        f"{unique}.events",
        content_type="application/json",
        content_encoding="utf-8",
        headers={"nameko.call_id_stack": stack},
    )
    until(lambda: heard == ["hello"])


def test_every_process_hears_what_is_meant_for_every_process(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    heard: list[list[Any]] = [[], []]
    groups = [serve(hearing_everywhere(unique, unique, ears)) for ears in heard]
    dispatch("hello")
    until(lambda: heard == [["hello"], ["hello"]])
    dispatch("fail")
    until(lambda: [len(ears) for ears in heard] == [2, 2])
    for group in groups:
        group.raise_if_dead()


def test_nothing_is_kept_for_a_process_that_is_away(
    serve: Serve, wire: Wire, unique: str
) -> None:
    heard: list[Any] = []
    serve(hearing_everywhere(unique, unique, heard)).stop()
    with pytest.raises(ChannelError, match="NO_ROUTE"):
        wire.publish("meanwhile", "happened", f"{unique}.events", mandatory=True)


@pytest.mark.broker
@pytest.mark.faults
@pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)
def test_an_event_that_kills_its_process_is_parked_in_the_end(
    broker_url: str, dispatch: Dispatch, wire: Wire, unique: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.chassis.children", "dying", broker_url]
    for number in range(7):
        with Child([*command, unique], tmp_path / f"{number}.log") as child:
            if number == 0:
                until(lambda: child.says(f"running: {unique}"), 20)
                dispatch("die")
            until(lambda: not child.is_running or _parked(wire, unique), 20)
            if number > 0 and _parked(wire, unique):
                break
    else:
        pytest.fail("it was delivered again and again")
    assert number >= 5, "it was given up before its five retries"


def _parked(wire: Wire, unique: str) -> bool:
    return wire.size(f"evt-{unique}--{unique}.on_happened.q2.dead") == 1
