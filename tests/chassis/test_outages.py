"""Services during an outage of RabbitMQ: they survive, recover and can stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import eventlet
import pytest
from amqp.exceptions import NotFound
from nameko.standalone.events import event_dispatcher

from clp_chassis.messaging import BROKER_ERRORS
from clp_chassis.runner import ContainerGroup
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.errors import CallFailed
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivateRabbit
from tests.chassis.services_under_test import Gate, consumer, rpc_service
from tests.support.servers import require
from tests.support.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.faults]


@pytest.fixture(
    params=[
        pytest.param(PrivateRabbit.stop, id="in order", marks=pytest.mark.slow),
        pytest.param(PrivateRabbit.kill_hard, id="by a power cut"),
    ]
)
def go_down(request: pytest.FixtureRequest) -> Callable[[PrivateRabbit], None]:
    chosen: Callable[[PrivateRabbit], None] = request.param
    return chosen


@pytest.fixture(scope="module")
def own_rabbit() -> Iterator[PrivateRabbit]:
    """A broker that only these tests use, and stop."""
    require(PrivateRabbit)
    with server_directory() as directory, PrivateRabbit(directory / "rabbit") as server:
        yield server


@pytest.fixture
def rabbit_up(own_rabbit: PrivateRabbit) -> Iterator[PrivateRabbit]:
    """The broker of these tests, running again whatever the test before did to it."""
    rabbit = own_rabbit
    yield rabbit
    if not rabbit.is_running:
        rabbit.start()


def group_on(rabbit: PrivateRabbit, *services: type) -> ContainerGroup:
    group = ContainerGroup((service, {"AMQP_URI": rabbit.url}) for service in services)
    group.start()
    return group


def responds(connections: RpcConnectionPool, service: str) -> bool:
    try:
        return bool(connections.call(service, "add", {"left": 1, "right": 2}) == 3)
    except CallFailed:
        return False


def test_services_survive_an_outage_under_load(
    rabbit_up: PrivateRabbit, go_down: Callable[[PrivateRabbit], None], unique: str
) -> None:
    handled: list[Any] = []
    group = group_on(
        rabbit_up, rpc_service(unique), consumer(f"{unique}h", unique, handled)
    )
    connections = RpcConnectionPool(rabbit_up.url, 2)
    dispatch = event_dispatcher({"AMQP_URI": rabbit_up.url})
    published: list[int] = []
    ended = False

    def keep_calling() -> None:
        while not ended:
            responds(connections, unique)
            eventlet.sleep(0.01)

    def keep_telling() -> None:
        number = 0
        while not ended:
            number += 1
            try:
                dispatch(unique, "happened", number)
            except BROKER_ERRORS:
                eventlet.sleep(0.1)
            else:
                published.append(number)

    load = [eventlet.spawn(work) for work in (keep_calling, keep_calling, keep_telling)]
    until(lambda: len(published) > 50)
    # Queues made within the last minutes are not yet safe from a power cut.
    rabbit_up.restart()
    until(lambda: responds(connections, unique), 30)
    go_down(rabbit_up)
    eventlet.sleep(1)
    rabbit_up.start()
    until(lambda: responds(connections, unique), 30)
    ended = True
    for greenthread in load:
        greenthread.wait()
    until(lambda: set(published) <= set(handled), 30)
    group.raise_if_dead()
    group.stop()
    connections.close()


def test_work_that_ends_during_an_outage_kills_nothing(
    rabbit_up: PrivateRabbit, go_down: Callable[[PrivateRabbit], None], unique: str
) -> None:
    gate = Gate()
    group = group_on(rabbit_up, rpc_service(unique, gate))
    connections = RpcConnectionPool(rabbit_up.url, 2)
    calling = eventlet.spawn(_give_up, connections, unique)
    gate.reached.wait()
    go_down(rabbit_up)
    gate.open()
    eventlet.sleep(3)
    rabbit_up.start()
    until(lambda: responds(connections, unique), 30)
    group.raise_if_dead()
    calling.wait()
    group.stop()
    connections.close()


def _give_up(connections: RpcConnectionPool, service: str) -> None:
    try:
        connections.call(service, "wait_at_gate", {"value": "x"})
    except CallFailed:
        return


def test_services_can_be_stopped_during_an_outage(
    rabbit_up: PrivateRabbit, unique: str, seconds_of: Callable[..., float]
) -> None:
    handled: list[Any] = []
    group = group_on(
        rabbit_up, rpc_service(unique), consumer(f"{unique}h", unique, handled)
    )
    rabbit_up.kill_hard()
    eventlet.sleep(1)
    assert seconds_of(group.stop) < 20


def test_services_recover_after_the_broker_was_wiped(
    rabbit_up: PrivateRabbit, unique: str
) -> None:
    handled: list[Any] = []
    group = group_on(
        rabbit_up, rpc_service(unique), consumer(f"{unique}h", unique, handled)
    )
    rabbit_up.wipe()
    connections = RpcConnectionPool(rabbit_up.url, 2)
    until(lambda: responds(connections, unique), 30)
    dispatch = event_dispatcher({"AMQP_URI": rabbit_up.url})

    def is_reader() -> bool:
        try:
            dispatch(unique, "happened", "again")
        except NotFound:
            return False
        return "again" in handled

    until(is_reader, 30)
    group.raise_if_dead()
    group.stop()
    connections.close()
