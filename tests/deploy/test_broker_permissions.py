"""Nobody on the broker can do what is not his (T12), asked of a real one.

That everybody can do what is his is shown by the system that runs: each of its processes
logs in as the user of its service.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from amqp.exceptions import AccessRefused, AMQPError
from kombu import Connection

from clp_contracts import events
from clp_contracts.broker_address import BrokerAddress
from clp_contracts.methods import AUTHORS
from clp_deploy.broker_permissions import (
    OUTSIDERS,
    SCALING,
    STILL_CALLED,
    USERS,
    granted,
)
from clp_deploy.generated_files import differing
from clp_deploy.service_inventory import (
    SERVICES,
    Dealings,
    _calls_in,
    dealings,
    methods,
)
from tests.deploy.running import UpSystem

CALLS = "nameko-rpc"
KNOWN = {one.service: one for one in dealings()}
SOMEBODYS = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Attempt:
    """Something a user tries on a channel, in words."""

    words: str
    method: str
    arguments: dict[str, Any]


def reply_queue(user: str) -> str:
    return f"rpc.reply-{user}-{SOMEBODYS}"


def binding(user: str, exchange: str, key: str) -> Attempt:
    told = {"queue": reply_queue(user), "exchange": exchange, "routing_key": key}
    return Attempt(f"bind {key} on {exchange}", "queue_bind", told)


def publishing(exchange: str, key: str) -> Attempt:
    return Attempt(
        f"publish {key} on {exchange or 'the default exchange'}",
        "publish",
        {"exchange": exchange, "routing_key": key},
    )


def queues_of(one: Dealings) -> list[str]:
    heard = [
        f"evt-{e.source}--{e.service}.{e.method}.q2"
        for e in one.hears
        if not e.everywhere
    ]
    return [
        f"rpc-{one.service}",
        *heard,
        *(f"{name}.dead" for name in heard),
        reply_queue(one.service),
    ]


def forbidden(user: str) -> Iterator[Attempt]:
    """All that the user must not be able to do."""
    own = KNOWN.get(user, Dealings(user, (), (), (), tuple(granted_to(user))))
    yield from other_calls(own)
    yield from other_events(own)
    yield from other_queues(own)
    yield Attempt("declare any queue", "queue_declare", {"queue": "spy"})
    made = {"exchange": "spy", "type": "fanout"}
    yield Attempt("declare any exchange", "exchange_declare", made)
    yield binding(user, "amq.rabbitmq.trace", "#")


def granted_to(user: str) -> list[str]:
    return granted(user) if user in OUTSIDERS else []


def other_calls(own: Dealings) -> Iterator[Attempt]:
    others = [f"{service}.*" for service in SERVICES if service != own.service]
    for key in ("#", "*", "*.*", "messages.post", *others):
        yield binding(own.service, CALLS, key)
    allowed = {*own.calls, *STILL_CALLED.get(own.service, ())}
    for name in methods().keys() - allowed:
        yield publishing(CALLS, name)


def other_events(own: Dealings) -> Iterator[Attempt]:
    heard = {event_type for event in own.hears for event_type in event.types}
    for source in SERVICES:
        exchange = f"{source}.events"
        yield binding(own.service, exchange, "#")
        yield binding(own.service, exchange, "clp.#")
        for event_type in events.EVENT_TYPES:
            if f".{source}." not in event_type:
                continue
            if event_type not in heard:
                yield binding(own.service, exchange, event_type)
            if event_type not in own.announces:
                yield publishing(exchange, event_type)


def other_queues(own: Dealings) -> Iterator[Attempt]:
    for other in KNOWN.values():
        for queue in queues_of(other):
            yield publishing("", queue)
            if other.service != own.service:
                told = {"queue": queue}
                yield Attempt(f"read {queue}", "basic_get", told)
                yield Attempt(f"delete {queue}", "queue_delete", told)
                yield Attempt(f"declare {queue}", "queue_declare", told)


class Spy:
    """Somebody who got hold of a user's password."""

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
        # Nobody answers an autoscaler.
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
            raise AssertionError(f"{attempt.words}: {other}") from other
        return False

    def attempt(self, attempt: Attempt) -> None:
        channel = self.connection.channel()
        try:
            if attempt.method == "publish":
                channel.basic_publish(
                    channel.prepare_message("spied", content_encoding="utf-8"),
                    **attempt.arguments,
                )
            else:
                getattr(channel, attempt.method)(**attempt.arguments)
        finally:
            if channel.is_open:
                channel.close()


@pytest.mark.broker
@pytest.mark.timeout(400)
@pytest.mark.parametrize("user", USERS)
def test_a_spy_with_a_users_password_gets_nowhere_else(up: UpSystem, user: str) -> None:
    attempts = list(forbidden(user))
    assert len(attempts) > 40
    with Spy(up.broker(user)) as spy:
        succeeded = [one.words for one in attempts if not spy.is_refused(one)]
    assert succeeded == []


@pytest.mark.broker
def test_an_autoscaler_sees_how_long_the_queue_of_delivery_is(up: UpSystem) -> None:
    queue = next(
        name for name in queues_of(KNOWN["notifications"]) if "_delivery." in name
    )
    with Spy(up.broker(SCALING)) as spy:
        told = spy.connection.channel().queue_declare(queue, passive=True)
    assert (told.queue, told.message_count) == (queue, 0)


@pytest.mark.broker
@pytest.mark.parametrize("user", [*OUTSIDERS, SCALING, "guest", "nobody"])
def test_nobody_gets_in_with_a_wrong_password(up: UpSystem, user: str) -> None:
    broker = BrokerAddress.read(up.broker("gateway"))
    address = re.sub(r"//.*@", f"//{user}:guess@", broker.url)
    connection = Connection(address, ssl=broker.tls)
    with pytest.raises(AccessRefused):
        connection.connect()


def test_people_and_the_robot_come_by_the_gateway_alone() -> None:
    public = sorted(
        name for name, method in methods().items() if method.kinds & AUTHORS
    )
    assert granted("gateway") == public


def test_every_method_has_somebody_who_may_call_it() -> None:
    by_services = {call for one in dealings() for call in one.calls}
    by_services.update(*STILL_CALLED.values())
    by_outsiders = {name for user in OUTSIDERS for name in granted(user)}
    assert by_services | by_outsiders == set(methods())


def test_no_outsider_reads_for_others() -> None:
    """What hands out texts without asking for whom is among services only."""
    inner = {
        "messages.contents",
        "messages.for_mail",
        "messages.for_mails",
        "messages.changes",
        "projects.facts",
    }
    assert not inner & {name for user in OUTSIDERS for name in granted(user)}


def test_every_service_is_found_to_call_what_it_calls() -> None:
    assert "messages.for_mails" in KNOWN["notifications"].calls
    assert "projects.facts" in KNOWN["search"].calls, "made by a helper"
    assert KNOWN["projects"].calls == ()
    assert {call for one in KNOWN.values() for call in one.calls} <= set(methods())


def test_the_files_of_the_deployment_are_as_the_code_draws_them(
    repository: Path,
) -> None:
    assert differing(repository / "deploy") == [], "run `make deploy-files`"


def test_no_password_is_in_the_drawn_definitions(repository: Path) -> None:
    known = json.loads((repository / "deploy/rabbitmq/definitions.json").read_text())
    assert {user["password_hash"] for user in known["users"]} == {""}
    assert not any(user["tags"] for user in known["users"])


def test_callers_that_are_handed_to_a_stranger_are_noticed(tmp_path: Path) -> None:
    source = tmp_path / "odd.py"
    source.write_text("odd(callers.projects)")
    with pytest.raises(TypeError, match=r"hands callers\.projects to somebody"):
        list(_calls_in(ast.parse(source.read_text()), source))
