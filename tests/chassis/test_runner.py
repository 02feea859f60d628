"""Processes that start when the broker is there and end when they are asked to."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import eventlet
import pytest
from nameko.extensions import DependencyProvider
from sqlalchemy.exc import OperationalError

from clp_chassis.inprocess import forget
from clp_chassis.messaging import rpc
from clp_chassis.runner import ContainerGroup, once_it_answers
from clp_contracts.connection_pool import Lines
from clp_contracts.errors import CallFailed
from clp_suite.server_process import free_ports
from clp_suite.servers import PrivateRabbit
from tests.chassis.children import Child, DiesSoon
from tests.chassis.services_under_test import Gate, answering
from tests.waiting import until

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
        until(lambda: process.says("running: web"), START)
        process.send(number)
        assert process.seconds_until_end() < SOON
        assert process.exit_code == 0


def test_an_http_request_in_hand_is_answered_before_the_end(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    with child(tmp_path, "web_only", "-", str(port)) as process:
        until(lambda: process.says("running: web"), START)
        asking = eventlet.spawn(get, port, "/slow")
        until(lambda: process.says("slow request in hand"))
        process.send(signal.SIGTERM)
        assert asking.wait() == "done"
        assert process.seconds_until_end() < SOON
        assert process.exit_code == 0


def test_a_process_waits_for_its_broker_and_can_be_ended_meanwhile(
    tmp_path: Path, unique: str
) -> None:
    nowhere = f"amqp://guest:secret@127.0.0.1:{free_ports(1)[0]}//"
    with child(tmp_path, "calls", nowhere, unique) as process:
        until(lambda: process.says("waiting for broker"), START)
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
        until(lambda: process.says(f"running: {unique}"), START)
        process.send(signal.SIGTERM)
        assert 1 <= process.seconds_until_end() < SOON
        assert process.exit_code == -signal.SIGKILL


@pytest.mark.broker
def test_a_call_in_hand_is_answered_before_the_end(
    tmp_path: Path, rabbit: PrivateRabbit, unique: str
) -> None:
    lines = Lines(rabbit.url, 10)
    with child(tmp_path, "calls", rabbit.url, unique) as process:
        until(lambda: process.says(f"running: {unique}"), START)
        asking = eventlet.spawn(lines.call, (unique, "slow"), {"seconds": 1}, {})
        until(lambda: process.says("slow call in hand"))
        process.send(signal.SIGTERM)
        assert asking.wait() == "done"
        assert process.seconds_until_end() < SOON
        assert process.exit_code == 0
    lines.close()


@pytest.mark.broker
def test_work_that_takes_longer_than_the_grace_is_given_up(
    tmp_path: Path, rabbit: PrivateRabbit, unique: str
) -> None:
    lines = Lines(rabbit.url, 60)
    with child(tmp_path, "calls", rabbit.url, unique) as process:
        until(lambda: process.says(f"running: {unique}"), START)
        asking = eventlet.spawn(lines.call, (unique, "slow"), {"seconds": 60}, {})
        until(lambda: process.says("slow call in hand"))
        process.send(signal.SIGTERM)
        assert process.seconds_until_end() < SOON
    asking.kill()
    lines.close()


# ---- groups


def group_of(unique: str, *services: type) -> ContainerGroup:
    settings = {"AMQP_URI": f"inprocess://{unique}/"}
    return ContainerGroup((service, settings) for service in services)


def test_the_services_of_a_group_call_each_other(unique: str) -> None:
    lines = Lines(f"inprocess://{unique}/", 5)

    class Asking:
        name = "asking"

        @rpc
        def ask(self) -> Any:
            return lines.call(("knowing", "add"), {"left": 1, "right": 2}, {})

    group = group_of(unique, Asking, answering("knowing"))
    group.start()
    assert lines.call(("asking", "ask"), {}, {}) == 3
    group.stop()
    lines.close()
    forget(unique)


def test_when_one_service_cannot_start_none_stays(unique: str) -> None:
    class Cannot(DependencyProvider):  # type: ignore[misc]
        def setup(self) -> None:
            raise OSError("no such thing")

    class Broken:
        name = "broken"
        cannot = Cannot()

        @rpc
        def greet(self) -> None: ...

    group = group_of(unique, Broken, answering("healthy"))
    with pytest.raises(OSError, match="no such thing"):
        group.start()
    lines = Lines(f"inprocess://{unique}/", 0.2)
    with pytest.raises(CallFailed):
        lines.call(("healthy", "add"), {"left": 1, "right": 2}, {})
    lines.close()
    forget(unique)


def test_a_group_knows_when_one_of_its_services_died(unique: str) -> None:
    class Failing:
        name = "failing"
        extra = DiesSoon()

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
    forget(unique)


def test_stopping_finishes_the_work_in_hand_and_killing_does_not(unique: str) -> None:
    for end, answer in (("stop", "kept"), ("kill", "lost")):
        gate = Gate()
        lines = Lines(f"inprocess://{unique}/", 1)
        group = group_of(unique, answering("holding", gate))
        group.start()
        asking = eventlet.spawn(_or_lost, lines)
        gate.reached.wait()
        ending = eventlet.spawn(getattr(group, end))
        eventlet.spawn_after(0.05, gate.open)
        assert asking.wait() == answer
        ending.wait()
        lines.close()
        forget(unique)


def _or_lost(lines: Lines) -> Any:
    try:
        return lines.call(("holding", "hold"), {"value": "kept"}, {})
    except CallFailed:
        return "lost"


def test_a_group_does_not_wait_for_ever(unique: str, seconds_of: SecondsOf) -> None:
    lines = Lines(f"inprocess://{unique}/", 1)
    gate = Gate()
    group = group_of(unique, answering("holding", gate))
    group.start()
    asking = eventlet.spawn(_or_lost, lines)
    gate.reached.wait()
    assert seconds_of(lambda: group.stop(seconds=0.2)) < SOON
    asking.kill()
    lines.close()
    forget(unique)


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


def test_a_process_waits_for_a_database_that_comes_back() -> None:
    answers: Iterator[OperationalError | None] = iter(
        [OperationalError("select 1", {}, OSError()), None]
    )
    asked: list[object] = []

    def migrate() -> None:
        answer = next(answers)
        asked.append(answer)
        if answer is not None:
            raise answer

    once_it_answers(migrate, 60)
    assert len(asked) == 2


def test_a_database_that_stays_away_ends_the_start() -> None:
    def migrate() -> None:
        raise OperationalError("select 1", {}, OSError())

    with pytest.raises(OperationalError):
        once_it_answers(migrate, 0)
