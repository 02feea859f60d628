"""Private servers: start, keep or lose their data, leave nothing running."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import ProgrammingError

from clp_suite.server_process import (
    MIN_PORT,
    _processes,
    create_directory_for,
    free_ports,
)
from clp_suite.servers import (
    Availability,
    PrivatePostgres,
    PrivateRabbit,
    ServerError,
    server_directory,
)
from tests.chassis.raw_amqp import Wire
from tests.support.servers import require


@pytest.fixture
def directory() -> Iterator[Path]:
    with server_directory() as made:
        yield made


def test_no_port_is_given_twice() -> None:
    """Not even one whose server does not listen yet."""
    ports = [port for _ in range(200) for port in free_ports(5)]
    assert len(set(ports)) == len(ports)


def test_no_port_is_given_to_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    command = "import clp_suite.server_process as s; print(*s.free_ports(1)); input()"
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        given = int(other.stdout.readline())
        drawn = iter((given, given, given + 1, given + 2, given + 3))
        monkeypatch.setattr(
            "clp_suite.server_process.secrets.randbelow",
            lambda _: next(drawn) - MIN_PORT,
        )
        assert free_ports(1) != [given]
        other.stdin.write("\n")


def test_a_missing_server_is_named() -> None:
    assert Availability()
    missing = Availability(("erl", "rabbitmq-server"))
    assert not missing
    assert str(missing) == "missing: erl, rabbitmq-server"


def test_a_missing_server_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ServerError, match="PrivateRabbit: missing: erl, epmd"):
        PrivateRabbit(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as others")
def test_a_directory_closed_to_the_server_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ServerError, match="nobody cannot reach"):
        create_directory_for(closed / "data", "nobody")


def running_below(directory: Path) -> list[str]:
    """Processes whose command line or working directory is below a directory."""
    found = []
    for process in _processes():
        try:
            words = (process / "cmdline").read_bytes().decode()
            place = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(directory) in words or place.startswith(str(directory)):
            found.append(words)
    return found


# A start costs five seconds of processor: outages and faults kill a broker every time.
@pytest.mark.broker
@pytest.mark.parametrize(
    "end", ["wipe", pytest.param("kill_hard", marks=pytest.mark.slow)]
)
def test_rabbit_keeps_or_loses_its_data_and_leaves_nothing_running(
    directory: Path, end: str
) -> None:
    require(PrivateRabbit)
    with PrivateRabbit(directory / "rabbit") as own:
        with pytest.raises(ServerError, match="already running"):
            own.start()
        with Wire(own.url) as wire:
            wire.queue("jobs")
            wire.publish("hello", "jobs", delivery_mode=2)
        if end == "wipe":
            own.wipe()
        else:
            # The harder way to stop; the softer one is in the tests of outages.
            own.kill_hard()
            assert not own.is_running
            own.start()
        with Wire(own.url) as wire:
            wire.queue("jobs")
            assert wire.size("jobs") == (end == "kill_hard")
        assert running_below(directory)
    assert running_below(directory) == []


@pytest.mark.broker
def test_postgres_keeps_or_loses_its_data_and_leaves_nothing_running(
    directory: Path,
) -> None:
    require(PrivatePostgres)
    with PrivatePostgres(directory / "postgres") as own:
        engine = sqlalchemy.create_engine(own.create_database("jobs"))
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("create table t (x int)"))
        for again in (own.restart, own.kill_hard):
            again()
            if not own.is_running:
                own.start()
            engine.dispose()
            with engine.begin() as connection:
                connection.execute(sqlalchemy.text("insert into t values (1)"))
        engine.dispose()
        with pytest.raises(Exception, match="already exists"):
            own.create_database("jobs")
        own.drop_database("jobs")
        other = sqlalchemy.create_engine(own.create_database("jobs"))
        with pytest.raises(ProgrammingError), other.begin() as connection:
            connection.execute(sqlalchemy.text("select * from t"))
        other.dispose()
        own.wipe()
        assert own.create_database("jobs").endswith("/jobs")
        assert running_below(directory)
    assert running_below(directory) == []


@pytest.mark.broker
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"no.such.setting": "1"}, id="early"),
        pytest.param({}, id="late, its port is taken", marks=pytest.mark.slow),
    ],
)
def test_a_server_that_cannot_start_reports_why_and_leaves_nothing(
    directory: Path, settings: dict[str, str]
) -> None:
    require(PrivateRabbit)
    broken = PrivateRabbit(directory / "rabbit", settings=settings)
    with (
        socket.create_server(("127.0.0.1", broken.port)),
        pytest.raises(ServerError, match="RabbitMQ ended"),
        broken,
    ):
        pass
    assert running_below(directory) == []
