"""RPC over both brokers: what callers get, and that no caller can harm a service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import eventlet
import pytest
from kombu.exceptions import OperationalError
from nameko.exceptions import RemoteError, RpcTimeout, UnknownService
from nameko.standalone.rpc import ClusterRpcProxy

from clp_chassis.messaging import ReplyPublisher, Rpc, rpc
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.errors import CallFailed
from tests.chassis.conftest import Serve
from tests.chassis.raw_amqp import Wire
from tests.chassis.services_under_test import Gate, PlainListener, rpc_service
from tests.support.waiting import until

EXCHANGE = "nameko-rpc"


@pytest.fixture
def proxy(broker_url: str) -> Iterator[Any]:
    with ClusterRpcProxy(
        {"AMQP_URI": broker_url}, timeout=5, reply_listener_cls=PlainListener
    ) as opened:
        yield opened


def test_a_call_gets_its_response(serve: Serve, proxy: Any, unique: str) -> None:
    serve(rpc_service(unique))
    assert proxy[unique].add(left=1, right=2) == 3


def test_an_error_reaches_the_caller_and_the_service_lives_on(
    serve: Serve, proxy: Any, unique: str
) -> None:
    serve(rpc_service(unique))
    with pytest.raises(RemoteError, match="no such luck"):
        proxy[unique].fail()
    assert proxy[unique].add(left=1, right=2) == 3


def test_the_passport_of_one_call_travels_with_it(
    serve: Serve, proxy: Any, unique: str
) -> None:
    tokens: list[str] = []

    class Listening(Rpc):  # type: ignore[misc]
        def unpack_message_headers(self, message: Any) -> dict[str, Any]:
            tokens.append(message.headers["nameko.auth_token"])
            return super().unpack_message_headers(message)

    class Service:
        name = unique

        @Listening.decorator
        def greet(self) -> None: ...

    serve(Service)
    for token in ("ivy's", "nat's"):
        proxy._worker_ctx.data["auth_token"] = token
        proxy[unique].greet()
    assert tokens == ["ivy's", "nat's"]


def test_a_service_that_never_was_is_unknown_at_once(
    serve: Serve, proxy: Any, unique: str
) -> None:
    serve(rpc_service(f"{unique}-other"))
    with eventlet.Timeout(2), pytest.raises(UnknownService):
        proxy[unique].add(left=1, right=2)


def test_a_call_that_takes_too_long_times_out(
    serve: Serve, broker_url: str, unique: str
) -> None:
    gate = Gate()
    serve(rpc_service(unique, gate))
    hasty = ClusterRpcProxy(
        {"AMQP_URI": broker_url}, timeout=0.1, reply_listener_cls=PlainListener
    )
    with hasty as caller, pytest.raises(RpcTimeout):
        caller[unique].wait_at_gate(value="late")
    gate.open()
    connections = RpcConnectionPool(broker_url, 5)
    assert connections.call(unique, "wait_at_gate", {"value": "fresh"}) == "fresh"
    connections.close()


def test_a_stopped_service_makes_callers_time_out_and_runs_nothing_later(
    serve: Serve, broker_url: str, unique: str
) -> None:
    gate = Gate()
    gate.open()
    serve(rpc_service(unique, gate)).stop()
    connections = RpcConnectionPool(broker_url, 1.0)
    with pytest.raises(CallFailed, match="no response"):
        connections.call(unique, "wait_at_gate", {"value": "dead"})
    connections.close()
    with Wire(broker_url) as wire:
        until(lambda: wire.size(f"rpc-{unique}") == 0)
    serve(rpc_service(unique, gate))
    assert not gate.reached.ready()


def test_calls_do_not_touch_the_disk(
    serve: Serve, broker_url: str, unique: str
) -> None:
    serve(rpc_service(unique)).stop()
    connections = RpcConnectionPool(broker_url, 5)
    calling = eventlet.spawn(connections.call, unique, "add", {})
    with Wire(broker_url) as wire:
        until(lambda: wire.size(f"rpc-{unique}") == 1)
        message = wire.get(f"rpc-{unique}")
        assert message.properties["delivery_mode"] == 1
        assert 0 < int(message.properties["expiration"]) <= 5000
        message.ack()
    calling.kill()
    connections.close()


def test_greenthreads_call_at_the_same_time(
    serve: Serve, broker_url: str, unique: str
) -> None:
    serve(rpc_service(unique), max_workers=10)
    connections = RpcConnectionPool(broker_url, 5)
    pool = eventlet.GreenPool(10)

    def doze(number: int) -> int:
        connections.call(unique, "doze", {"seconds": 0.05})
        sum_ = connections.call(unique, "add", {"left": number, "right": 1})
        return int(sum_)

    with eventlet.Timeout(3):
        assert list(pool.imap(doze, range(30))) == list(range(1, 31))
    connections.close()


MALFORMED: dict[str, dict[str, Any]] = {
    "no reply_to": {"reply_to": None},
    "no content type": {"content_type": None},
    "unknown content type": {"content_type": "application/x-riddle"},
    "raw bytes": {"content_type": "application/data"},
    "pickle": {"content_type": "application/x-python-serialize"},
    "broken JSON": {"body": b"{"},
    "wrong encoding": {"body": b'"\xff\xfe"'},
    "unheard-of encoding": {"content_encoding": "utf-99"},
    "not an object": {"body": b"[1, 2]"},
    "a number": {"body": b"7"},
    "no arguments": {"body": b"{}"},
    "arguments of a wrong kind": {"body": b'{"args": 7, "kwargs": [1]}'},
    "unknown method": {"routing_key": "no_such_method"},
    "call chain is a number": {"headers": {"nameko.call_id_stack": 7}},
    "call chain of numbers": {"headers": {"nameko.call_id_stack": [1, 2]}},
    "call chain is text": {"headers": {"nameko.call_id_stack": "abc"}},
    "compressed by nobody": {"headers": {"compression": "application/x-riddle"}},
}


@pytest.mark.parametrize("broken", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_call_kills_nothing_and_does_not_stay(
    serve: Serve, proxy: Any, broker_url: str, unique: str, broken: dict[str, Any]
) -> None:
    group = serve(rpc_service(unique))
    stated: dict[str, Any] = {
        "body": b'{"args": [], "kwargs": {"left": 1, "right": 2}}',
        "routing_key": "add",
        "reply_to": "00000000-0000-4000-8000-000000000000",
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "correlation_id": "c1",
        "headers": {},
        **broken,
    }
    with Wire(broker_url) as wire:
        body = stated.pop("body")
        key = f"{unique}.{stated.pop('routing_key')}"
        wire.publish_raw(body, key, EXCHANGE, **stated)
        assert proxy[unique].add(left=1, right=2) == 3
        until(lambda: wire.size(f"rpc-{unique}") == 0)
        group.raise_if_dead()
        group.stop()
        assert wire.size(f"rpc-{unique}") == 0, "the malformed request is still queued"


def test_a_reply_that_cannot_be_sent_leaves_only_its_caller_waiting(
    serve: Serve, broker_url: str, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = serve(rpc_service(unique))
    fails = [OperationalError("the broker went away"), ConnectionResetError()]
    publish = ReplyPublisher.publish

    def failing(self: ReplyPublisher, request: Any, body: bytes) -> None:
        # Suites of other tests reply in this process as well.
        if fails and request.delivery_info["routing_key"] == f"{unique}.add":
            raise fails.pop()
        publish(self, request, body)

    monkeypatch.setattr(ReplyPublisher, "publish", failing)
    for _ in range(2):
        hasty = ClusterRpcProxy(
            {"AMQP_URI": broker_url}, timeout=0.2, reply_listener_cls=PlainListener
        )
        with hasty as caller, pytest.raises(RpcTimeout):
            caller[unique].add(left=1, right=2)
    group.raise_if_dead()
    with ClusterRpcProxy(
        {"AMQP_URI": broker_url}, timeout=5, reply_listener_cls=PlainListener
    ) as patient:
        assert patient[unique].add(left=1, right=2) == 3


def test_an_acknowledgement_that_cannot_be_sent_kills_nothing(
    serve: Serve, broker_url: str, proxy: Any, unique: str
) -> None:
    class Unsettled(Rpc):  # type: ignore[misc]
        def handle_message(self, body: Any, message: Any) -> None:
            message.ack = lambda: _raise(BrokenPipeError())
            super().handle_message(body, message)

    class Service:
        name = unique

        @Unsettled.decorator
        def greet(self) -> str:
            return "hello"

        @rpc
        def add(self, *, left: int, right: int) -> int:
            return left + right

    group = serve(Service)
    assert proxy[unique].greet() == "hello"
    assert proxy[unique].add(left=1, right=2) == 3
    group.raise_if_dead()


def _raise(error: Exception) -> None:
    raise error


def test_unconfirmed_replies_do_not_spoil_the_confirms_of_requests(
    serve: Serve, broker_url: str, unique: str
) -> None:
    """With shared options, a third of these would vanish without a word."""
    serve(rpc_service(unique))
    connections = RpcConnectionPool(broker_url, 5)
    stopped = False

    def chatter() -> None:
        while not stopped:
            connections.call(unique, "add", {"left": 1, "right": 2})

    def refused(number: int) -> bool:
        try:
            connections.call(f"{unique}-nobody-{number}", "add", {})
        except CallFailed as failure:
            return "no such service" in str(failure)
        return False

    chatting = [eventlet.spawn(chatter) for _ in range(3)]
    responses = list(eventlet.GreenPool(3).imap(refused, range(30)))
    stopped = True
    for greenthread in chatting:
        greenthread.wait()
    connections.close()
    assert all(responses)
    assert not ReplyPublisher.transport_options["confirm_publish"]
