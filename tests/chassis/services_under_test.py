"""Small services for the tests of messaging."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import eventlet
from eventlet.event import Event
from kombu import Queue
from nameko.standalone.rpc import SingleThreadedReplyListener

from clp_chassis.clock import new_id
from clp_chassis.messaging import Reject, on_broadcast_events, on_events, rpc
from clp_contracts.exchanges import REPLIES, shared_exchange


class PlainListener(SingleThreadedReplyListener):  # type: ignore[misc]
    """Listens for replies as Nameko's own proxies do, on the exchange of replies."""

    def setup(self) -> None:
        self.routing_key = str(UUID(new_id()))
        self.queue = Queue(
            f"rpc.reply-{self.routing_key}",
            exchange=shared_exchange(REPLIES),
            routing_key=self.routing_key,
            queue_arguments={"x-expires": 300_000},
        )
        self.queue_consumer.register_provider(self)


class Gate:
    """Lets a test hold a handler and see that it got there."""

    def __init__(self) -> None:
        self.reached = Event()
        self.opened = Event()

    def pass_through(self) -> None:
        if not self.reached.ready():
            self.reached.send()
        self.opened.wait()

    def open(self) -> None:
        if not self.opened.ready():
            self.opened.send()


def rpc_service(name: str, gate: Gate | None = None) -> type:
    """A service with a few methods, under a name of its own."""

    class RpcService:
        worker_context = None

        @rpc
        def add(self, *, left: int, right: int) -> int:
            return left + right

        @rpc
        def fail(self) -> None:
            raise ValueError("no such luck")

        @rpc
        def wait_at_gate(self, *, value: str) -> str:
            if gate is not None:
                gate.pass_through()
            return value

        @rpc
        def doze(self, *, seconds: float) -> float:
            eventlet.sleep(seconds)
            return seconds

    RpcService.name = name  # type: ignore[attr-defined]
    return RpcService


def consumer(name: str, source: str, handled: list[Any], **options: Any) -> type:
    """A service that consumes "happened" and fails as often as the event says."""

    class Consumer:
        @on_events(source, "happened", "changed", **options)
        def on_happened(self, body: Any) -> None:
            handled.append(body)
            if body == "drop":
                raise Reject("never")
            if isinstance(body, dict) and handled.count(body) <= body["fails"]:
                raise ValueError(f"failure {handled.count(body)}")

    Consumer.name = name  # type: ignore[attr-defined]
    return Consumer


def broadcast_consumer(name: str, source: str, handled: list[Any]) -> type:
    """A service whose every process consumes "happened"."""

    class Everywhere:
        @on_broadcast_events(source, "happened")
        def on_happened(self, body: Any) -> None:
            handled.append(body)
            if body == "fail":
                raise ValueError("not handled")

    Everywhere.name = name  # type: ignore[attr-defined]
    return Everywhere
