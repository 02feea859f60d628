"""Services that run as child processes, and their control by tests."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import eventlet
from nameko.extensions import DependencyProvider
from nameko.web.handlers import http

from clp_chassis.messaging import on_events, rpc
from clp_chassis.runner import run

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]


class Child:
    """A child process with a log; killed when a test leaves it behind."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def has_logged(self, words: str) -> bool:
        """Whether its log holds these words."""
        assert self.is_running or words in self.log, self.log
        return words in self.log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def seconds_until_end(self, patience: float = 30.0) -> float:
        """Wait for its end; return how long that took."""
        began = time.monotonic()
        self._process.wait(patience)
        return time.monotonic() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_running:
            self._process.kill()
            self._process.wait()


class FailsSoon(DependencyProvider):  # type: ignore[misc]
    """Something a service depends on that breaks a moment after the start."""

    def start(self) -> None:
        self.container.spawn_managed_thread(self._die)

    @staticmethod
    def _die() -> None:
        eventlet.sleep(0.1)
        raise RuntimeError("died of itself")


class HangsAtStop(DependencyProvider):  # type: ignore[misc]
    """Something that never ends and never waits."""

    def stop(self) -> None:
        while True:
            pass


def web_only(_broker_url: str, name: str) -> None:
    """A process with nothing but an HTTP entrypoint."""

    class Web:
        @http("GET", "/")
        def hello(self, _request: Any) -> str:
            return "hello"

        @http("GET", "/slow")
        def slow(self, _request: Any) -> str:
            log.info("slow request running")
            eventlet.sleep(1)
            return "done"

    port = name
    Web.name = "web"  # type: ignore[attr-defined]
    run([Web], {"WEB_SERVER_ADDRESS": f"127.0.0.1:{port}"})


def calls(broker_url: str, name: str) -> None:
    """A process that serves calls, some of them slowly."""

    class RpcClient:
        @rpc
        def slow(self, *, seconds: float) -> str:
            log.info("slow call running")
            eventlet.sleep(seconds)
            return "done"

    RpcClient.name = name  # type: ignore[attr-defined]
    run([RpcClient], {"AMQP_URI": broker_url}, grace_s=4)


def dying(broker_url: str, name: str) -> None:
    """A process that an event kills."""

    class Dying:
        @on_events(name, "happened")
        def on_happened(self, _body: Any) -> None:
            os._exit(9)

    Dying.name = name  # type: ignore[attr-defined]
    run([Dying], {"AMQP_URI": broker_url})


def hanging(broker_url: str, name: str) -> None:
    """A process that blocks the hub when it is told to stop."""

    class Hanging:
        hangs = HangsAtStop()

        @rpc
        def greet(self) -> None: ...

    Hanging.name = name  # type: ignore[attr-defined]
    run([Hanging], {"AMQP_URI": broker_url}, grace_s=1)


def failing(broker_url: str, name: str) -> None:
    """A process whose service ends by itself soon after the start."""

    class Failing:
        extra = FailsSoon()

        @rpc
        def greet(self) -> None: ...

    Failing.name = name  # type: ignore[attr-defined]
    run([Failing], {"AMQP_URI": broker_url})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    kind, url, unique = sys.argv[1:]
    kinds = (web_only, calls, dying, failing, hanging)
    {known.__name__: known for known in kinds}[kind](url, unique)
