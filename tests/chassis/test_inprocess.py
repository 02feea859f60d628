"""The in-process broker: what it is beyond a stand-in for RabbitMQ."""

from collections.abc import Callable

import eventlet
import pytest
from amqp.exceptions import AMQPNotImplementedError, RecoverableConnectionError
from nameko.standalone.rpc import ClusterRpcProxy

from clp_chassis.inprocess import broker_named, forget, is_inprocess, unsettled
from clp_chassis.runner import ContainerGroup
from clp_contracts.connection_pool import Lines
from clp_contracts.errors import CallFailed
from tests.chassis.raw_amqp import Wire, body_of
from tests.chassis.services_under_test import answering, hearing
from tests.waiting import until


@pytest.fixture
def url(unique: str) -> str:
    return f"inprocess://{unique}/"


def test_only_its_own_addresses_are_in_process() -> None:
    assert is_inprocess("inprocess://suite/")
    assert not is_inprocess("amqp://guest:guest@localhost:5672//")


def test_brokers_of_different_names_know_nothing_of_each_other(unique: str) -> None:
    with Wire(f"inprocess://{unique}a/") as one, Wire(f"inprocess://{unique}b/") as two:
        for wire in (one, two):
            wire.queue("letters")
        one.publish("hello", "letters")
        assert (one.size("letters"), two.size("letters")) == (1, 0)


def test_what_it_cannot_promise_it_refuses(url: str) -> None:
    with Wire(url) as wire, pytest.raises(AMQPNotImplementedError):
        wire.queue("letters", arguments={"x-queue-type": "quorum"})


def test_a_published_payload_cannot_be_changed_by_who_has_it(url: str) -> None:
    with Wire(url) as wire:
        wire.queue("letters")
        wire.consume("letters")
        headers = {"chain": ["a"]}
        wire.publish("hello", "letters", headers=headers)
        headers["chain"].append("b")
        message = wire.next()
        assert message.headers == {"chain": ["a"]}
        message.headers["chain"].append("c")
        message.requeue()
        assert wire.next().headers == {"chain": ["a"]}


def test_a_drain_sleeps_until_something_arrives(url: str) -> None:
    switches = 0

    def count_switches() -> None:
        nonlocal switches
        while True:
            switches += 1
            eventlet.sleep(0)

    with Wire(url) as wire:
        wire.queue("letters")
        wire.consume("letters")
        counting = eventlet.spawn(count_switches)
        eventlet.spawn_after(0.1, wire.publish, "hello", "letters")
        assert body_of(wire.next()) == "hello"
        counting.kill()
    assert switches > 100, "the hub was blocked while the drain waited"


def test_a_confirmed_publish_lets_others_run(url: str) -> None:
    ran: list[str] = []
    with Wire(url) as wire:
        wire.queue("letters")
        eventlet.spawn(ran.append, "other")
        wire.publish("hello", "letters")
        assert ran == ["other"]


def test_two_greenthreads_may_drain_one_connection(url: str) -> None:
    with Wire(url) as wire:
        wire.queue("letters")
        wire.consume("letters")
        drains = [eventlet.spawn(wire.drain) for _ in range(2)]
        eventlet.sleep(0)
        wire.publish("hello", "letters")
        with eventlet.Timeout(2):
            for drain in drains:
                drain.wait()
        assert len(wire.arrived) == 1


def test_what_is_not_done_yet_can_be_seen(url: str, unique: str) -> None:
    with Wire(url) as wire:
        wire.queue("letters")
        wire.publish(1, "letters")
        wire.publish(2, "letters")
        assert unsettled(unique) == {"letters": 2}
        wire.consume("letters")
        wire.next().ack()
        assert unsettled(unique) == {"letters": 1}
        wire.next().ack()
        assert unsettled(unique) == {}


def test_a_forgotten_broker_disconnects_everybody_and_has_nothing_left(
    url: str, unique: str
) -> None:
    wire = Wire(url)
    wire.queue("letters")
    wire.publish("hello", "letters")
    consumer = wire.consume("letters")
    waiting = eventlet.spawn(wire.drain)
    message = wire.next()
    eventlet.sleep(0)
    forget(unique)
    with pytest.raises(RecoverableConnectionError):
        waiting.wait()
    assert not message.channel.connection
    consumer.cancel()
    assert unsettled(unique) == {}


def test_services_find_their_way_after_the_broker_was_wiped(
    url: str, unique: str
) -> None:
    heard: list[object] = []
    services = [(answering("wiped"), {"AMQP_URI": url})]
    services.append((hearing("hears", "somebody", heard), {"AMQP_URI": url}))
    group = ContainerGroup(services)
    group.start()
    forget(unique)

    lines = Lines(url, 1)

    def answers() -> bool:
        try:
            return bool(lines.call(("wiped", "add"), {"left": 1, "right": 2}, {}) == 3)
        except CallFailed:
            return False

    until(answers)
    lines.close()
    group.stop()
    forget(unique)


def test_thousands_of_callers_leave_nothing_behind(url: str, unique: str) -> None:
    group = ContainerGroup([(answering("busy"), {"AMQP_URI": url})])
    group.start()
    broker = broker_named(unique)

    def traces() -> tuple[int, int]:
        return len(broker._queues), len(broker.clients)

    def call() -> None:
        with ClusterRpcProxy({"AMQP_URI": url}, timeout=5) as proxy:
            assert proxy.busy.add(left=1, right=2) == 3

    call()
    before = traces()
    for _ in range(2000):
        call()
    assert traces() == before
    group.stop()
    forget(unique)


def test_stopping_does_not_wait_for_the_next_look_around(
    url: str, unique: str, seconds_of: Callable[[Callable[[], object]], float]
) -> None:
    def seconds_to_stop() -> float:
        group = ContainerGroup([(answering("quick"), {"AMQP_URI": url})])
        group.start()
        return seconds_of(group.stop)

    # The loop looks around every quarter of a second; the best of some is no luck.
    assert min(seconds_to_stop() for _ in range(5)) < 0.2
    forget(unique)
