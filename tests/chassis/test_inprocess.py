"""The in-process broker: what it is beyond a stand-in for RabbitMQ."""

from collections.abc import Callable

import eventlet
import pytest
from amqp.exceptions import AMQPNotImplementedError, RecoverableConnectionError
from nameko.standalone.rpc import ClusterRpcProxy

from clp_chassis.inprocess import broker_named, is_inprocess, reset, unacked
from clp_chassis.runner import ContainerGroup
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.errors import CallFailed
from tests.chassis.raw_amqp import Wire, body_of
from tests.chassis.services_under_test import PlainListener, consumer, rpc_service
from tests.support.waiting import until


@pytest.fixture
def url(unique: str) -> str:
    return f"inprocess://{unique}/"


def test_only_its_own_addresses_are_in_process() -> None:
    assert is_inprocess("inprocess://suite/")
    assert not is_inprocess("amqp://guest:guest@localhost:5672//")


def test_brokers_of_different_names_know_nothing_of_each_other(unique: str) -> None:
    with Wire(f"inprocess://{unique}a/") as one, Wire(f"inprocess://{unique}b/") as two:
        for wire in (one, two):
            wire.queue("jobs")
        one.publish("hello", "jobs")
        assert (one.size("jobs"), two.size("jobs")) == (1, 0)


def test_unsupported_arguments_are_refused(url: str) -> None:
    with Wire(url) as wire, pytest.raises(AMQPNotImplementedError):
        wire.queue("jobs", arguments={"x-queue-type": "quorum"})


def test_a_published_message_cannot_be_changed(url: str) -> None:
    with Wire(url) as wire:
        wire.queue("jobs")
        wire.consume("jobs")
        headers = {"chain": ["a"]}
        wire.publish("hello", "jobs", headers=headers)
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
        wire.queue("jobs")
        wire.consume("jobs")
        counting = eventlet.spawn(count_switches)
        eventlet.spawn_after(0.1, wire.publish, "hello", "jobs")
        assert body_of(wire.next()) == "hello"
        counting.kill()
    assert switches > 100, "the hub was blocked while the drain waited"


def test_a_confirmed_publish_lets_others_run(url: str) -> None:
    ran: list[str] = []
    with Wire(url) as wire:
        wire.queue("jobs")
        eventlet.spawn(ran.append, "other")
        wire.publish("hello", "jobs")
        assert ran == ["other"]


def test_two_greenthreads_may_drain_one_connection(url: str) -> None:
    with Wire(url) as wire:
        wire.queue("jobs")
        wire.consume("jobs")
        drains = [eventlet.spawn(wire.drain) for _ in range(2)]
        eventlet.sleep(0)
        wire.publish("hello", "jobs")
        with eventlet.Timeout(2):
            for drain in drains:
                drain.wait()
        assert len(wire.received) == 1


def test_unacknowledged_messages_are_counted(url: str, unique: str) -> None:
    with Wire(url) as wire:
        wire.queue("jobs")
        wire.publish(1, "jobs")
        wire.publish(2, "jobs")
        assert unacked(unique) == {"jobs": 2}
        wire.consume("jobs")
        wire.next().ack()
        assert unacked(unique) == {"jobs": 1}
        wire.next().ack()
        assert unacked(unique) == {}


def test_a_reset_broker_disconnects_all_clients_and_is_empty(
    url: str, unique: str
) -> None:
    wire = Wire(url)
    wire.queue("jobs")
    wire.publish("hello", "jobs")
    consumer = wire.consume("jobs")
    draining = eventlet.spawn(wire.drain)
    message = wire.next()
    eventlet.sleep(0)
    reset(unique)
    with pytest.raises(RecoverableConnectionError):
        draining.wait()
    assert not message.channel.connection
    consumer.cancel()
    assert unacked(unique) == {}


def test_services_recover_after_the_broker_was_wiped(url: str, unique: str) -> None:
    handled: list[object] = []
    services = [(rpc_service("wiped"), {"AMQP_URI": url})]
    services.append((consumer("consumer", "source", handled), {"AMQP_URI": url}))
    group = ContainerGroup(services)
    group.start()
    reset(unique)

    connections = RpcConnectionPool(url, 1)

    def responds() -> bool:
        try:
            return bool(connections.call("wiped", "add", {"left": 1, "right": 2}) == 3)
        except CallFailed:
            return False

    until(responds)
    connections.close()
    group.stop()
    reset(unique)


def test_thousands_of_callers_leave_nothing_behind(url: str, unique: str) -> None:
    group = ContainerGroup([(rpc_service("busy"), {"AMQP_URI": url})])
    group.start()
    broker = broker_named(unique)

    def traces() -> tuple[int, int]:
        return len(broker._queues), len(broker.clients)

    def call() -> None:
        with ClusterRpcProxy(
            {"AMQP_URI": url}, timeout=5, reply_listener_cls=PlainListener
        ) as proxy:
            assert proxy.busy.add(left=1, right=2) == 3

    call()
    before = traces()
    for _ in range(2000):
        call()
    assert traces() == before
    group.stop()
    reset(unique)


def test_stopping_does_not_wait_for_the_next_poll(
    url: str, unique: str, seconds_of: Callable[[Callable[[], object]], float]
) -> None:
    def seconds_to_stop() -> float:
        group = ContainerGroup([(rpc_service("quick"), {"AMQP_URI": url})])
        group.start()
        return seconds_of(group.stop)

    # The loop looks around every quarter of a second; the best of some is no luck.
    assert min(seconds_to_stop() for _ in range(5)) < 0.2
    reset(unique)
