"""Services through an outage of RabbitMQ: they stay, they come back, they can stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import eventlet
import pytest
from amqp.exceptions import NotFound
from nameko.standalone.events import event_dispatcher

from clp_chassis.messaging import BROKER_ERRORS
from clp_chassis.runner import ContainerGroup
from clp_contracts.connection_pool import Lines
from clp_contracts.errors import CallFailed
from clp_suite.servers import PrivateRabbit
from tests.chassis.services_under_test import Gate, answering, hearing
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.faults]

HOW = {"in order": PrivateRabbit.stop, "by a power cut": PrivateRabbit.kill_hard}


@pytest.fixture(params=HOW.values(), ids=HOW)
def go_down(request: pytest.FixtureRequest) -> Callable[[PrivateRabbit], None]:
    chosen: Callable[[PrivateRabbit], None] = request.param
    return chosen


@pytest.fixture
def rabbit_up(rabbit: PrivateRabbit) -> Iterator[PrivateRabbit]:
    """The shared broker, running again whatever the test did to it."""
    yield rabbit
    if not rabbit.is_running:
        rabbit.start()


def group_on(rabbit: PrivateRabbit, *services: type) -> ContainerGroup:
    group = ContainerGroup((service, {"AMQP_URI": rabbit.url}) for service in services)
    group.start()
    return group


def answers(lines: Lines, service: str) -> bool:
    try:
        return bool(lines.call((service, "add"), {"left": 1, "right": 2}, {}) == 3)
    except CallFailed:
        return False


def test_services_survive_an_outage_under_load(
    rabbit_up: PrivateRabbit, go_down: Callable[[PrivateRabbit], None], unique: str
) -> None:
    heard: list[Any] = []
    group = group_on(rabbit_up, answering(unique), hearing(f"{unique}h", unique, heard))
    lines = Lines(rabbit_up.url, 2)
    dispatch = event_dispatcher({"AMQP_URI": rabbit_up.url})
    told: list[int] = []
    ended = False

    def keep_calling() -> None:
        while not ended:
            answers(lines, unique)
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
                told.append(number)

    load = [eventlet.spawn(work) for work in (keep_calling, keep_calling, keep_telling)]
    until(lambda: len(told) > 50)
    # Queues made within the last minutes are not yet safe from a power cut.
    rabbit_up.restart()
    until(lambda: answers(lines, unique), 30)
    go_down(rabbit_up)
    eventlet.sleep(1)
    rabbit_up.start()
    until(lambda: answers(lines, unique), 30)
    ended = True
    for greenthread in load:
        greenthread.wait()
    until(lambda: set(told) <= set(heard), 30)
    group.raise_if_dead()
    group.stop()
    lines.close()


def test_work_that_ends_during_an_outage_kills_nothing(
    rabbit_up: PrivateRabbit, go_down: Callable[[PrivateRabbit], None], unique: str
) -> None:
    gate = Gate()
    group = group_on(rabbit_up, answering(unique, gate))
    lines = Lines(rabbit_up.url, 2)
    asking = eventlet.spawn(_give_up, lines, unique)
    gate.reached.wait()
    go_down(rabbit_up)
    gate.open()
    eventlet.sleep(3)
    rabbit_up.start()
    until(lambda: answers(lines, unique), 30)
    group.raise_if_dead()
    asking.wait()
    group.stop()
    lines.close()


def _give_up(lines: Lines, service: str) -> None:
    try:
        lines.call((service, "hold"), {"value": "x"}, {})
    except CallFailed:
        return


def test_services_can_be_stopped_during_an_outage(
    rabbit_up: PrivateRabbit, unique: str, seconds_of: Callable[..., float]
) -> None:
    heard: list[Any] = []
    group = group_on(rabbit_up, answering(unique), hearing(f"{unique}h", unique, heard))
    rabbit_up.kill_hard()
    eventlet.sleep(1)
    assert seconds_of(group.stop) < 20


def test_services_find_their_way_after_the_broker_was_wiped(
    rabbit_up: PrivateRabbit, unique: str
) -> None:
    heard: list[Any] = []
    group = group_on(rabbit_up, answering(unique), hearing(f"{unique}h", unique, heard))
    rabbit_up.wipe()
    lines = Lines(rabbit_up.url, 2)
    until(lambda: answers(lines, unique), 30)
    dispatch = event_dispatcher({"AMQP_URI": rabbit_up.url})

    def is_heard() -> bool:
        try:
            dispatch(unique, "happened", "again")
        except NotFound:
            return False
        return "again" in heard

    until(is_heard, 30)
    group.raise_if_dead()
    group.stop()
    lines.close()
