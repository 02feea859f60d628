"""T34: a missing exchange or a lost binding shows in readiness, on a real RabbitMQ.

The service connects as the account of the definitions, which may neither declare nor
delete what all services share. An administrator deletes it.
"""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from kombu import Connection

from clp_chassis.messaging import EncodedEvent, EventPublisher, on_events, rpc
from clp_chassis.messaging.consumer import QueueConsumer
from clp_chassis.runner import ContainerGroup
from clp_contracts.broker_users import SERVICES
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.errors import CallFailed
from clp_contracts.events import OF_MESSAGES, OF_NOTIFICATIONS
from clp_contracts.exchanges import REPLIES, REQUESTS, event_exchange
from clp_deploy.broker_permissions import VHOST, definitions
from clp_suite.server_process import account_for, create_directory_for
from clp_suite.servers import PrivateRabbit, server_directory
from clp_suite.up.servers import with_superuser
from tests.support.readiness import failures
from tests.support.servers import require
from tests.support.waiting import until as wait_until

pytestmark = pytest.mark.broker

until = partial(wait_until, seconds=30.0)
PASSWORD = "of-this-test"
EVENTS = "messages.events"


@dataclass(frozen=True)
class Broker:
    """A broker with the accounts of a deployment, and its administrator."""

    rabbit: PrivateRabbit

    def url(self, user: str) -> str:
        return f"amqp://{user}:{PASSWORD}@127.0.0.1:{self.rabbit.port}/{VHOST}"

    def as_administrator(self, method: str, **arguments: Any) -> None:
        with Connection(self.rabbit.url_of(VHOST)) as connection:
            getattr(connection.default_channel, method)(**arguments)

    def declare(self, name: str) -> None:
        self.as_administrator(
            "exchange_declare",
            exchange=name,
            type="topic",
            durable=True,
            auto_delete=False,
        )


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    require(PrivateRabbit)
    with server_directory() as folder:
        directory = folder / "rabbit"
        file = directory / "deployment.json"
        rabbit = PrivateRabbit(directory, settings={"load_definitions": str(file)})
        create_directory_for(directory, account_for(PrivateRabbit.PREFERRED_ACCOUNT))
        accounts = definitions(dict.fromkeys(SERVICES, PASSWORD))
        file.write_text(json.dumps(with_superuser(accounts, rabbit)))
        file.chmod(0o644)
        with rabbit:
            yield Broker(rabbit)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check twenty times as often as a service does."""
    monkeypatch.setattr("clp_chassis.messaging.consumer.BIND_INTERVAL_S", 0.25)
    monkeypatch.setattr("clp_chassis.messaging.event_publisher.BIND_INTERVAL_S", 0.0)


class Routing:
    """Consumes and responds as the process that routes notifications."""

    name = "notifications"

    @rpc
    def explain(self) -> str:
        return "because"

    @on_events("messages", *OF_MESSAGES)
    def on_messages_changed(self, body: Any) -> None:
        HANDLED.append(body)


HANDLED: list[Any] = []


@pytest.fixture
def group(broker: Broker) -> Iterator[ContainerGroup]:
    running = ContainerGroup([(Routing, {"AMQP_URI": broker.url("notifications")})])
    running.start()
    until(lambda: failures(running) == [])
    yield running
    running.stop()


@pytest.mark.parametrize("exchange", [REQUESTS, REPLIES, EVENTS])
def test_t34_without_a_shared_exchange_a_service_is_not_ready(
    broker: Broker, group: ContainerGroup, exchange: str
) -> None:
    broker.as_administrator("exchange_delete", exchange=exchange)
    until(lambda: failures(group))
    (problem,) = failures(group)
    assert f"no exchange '{exchange}'" in problem
    broker.declare(exchange)
    until(lambda: failures(group) == [])


def cut_connections(group: ContainerGroup) -> None:
    for container in group._containers:
        for extension in container.extensions:
            if isinstance(extension, QueueConsumer):
                line = extension._kombu_connection.connection.sock
                line.shutdown(socket.SHUT_RDWR)


def test_t34_who_reconnects_to_missing_exchanges_is_not_ready(
    broker: Broker, group: ContainerGroup
) -> None:
    broker.as_administrator("exchange_delete", exchange=EVENTS)
    cut_connections(group)
    until(lambda: f"access to exchange '{EVENTS}'" in " ".join(failures(group)))
    group.stop(10)
    broker.declare(EVENTS)


def explains(calls: RpcConnectionPool) -> bool:
    try:
        return bool(calls.call("notifications", "explain", {}) == "because")
    except CallFailed:
        return False


def test_t34_lost_bindings_are_restored(broker: Broker, group: ContainerGroup) -> None:
    calls = RpcConnectionPool(broker.rabbit.url_of(VHOST), 1)
    until(lambda: explains(calls))
    broker.as_administrator(
        "queue_unbind",
        queue="rpc-notifications",
        exchange=REQUESTS,
        routing_key="notifications.*",
    )
    assert not explains(calls)
    until(lambda: explains(calls))
    assert failures(group) == []
    calls.close()


def test_t34_events_arrive_again_when_their_exchange_is_back(
    broker: Broker, group: ContainerGroup
) -> None:
    broker.as_administrator("exchange_delete", exchange=EVENTS)
    until(lambda: failures(group))
    broker.declare(EVENTS)
    until(lambda: failures(group) == [])
    publisher = publisher_of(broker, "messages")
    publisher.publish([EncodedEvent(OF_MESSAGES[0], b'"restored"')])
    publisher.close()
    until(lambda: "restored" in HANDLED)


def publisher_of(broker: Broker, service: str) -> EventPublisher:
    return EventPublisher(
        broker.url(service), event_exchange(service), ssl=None, confirm_timeout=5
    )


def test_t34_a_publisher_tells_that_its_exchange_is_missing(broker: Broker) -> None:
    publisher = publisher_of(broker, "notifications")
    publisher.publish([EncodedEvent(OF_NOTIFICATIONS[0], b'"first"')])
    publisher.check_exchange()
    assert publisher.problem is None
    name = "notifications.events"
    broker.as_administrator("exchange_delete", exchange=name)
    publisher.check_exchange()
    assert f"no exchange '{name}'" in str(publisher.problem)
    broker.declare(name)
    publisher.check_exchange()
    assert publisher.problem is None
    publisher.close()
