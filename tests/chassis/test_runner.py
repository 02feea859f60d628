"""Processes: start with the broker, stop on a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import eventlet
import pytest
from kombu import Connection
from nameko.extensions import DependencyProvider

from clp_chassis.inprocess import reset
from clp_chassis.messaging import rpc
from clp_chassis.runner import ContainerGroup, _ShutdownSignal
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.errors import CallFailed
from clp_suite.server_access import BrokerAccess
from clp_suite.server_process import free_ports
from tests.chassis.children import Child, FailsSoon
from tests.chassis.services_under_test import Gate, rpc_service
from tests.support.waiting import until

START = 60.0
# Far below the minute that an unmended framework takes, far above a busy machine.
SOON = 20.0
SecondsOf = Callable[[Callable[[], object]], float]


def child(tmp_path: Path, kind: str, url: str, name: str) -> Child:
    command = [sys.executable, "-m", "tests.chassis.children", kind, url, name]
    return Child(command, tmp_path / "child.log")


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as reply:
        return str(reply.read().decode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_only_serves_http_ends_quickly(
    tmp_path: Path, number: signal.Signals
) -> None:
    with child(tmp_path, "web_only", "-", str(free_ports(1)[0])) as process:
        until(lambda: process.has_logged("running: web"), START)
        process.send(number)
        assert process.seconds_until_end() < SOON
        assert process.exit_code == 0


def test_a_signal_ends_a_wait_at_once() -> None:
    handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    shutdown = _ShutdownSignal()
    shutdown.install()
    try:
        eventlet.spawn(os.kill, os.getpid(), signal.SIGTERM)
        with eventlet.Timeout(SOON):
            shutdown.wait(10 * SOON)
        assert shutdown.received
    finally:
        signal.set_wakeup_fd(-1)
        for one, handler in handlers.items():
            signal.signal(one, handler)


def test_a_running_http_request_is_finished_before_the_stop(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    with child(tmp_path, "web_only", "-", str(port)) as process:
        until(lambda: process.has_logged("running: web"), START)
        calling = eventlet.spawn(get, port, "/slow")
        until(lambda: process.has_logged("slow request running"))
        process.send(signal.SIGTERM)
        assert calling.wait() == "done"
        assert process.seconds_until_end() < SOON
        assert process.exit_code == 0


def test_a_process_waits_for_its_broker_and_can_be_stopped_meanwhile(
    tmp_path: Path, unique: str
) -> None:
    nowhere = f"amqp://guest:secret@127.0.0.1:{free_ports(1)[0]}//"
    with child(tmp_path, "calls", nowhere, unique) as process:
        until(
            lambda: process.has_logged(
                "waiting for the broker amqp://guest@127.0.0.1:"
            ),
            START,
        )
        assert "connection refused, nothing listens there" in process.log
        assert "secret" not in process.log
        process.send(signal.SIGTERM)
        assert process.seconds_until_end() < SOON
        assert process.exit_code == 0


def test_a_service_that_dies_takes_its_process_with_it(
    tmp_path: Path, unique: str
) -> None:
    with child(tmp_path, "failing", f"inprocess://{unique}/", unique) as process:
        process.seconds_until_end()
        assert process.exit_code == 1
        assert "died of itself" in process.log


def test_a_process_that_hangs_is_killed_after_its_grace(
    tmp_path: Path, unique: str
) -> None:
    with child(tmp_path, "hanging", f"inprocess://{unique}/", unique) as process:
        until(lambda: process.has_logged(f"running: {unique}"), START)
        process.send(signal.SIGTERM)
        assert 1 <= process.seconds_until_end() < SOON
        assert process.exit_code == -signal.SIGKILL


@pytest.mark.broker
def test_a_running_call_is_finished_before_the_stop(
    tmp_path: Path, rabbit: BrokerAccess, unique: str
) -> None:
    connections = RpcConnectionPool(rabbit.url, 10)
    with child(tmp_path, "calls", rabbit.url, unique) as process:
        until(lambda: process.has_logged(f"running: {unique}"), START)
        calling = eventlet.spawn(connections.call, unique, "slow", {"seconds": 1})
        until(lambda: process.has_logged("slow call running"))
        process.send(signal.SIGTERM)
        assert calling.wait() == "done"
        assert process.seconds_until_end() < SOON
        assert process.exit_code == 0
    with Connection(rabbit.url) as connection:
        queue = connection.default_channel.queue_declare(f"rpc-{unique}", passive=True)
        assert queue.message_count == 0
    connections.close()


@pytest.mark.broker
def test_work_that_takes_longer_than_the_grace_period_is_killed(
    tmp_path: Path, rabbit: BrokerAccess, unique: str
) -> None:
    connections = RpcConnectionPool(rabbit.url, 60)
    with child(tmp_path, "calls", rabbit.url, unique) as process:
        until(lambda: process.has_logged(f"running: {unique}"), START)
        calling = eventlet.spawn(connections.call, unique, "slow", {"seconds": 60})
        until(lambda: process.has_logged("slow call running"))
        process.send(signal.SIGTERM)
        assert process.seconds_until_end() < SOON
    calling.kill()
    connections.close()


# ---- groups


def group_of(unique: str, *services: type) -> ContainerGroup:
    settings = {"AMQP_URI": f"inprocess://{unique}/"}
    return ContainerGroup((service, settings) for service in services)


def test_the_services_of_a_group_call_each_other(unique: str) -> None:
    connections = RpcConnectionPool(f"inprocess://{unique}/", 5)

    class Calling:
        name = "calling"

        @rpc
        def add_one(self) -> Any:
            return connections.call("adder", "add", {"left": 1, "right": 2})

    group = group_of(unique, Calling, rpc_service("adder"))
    group.start()
    assert connections.call("calling", "add_one", {}) == 3
    group.stop()
    connections.close()
    reset(unique)


def test_when_one_service_cannot_start_all_are_killed(unique: str) -> None:
    class Cannot(DependencyProvider):  # type: ignore[misc]
        def setup(self) -> None:
            raise OSError("no such thing")

    class Broken:
        name = "broken"
        cannot = Cannot()

        @rpc
        def greet(self) -> None: ...

    group = group_of(unique, Broken, rpc_service("healthy"))
    with pytest.raises(OSError, match="no such thing"):
        group.start()
    connections = RpcConnectionPool(f"inprocess://{unique}/", 0.2)
    with pytest.raises(CallFailed):
        connections.call("healthy", "add", {"left": 1, "right": 2})
    connections.close()
    reset(unique)


def test_a_group_knows_when_one_of_its_services_died(unique: str) -> None:
    class Failing:
        name = "failing"
        extra = FailsSoon()

        @rpc
        def greet(self) -> None: ...

    group = group_of(unique, Failing)
    group.start()
    died: list[BaseException] = []

    def has_died() -> bool:
        try:
            group.raise_if_dead()
        except RuntimeError as error:
            died.append(error)
        return bool(died)

    until(has_died)
    assert "died of itself" in str(died[0])
    group.stop()
    reset(unique)


def test_stopping_finishes_running_work_and_killing_does_not(unique: str) -> None:
    for end, response in (("stop", "kept"), ("kill", "lost")):
        gate = Gate()
        connections = RpcConnectionPool(f"inprocess://{unique}/", 1)
        group = group_of(unique, rpc_service("holding", gate))
        group.start()
        calling = eventlet.spawn(_or_lost, connections)
        gate.reached.wait()
        ending = eventlet.spawn(getattr(group, end))
        eventlet.spawn_after(0.05, gate.open)
        assert calling.wait() == response
        ending.wait()
        connections.close()
        reset(unique)


def _or_lost(connections: RpcConnectionPool) -> Any:
    try:
        return connections.call("holding", "wait_at_gate", {"value": "kept"})
    except CallFailed:
        return "lost"


def test_a_group_does_not_wait_for_ever_and_names_what_it_kills(
    unique: str, seconds_of: SecondsOf, caplog: pytest.LogCaptureFixture
) -> None:
    connections = RpcConnectionPool(f"inprocess://{unique}/", 1)
    gate = Gate()
    group = group_of(unique, rpc_service("holding", gate))
    group.start()
    calling = eventlet.spawn(_or_lost, connections)
    gate.reached.wait()
    assert seconds_of(lambda: group.stop(timeout_s=0.2)) < SOON
    assert "killing holding (wait_at_gate" in caplog.text
    calling.kill()
    connections.close()
    reset(unique)


# ---- patching


def test_patching_twice_and_late_changes_nothing_that_works() -> None:
    program = (
        "import threading, logging, queue; lock = threading.RLock()\n"
        "import clp_chassis.concurrency.monkey_patch, importlib; importlib.reload(clp_chassis.concurrency.monkey_patch)\n"
        "import os, eventlet\n"
        "assert eventlet.patcher.is_monkey_patched('socket')\n"
        "assert os.environ['PSYCOPG_WAIT_FUNC'] == 'wait_selector'\n"
        "import time; ran = []\n"
        "thread = threading.Thread(target=lambda: ran.append(lock.acquire())); thread.start()\n"
        "thread.join(2); assert ran == [True], ran\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_this_very_process_is_patched() -> None:
    assert eventlet.patcher.is_monkey_patched("thread")
