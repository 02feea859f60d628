"""Events over both brokers: delayed retries, dead letters and broadcast events."""

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
from prometheus_client import REGISTRY

from clp_chassis.messaging import (
    DeadEvents,
    RetryPublisher,
    dead_events,
    dead_letter_queue,
)
from tests.chassis.children import Child
from tests.chassis.conftest import Serve
from tests.chassis.raw_amqp import Wire, body_of
from tests.chassis.services_under_test import broadcast_consumer, consumer
from tests.support.waiting import until

QUICKLY = (20, 40)
Dispatch = Callable[..., None]


@pytest.fixture
def dispatch(broker_url: str, unique: str) -> Dispatch:
    """Publish an event of the source named after the test."""
    publish = event_dispatcher({"AMQP_URI": broker_url})

    def send(body: Any, event_type: str = "happened") -> None:
        publish(unique, event_type, body)

    return send


@pytest.fixture
def wire(broker_url: str) -> Iterator[Wire]:
    with Wire(broker_url) as opened:
        yield opened


def main_queue(unique: str) -> str:
    return f"evt-{unique}--{unique}.on_happened.q3"


def test_one_method_consumes_all_its_event_types(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    handled: list[Any] = []
    serve(consumer(unique, unique, handled))
    dispatch("one", "happened")
    dispatch("two", "changed")
    dispatch("three", "ended")
    until(lambda: len(handled) == 2)
    assert sorted(handled) == ["one", "two"]


def test_one_process_of_each_service_handles_an_event(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    handled: list[Any] = []
    serve(consumer(unique, unique, handled))
    serve(consumer(unique, unique, handled))
    serve(consumer(f"{unique}-other", unique, handled))
    for number in range(10):
        dispatch(number)
    until(lambda: len(handled) == 20)
    assert sorted(handled) == sorted([*range(10), *range(10)])


def test_an_event_waits_for_a_stopped_service(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    handled: list[Any] = []
    service = consumer(unique, unique, handled)
    serve(service).stop()
    dispatch("meanwhile")
    assert handled == []
    serve(service)
    until(lambda: handled == ["meanwhile"])


def test_a_failed_event_comes_back_after_its_delays(
    serve: Serve, dispatch: Dispatch, wire: Wire, unique: str
) -> None:
    handled: list[Any] = []
    serve(consumer(unique, unique, handled, retry_delays_ms=(100, 200)))
    began = time.monotonic()
    dispatch({"fails": 2})
    until(lambda: len(handled) == 3)
    assert time.monotonic() - began >= 0.3
    until(lambda: wire.size(main_queue(unique)) == 0)
    assert wire.size(f"{main_queue(unique)}.dead_letters") == 0


def test_an_event_that_always_fails_becomes_a_dead_letter_with_its_error(
    serve: Serve, dispatch: Dispatch, wire: Wire, unique: str
) -> None:
    handled: list[Any] = []
    dead = f"{main_queue(unique)}.dead_letters"
    serve(consumer(unique, unique, handled, retry_delays_ms=QUICKLY))
    dispatch({"fails": 99})
    until(lambda: wire.size(dead) == 1)
    assert len(handled) == 3
    dead_letter = wire.get(dead)
    assert body_of(dead_letter) == {"fails": 99}
    assert dead_letter.headers["x-attempt"] == 3
    assert dead_letter.headers["x-error"] == "ValueError", "named and not quoted"
    assert dead_letter.headers["x-first-failed"].endswith("+00:00")
    dead_letter.ack()


def test_a_rejected_event_becomes_a_dead_letter_at_once(
    serve: Serve, dispatch: Dispatch, wire: Wire, unique: str
) -> None:
    handled: list[Any] = []
    serve(consumer(unique, unique, handled))
    dispatch("drop")
    until(lambda: wire.size(f"{main_queue(unique)}.dead_letters") == 1)
    assert handled == ["drop"]


def test_a_failing_event_delays_no_other(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    handled: list[Any] = []
    serve(consumer(unique, unique, handled, retry_delays_ms=(60_000,)), max_workers=1)
    dispatch({"fails": 99})
    dispatch("next")
    until(lambda: handled == [{"fails": 99}, "next"])


def test_an_event_is_requeued_when_its_retry_cannot_be_published(
    serve: Serve, dispatch: Dispatch, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[Any] = []
    broken = [OperationalError("the broker went away")]
    publish = RetryPublisher.publish

    def failing(self: RetryPublisher, *args: Any, **kwargs: Any) -> None:
        if broken:
            raise broken.pop()
        publish(self, *args, **kwargs)

    monkeypatch.setattr(RetryPublisher, "publish", failing)
    group = serve(consumer(unique, unique, handled, retry_delays_ms=QUICKLY))
    dispatch({"fails": 2})
    until(lambda: len(handled) == 3)
    group.raise_if_dead()


MALFORMED: dict[str, dict[str, Any]] = {
    "broken JSON": {"body": b"{"},
    "no content type": {"content_type": None},
    "pickle": {"content_type": "application/x-python-serialize"},
}


@pytest.mark.parametrize("broken", MALFORMED.values(), ids=MALFORMED)
def test_an_undecodable_event_becomes_a_dead_letter(
    serve: Serve, wire: Wire, unique: str, broken: dict[str, Any]
) -> None:
    handled: list[Any] = []
    group = serve(consumer(unique, unique, handled))
    stated = {"body": b"{}", "content_type": "application/json", **broken}
    stated["content_encoding"] = "utf-8"
    wire.publish_raw(stated.pop("body"), "happened", f"{unique}.events", **stated)
    until(lambda: wire.size(f"{main_queue(unique)}.dead_letters") == 1)
    group.raise_if_dead()
    assert handled == []


def test_dead_events_are_counted(
    serve: Serve, dispatch: Dispatch, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue that nobody declared has none, and hides no other."""
    monkeypatch.setattr(dead_events, "INTERVAL_S", 0.05)
    dead = dead_letter_queue(unique, unique, "on_happened")

    class Counting(consumer(unique, unique, [])):  # type: ignore[misc]
        dead_events = DeadEvents(f"{dead}.missing", dead)

    def counted(queue: str) -> float | None:
        return REGISTRY.get_sample_value("clp_dead_events_waiting", {"queue": queue})

    serve(Counting)
    until(lambda: counted(dead) == 0)
    dispatch("drop")
    until(lambda: counted(dead) == 1)
    assert counted(f"{dead}.missing") == 0


@pytest.mark.parametrize("stack", [7, [1, 2], "abc"])
def test_an_event_with_a_malformed_call_chain_is_handled(
    serve: Serve, wire: Wire, unique: str, stack: Any
) -> None:
    handled: list[Any] = []
    serve(consumer(unique, unique, handled))
    wire.publish_raw(
        b'"hello"',
        "happened",
        f"{unique}.events",
        content_type="application/json",
        content_encoding="utf-8",
        headers={"nameko.call_id_stack": stack},
    )
    until(lambda: handled == ["hello"])


def test_every_process_handles_a_broadcast_event(
    serve: Serve, dispatch: Dispatch, unique: str
) -> None:
    handled: list[list[Any]] = [[], []]
    groups = [serve(broadcast_consumer(unique, unique, events)) for events in handled]
    dispatch("hello")
    until(lambda: handled == [["hello"], ["hello"]])
    dispatch("fail")
    until(lambda: [len(events) for events in handled] == [2, 2])
    for group in groups:
        group.raise_if_dead()


def test_no_broadcast_event_is_kept_for_a_stopped_process(
    serve: Serve, wire: Wire, unique: str
) -> None:
    handled: list[Any] = []
    serve(broadcast_consumer(unique, unique, handled)).stop()
    with pytest.raises(ChannelError, match="NO_ROUTE"):
        wire.publish("meanwhile", "happened", f"{unique}.events", mandatory=True)


@pytest.mark.broker
@pytest.mark.faults
@pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)
def test_an_event_that_kills_its_process_becomes_a_dead_letter(
    broker_url: str, dispatch: Dispatch, wire: Wire, unique: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.chassis.children", "dying", broker_url]
    for number in range(7):
        with Child([*command, unique], tmp_path / f"{number}.log") as child:
            if number == 0:
                until(lambda: child.has_logged(f"running: {unique}"), 20)
                dispatch("die")
            until(lambda: not child.is_running or _is_dead_letter(wire, unique), 20)
            if number > 0 and _is_dead_letter(wire, unique):
                break
    else:
        pytest.fail("it was delivered again and again")
    assert number >= 5, "it became a dead letter before its five retries"


def _is_dead_letter(wire: Wire, unique: str) -> bool:
    return wire.size(f"evt-{unique}--{unique}.on_happened.q3.dead_letters") == 1
