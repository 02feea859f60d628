"""A broker user can do nothing beyond its own service (T12), on a real RabbitMQ.

The running system shows that its own permissions suffice: each of its processes connects
as the user of its service.
"""

import ast
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import amqp
import pytest
from amqp.exceptions import AccessRefused, AMQPError, PreconditionFailed
from kombu import Connection

from clp_chassis.clock import new_id, now
from clp_chassis.messaging import retry_exchange
from clp_chassis.security.passports import Issuer
from clp_contracts import events
from clp_contracts.broker_address import BrokerAddress
from clp_contracts.broker_users import (
    BROKER_USERS,
    CLIENTS,
    GATEWAY,
    SCALING,
    SERVICES,
)
from clp_contracts.exchanges import REPLIES
from clp_contracts.exchanges import REQUESTS as CALLS
from clp_contracts.methods import PEOPLE, PassportKind
from clp_deploy.broker_permissions import (
    MIB,
    REPLY_QUEUE_LIMITS,
    allowed_calls,
    definitions,
)
from clp_deploy.generated_files import outdated_files
from clp_deploy.keys import KeyRing
from clp_deploy.service_inventory import (
    ServiceInventory,
    _calls_in,
    methods,
    service_inventories,
    subjects_of_methods,
)
from clp_ops.dead_letter_queues import dead_events, dead_letter_queues
from tests.deploy.running import UpSystem
from tests.support.waiting import until


@cache
def inventories() -> dict[str, ServiceInventory]:
    """Not at import: every test process imports this, and one runs it."""
    return {one.service: one for one in service_inventories()}


OTHER_ID = "00000000-0000-4000-8000-000000000000"
DETOUR_ID = "00000000-0000-4000-8000-000000000001"
CALL_ID = "00000000-0000-4000-8000-000000000002"


@dataclass(frozen=True)
class Attempt:
    """An operation on an AMQP channel, with a description."""

    description: str
    method: str
    arguments: dict[str, Any]


def reply_queue(user: str, identity: str = OTHER_ID) -> str:
    return f"rpc.reply-{user}-{identity}"


def binding(user: str, exchange: str, key: str) -> Attempt:
    arguments = {"queue": reply_queue(user), "exchange": exchange, "routing_key": key}
    return Attempt(f"bind {key} on {exchange}", "queue_bind", arguments)


def publishing(exchange: str, key: str) -> Attempt:
    return Attempt(
        f"publish {key} on {exchange or 'the default exchange'}",
        "publish",
        {"exchange": exchange, "routing_key": key},
    )


def queues_of(one: ServiceInventory) -> list[str]:
    handled = [
        f"evt-{e.source}--{e.service}.{e.method}.q3"
        for e in one.subscriptions
        if not e.broadcast
    ]
    return [
        f"rpc-{one.service}",
        *handled,
        *(f"{name}.dead_letters" for name in handled),
        reply_queue(one.service),
    ]


def forbidden(user: str) -> Iterator[Attempt]:
    """Every operation that must be refused to the user."""
    own = inventories().get(
        user, ServiceInventory(user, (), (), (), tuple(granted_to(user)))
    )
    yield from other_calls(own)
    yield from other_events(own)
    yield from other_queues(own)
    yield Attempt("declare any queue", "queue_declare", {"queue": "spy"})
    exchange = {"exchange": "spy", "type": "fanout"}
    yield Attempt("declare any exchange", "exchange_declare", exchange)
    for name in ("topic", "direct", "fanout", "headers", "match", "rabbitmq.trace"):
        yield binding(user, f"amq.{name}", "#")
        yield publishing(f"amq.{name}", "k")
    yield publishing("", "amq.rabbitmq.reply-to.g1h2AA")
    yield from shared_exchanges(user)
    yield from detours(own)


def shared_exchanges(user: str) -> Iterator[Attempt]:
    """T34: nobody declares, deletes or overhears what all share."""
    for name in (CALLS, REPLIES, *(f"{service}.events" for service in SERVICES)):
        arguments = {"exchange": name, "type": "topic", "durable": True}
        yield Attempt(f"declare {name}", "exchange_declare", arguments)
        yield Attempt(f"delete {name}", "exchange_delete", {"exchange": name})
    for key in ("#", "*"):
        yield binding(user, REPLIES, key)


def detours(own: ServiceInventory) -> Iterator[Attempt]:
    """T25: dead letters and bindings between exchanges, as far as brokers refuse them.

    An account that may call services may also send its dead letters where calls go; the
    callee refuses these (see `test_t25_a_dead_letter_is_no_call`).
    """
    writable = {f"{own.service}.events"} if own.publishes else set()
    shared = (CALLS, REPLIES, *(f"{service}.events" for service in SERVICES))
    for target in {"", *(f"{service}.events" for service in SERVICES)} - writable:
        arguments = {"x-dead-letter-exchange": target, "x-dead-letter-routing-key": "k"}
        queue = {"queue": reply_queue(own.service, DETOUR_ID), "arguments": arguments}
        yield Attempt(f"send dead letters to {target}", "queue_declare", queue)
    for source in shared:
        for destination in (CALLS, REPLIES):
            arguments = {
                "destination": destination,
                "source": source,
                "routing_key": "#",
            }
            yield Attempt(
                f"bind {destination} to all of {source}", "exchange_bind", arguments
            )


def granted_to(user: str) -> list[str]:
    return allowed_calls(user) if user in CLIENTS else []


def other_calls(own: ServiceInventory) -> Iterator[Attempt]:
    others = [f"{service}.*" for service in SERVICES if service != own.service]
    for key in ("#", "*", "*.*", "messages.post", *others):
        yield binding(own.service, CALLS, key)
    for name in methods().keys() - set(own.calls):
        yield publishing(CALLS, name)


def other_events(own: ServiceInventory) -> Iterator[Attempt]:
    consumed = {event_type for event in own.subscriptions for event_type in event.types}
    for source in SERVICES:
        exchange = f"{source}.events"
        yield binding(own.service, exchange, "#")
        yield binding(own.service, exchange, "clp.#")
        for event_type in events.EVENT_TYPES:
            if f".{source}." not in event_type:
                continue
            if event_type not in consumed:
                yield binding(own.service, exchange, event_type)
            if event_type not in own.publishes:
                yield publishing(exchange, event_type)


def other_queues(own: ServiceInventory) -> Iterator[Attempt]:
    for other in inventories().values():
        for queue in queues_of(other):
            yield publishing("", queue)
            if other.service != own.service:
                arguments = {"queue": queue}
                yield Attempt(f"read {queue}", "basic_get", arguments)
                yield Attempt(f"delete {queue}", "queue_delete", arguments)
                yield Attempt(f"declare {queue}", "queue_declare", arguments)


class Spy:
    """A connection with the stolen password of a user."""

    def __init__(self, address: str) -> None:
        broker = BrokerAddress.read(address)
        options = {"confirm_publish": True}
        self.connection = Connection(
            broker.url, ssl=broker.tls, transport_options=options
        )
        self.user = broker.user

    def __enter__(self) -> Self:
        self.connection.connect()
        replies = {"queue": reply_queue(self.user), "auto_delete": True}
        declares = Attempt("declare a reply queue", "queue_declare", replies)
        # The autoscaler gets no responses, so it needs no reply queue.
        assert self.is_refused(declares) is (self.user == SCALING)
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def is_refused(self, attempt: Attempt) -> bool:
        try:
            self.attempt(attempt)
        except AccessRefused:
            return True
        except AMQPError as other:
            raise AssertionError(f"{attempt.description}: {other}") from other
        return False

    def attempt(self, attempt: Attempt) -> None:
        channel = self.connection.channel()
        try:
            if attempt.method == "publish":
                channel.basic_publish(amqp.Message("spied"), **attempt.arguments)
            else:
                getattr(channel, attempt.method)(**attempt.arguments)
        finally:
            if channel.is_open:
                channel.close()


@pytest.mark.broker
@pytest.mark.timeout(400)
@pytest.mark.parametrize("user", BROKER_USERS)
def test_a_stolen_password_gives_access_to_one_service_only(
    up: UpSystem, user: str
) -> None:
    attempts = list(forbidden(user))
    assert len(attempts) > 40
    with Spy(up.broker(user)) as spy:
        succeeded = [one.description for one in attempts if not spy.is_refused(one)]
    assert succeeded == []


def message_in(channel: Any, queue: str) -> Any:
    """Wait for a message of a queue."""
    found: list[Any] = [None]

    def is_there() -> bool:
        found[0] = channel.basic_get(queue)
        return found[0] is not None

    until(is_there)
    return found[0]


@pytest.mark.broker
@pytest.mark.parametrize("user", SERVICES)
def test_t25_a_dead_letter_is_no_call(up: UpSystem, user: str) -> None:
    """No permission covers where dead letters go, so the callee checks who calls."""
    key = up.data / "keys" / user / f"{user}.pem"
    token = Issuer.from_file(key, now).for_service(user)("projects")
    detour, replies = reply_queue(user, CALL_ID), reply_queue(user)
    with Spy(up.broker(user)) as spy:
        channel = spy.connection.channel()
        channel.queue_bind(queue=replies, exchange=REPLIES, routing_key=OTHER_ID)
        channel.queue_declare(
            queue=detour,
            exclusive=True,
            arguments={
                "x-dead-letter-exchange": CALLS,
                "x-dead-letter-routing-key": "projects.put_partner",
            },
        )
        channel.queue_bind(queue=detour, exchange=REPLIES, routing_key=CALL_ID)
        arguments = {"id": "planted", "name": "Planted"}
        channel.basic_publish(
            channel.prepare_message(
                json.dumps({"args": [], "kwargs": arguments}),
                content_type="application/json",
                content_encoding="utf-8",
                headers={"nameko.auth_token": token},
                properties={"reply_to": OTHER_ID, "correlation_id": "1"},
            ),
            exchange=REPLIES,
            routing_key=CALL_ID,
        )
        sent = message_in(channel, detour)
        channel.basic_reject(sent.delivery_tag, requeue=False)
        reply = json.loads(message_in(channel, replies).body)
    assert reply["error"]["exc_args"][0] == "passport.wrong_kind"


def refusals(up: UpSystem, spy: Spy, exchange: str, *keys: str) -> list[str]:
    """Publish a request with a routing key, and others in the header `CC`.

    Returns what its callees say, in alphabetical order; raises what the broker says.
    """
    token = KeyRing(up.data / "keys").source("ivy", PassportKind.PERSON)("projects")
    # Other tests have replies sent to the one id that they share.
    identity = str(uuid.UUID(new_id()))
    replies = reply_queue(GATEWAY, identity)
    channel = spy.connection.channel()
    channel.queue_declare(replies, exclusive=True)
    channel.queue_bind(queue=replies, exchange=REPLIES, routing_key=identity)
    message = channel.prepare_message(
        json.dumps({"args": [], "kwargs": {"id": "planted", "name": "Planted"}}),
        content_type="application/json",
        content_encoding="utf-8",
        headers={"nameko.auth_token": token, "CC": list(keys[1:])},
        properties={"reply_to": identity, "correlation_id": "1"},
    )
    channel.basic_publish(message, exchange=exchange, routing_key=keys[0])
    bodies = [message_in(channel, replies).body for _ in keys]
    return sorted(json.loads(x)["error"]["exc_args"][0] for x in bodies)


@pytest.mark.broker
def test_t25_a_copy_is_no_call(up: UpSystem) -> None:
    """RabbitMQ 4 checks the keys in the header `CC`; before it only callees do."""
    with Spy(up.broker(GATEWAY)) as spy:
        try:
            codes = refusals(up, spy, CALLS, "messages.page", "projects.put_partner")
        except AccessRefused:
            return
    # The key of the header is no method of the service with the other one.
    assert codes == ["page", "passport.refused"]


@pytest.mark.broker
def test_t25_a_binding_is_no_call(up: UpSystem) -> None:
    """Nobody checks the keys of an exchange of one's own, except the callee."""
    own = reply_queue(GATEWAY, CALL_ID)
    with Spy(up.broker(GATEWAY)) as spy:
        channel = spy.connection.channel()
        channel.exchange_declare(own, "topic", durable=False, auto_delete=False)
        channel.exchange_bind(destination=CALLS, source=own, routing_key="#")
        codes = refusals(up, spy, own, "projects.put_partner")
        channel.exchange_delete(own)
    assert codes == ["passport.wrong_kind"]


@pytest.mark.broker
def test_t34_no_account_fills_the_broker(up: UpSystem) -> None:
    """The limits of the policies hold whatever a queue is declared with."""
    own = reply_queue(GATEWAY, CALL_ID)
    lax = {"x-expires": 10**9, "x-max-length": 10**6, "x-max-length-bytes": 10**9}
    with Spy(up.broker(GATEWAY)) as spy:
        channel = spy.connection.channel()
        channel.exchange_declare(own, "fanout", durable=False, auto_delete=False)
        channel.queue_declare(own, exclusive=True, arguments=lax)
        channel.queue_bind(own, own)
        for _ in range(REPLY_QUEUE_LIMITS["max-length"] + 100):
            channel.basic_publish(amqp.Message("spied"), own)
        held = channel.queue_declare(own, passive=True).message_count
        channel.exchange_delete(own)
        with pytest.raises(PreconditionFailed, match="larger than"):
            channel.basic_publish(amqp.Message("x" * 17 * MIB), CALLS, "messages.page")
    assert held == REPLY_QUEUE_LIMITS["max-length"]


@pytest.mark.broker
def test_an_autoscaler_reads_the_length_of_the_delivery_queue(up: UpSystem) -> None:
    queue = next(
        name
        for name in queues_of(inventories()["notifications"])
        if "_delivery." in name
    )
    with Spy(up.broker(SCALING)) as spy:
        declared = spy.connection.channel().queue_declare(queue, passive=True)
    assert (declared.queue, declared.message_count) == (queue, 0)


@pytest.mark.broker
@pytest.mark.parametrize("user", [*CLIENTS, SCALING, "guest", "nobody"])
def test_a_wrong_password_is_refused(up: UpSystem, user: str) -> None:
    broker = BrokerAddress.read(up.broker("gateway"))
    address = re.sub(r"//.*@", f"//{user}:guess@", broker.url)
    connection = Connection(address, ssl=broker.tls)
    with pytest.raises(AccessRefused):
        connection.connect()


def test_calls_of_people_come_from_the_gateway_only() -> None:
    public = sorted(name for name, method in methods().items() if method.kinds & PEOPLE)
    assert allowed_calls("gateway") == public


def test_every_method_has_a_user_that_may_call_it() -> None:
    by_services = {call for one in service_inventories() for call in one.calls}
    by_clients = {name for user in CLIENTS for name in allowed_calls(user)}
    by_portal = {n for n, named in subjects_of_methods().items() if "portal" in named}
    assert by_services | by_clients | by_portal == set(methods())


def test_no_client_outside_reads_texts_without_an_access_check() -> None:
    """Methods that return texts to any caller are for services only."""
    internal = {
        "messages.get_messages",
        "messages.readable_messages",
        "messages.changes",
        "projects.facts",
    }
    assert not internal & {name for user in CLIENTS for name in allowed_calls(user)}


def test_the_calls_of_every_service_are_found() -> None:
    assert "messages.readable_messages" in inventories()["notifications"].calls
    assert "projects.facts" in inventories()["search"].calls, "called by a helper"
    assert inventories()["projects"].calls == ()
    assert {call for one in inventories().values() for call in one.calls} <= set(
        methods()
    )


def test_t25_each_method_names_the_services_that_call_it() -> None:
    """The callee checks what the permissions of the broker say as well."""
    for name, subjects in subjects_of_methods().items():
        callers = {one.service for one in inventories().values() if name in one.calls}
        # The portal calls on behalf of people; a service calls itself as operators do.
        apart = {"portal", name.partition(".")[0]}
        assert (subjects & set(inventories())) - apart == callers - apart, name


def test_the_generated_files_are_up_to_date(
    repository: Path,
) -> None:
    assert outdated_files(repository / "deploy") == {}, "run `make deploy-files`"


def test_the_generated_definitions_hold_no_password(repository: Path) -> None:
    path = repository / "deploy/rabbitmq/definitions.json"
    users = json.loads(path.read_text())["users"]
    assert {user["password_hash"] for user in users} == {""}
    assert not any(user["tags"] for user in users)


def test_a_client_passed_to_an_unknown_helper_is_noticed(tmp_path: Path) -> None:
    source = tmp_path / "odd.py"
    source.write_text("odd(clients.projects)")
    with pytest.raises(TypeError, match=r"passes clients\.projects to an unknown"):
        list(_calls_in(ast.parse(source.read_text()), source))


def test_every_dead_letter_queue_has_a_policy() -> None:
    (policy,) = (
        one
        for one in definitions()["policies"]
        if "delivery-limit" in one["definition"]
    )
    for queue in dead_letter_queues():
        assert re.search(policy["pattern"], queue.name)
        assert not re.search(policy["pattern"], queue.handler)


@pytest.mark.broker
def test_a_dead_event_stays_however_often_it_is_looked_at(up: UpSystem) -> None:
    """RabbitMQ 4 drops what came back to a quorum queue twenty times, by default."""
    queue = dead_letter_queues()[0]
    address = up.broker(queue.owner)
    with Spy(address) as spy:
        channel = spy.connection.channel()
        channel.queue_purge(queue.name)
        exchange = retry_exchange(queue.service)
        channel.basic_publish(amqp.Message("dead"), exchange, queue.name)
        for _ in range(30):
            until(lambda: dead_events(queue, address))
        channel.queue_purge(queue.name)
