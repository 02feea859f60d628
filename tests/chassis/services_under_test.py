"""Small services for the tests of the broker edge."""

from __future__ import annotations

from typing import Any

import eventlet
from eventlet.event import Event

from clp_chassis.messaging import Drop, on_events, on_events_everywhere, rpc


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


def answering(name: str, gate: Gate | None = None) -> type:
    """A service with a few methods, under a name of its own."""

    class Answering:
        worker_context = None

        @rpc
        def add(self, *, left: int, right: int) -> int:
            return left + right

        @rpc
        def fail(self) -> None:
            raise ValueError("no such luck")

        @rpc
        def hold(self, *, value: str) -> str:
            if gate is not None:
                gate.pass_through()
            return value

        @rpc
        def doze(self, *, seconds: float) -> float:
            eventlet.sleep(seconds)
            return seconds

    Answering.name = name  # type: ignore[attr-defined]
    return Answering


def hearing(name: str, source: str, heard: list[Any], **options: Any) -> type:
    """A service that hears "happened" and fails as often as the event says."""

    class Hearing:
        @on_events(source, "happened", "changed", **options)
        def on_happened(self, body: Any) -> None:
            heard.append(body)
            if body == "drop":
                raise Drop("never")
            if isinstance(body, dict) and heard.count(body) <= body["fails"]:
                raise ValueError(f"failure {heard.count(body)}")

    Hearing.name = name  # type: ignore[attr-defined]
    return Hearing


def hearing_everywhere(name: str, source: str, heard: list[Any]) -> type:
    """A service each process of which hears "happened"."""

    class Everywhere:
        @on_events_everywhere(source, "happened")
        def on_happened(self, body: Any) -> None:
            heard.append(body)
            if body == "fail":
                raise ValueError("not heard")

    Everywhere.name = name  # type: ignore[attr-defined]
    return Everywhere
