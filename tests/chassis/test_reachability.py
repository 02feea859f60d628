"""Why a server cannot be reached is told in words, with the place, now and then."""

import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from amqp.exceptions import AccessRefused, NotAllowed
from sqlalchemy.exc import OperationalError

from clp_chassis import reachability
from clp_chassis.reachability import (
    WaitLog,
    place_of,
    reason_of,
    require_broker,
    require_connection,
    require_database,
    require_folder,
    require_free_port,
)
from clp_suite.server_access import BrokerAccess, DatabaseAccess
from clp_suite.server_process import free_ports

NOWHERE = "nowhere.invalid"


def from_driver(text: str) -> OperationalError:
    return OperationalError("select 1", {}, Exception(text))


# fmt: off
REASONS = [
    (ConnectionRefusedError(111, "Connection refused"),      "connection refused, nothing listens there"),
    (socket.gaierror(-2, "Name or service not known"),       "unknown host"),
    (TimeoutError("timed out"),                              "no response in time"),
    (ssl.SSLCertVerificationError(1, "verify failed"),       "its certificate is not trusted"),
    (AccessRefused("Login was refused using PLAIN"),         "wrong user or password"),
    (NotAllowed("vhost / not found"),                        "no such virtual host, or not for this user"),
    (from_driver('password authentication failed for "x"'),  "wrong user or password"),
    (from_driver('database "x" does not exist'),             "no such database"),
    (from_driver("the database system is starting up"),      "it is still starting"),
    (from_driver("unable to open database file"),            "the file cannot be opened"),
]
# fmt: on


@pytest.mark.parametrize(("error", "words"), REASONS)
def test_an_error_of_a_driver_is_told_in_words(error: Exception, words: str) -> None:
    assert reason_of(error) == words


def test_the_cause_of_an_error_counts() -> None:
    def connect() -> None:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as error:
            raise RuntimeError("it did not work") from error

    with pytest.raises(RuntimeError) as failed:
        connect()
    assert reason_of(failed.value) == "connection refused, nothing listens there"


def test_a_place_shows_no_password() -> None:
    url = "amqps://messages:hidden@rabbitmq:5671/clp?ca=/etc/ca.pem"
    assert place_of(url) == "amqps://messages@rabbitmq:5671/clp"
    assert place_of("files") == "files"
    assert place_of("http://[") == "the given address"


def test_a_wait_is_told_once_and_then_every_ten_seconds(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([100.0, 100.0, 100.3, 109.9, 110.0, 110.0, 110.1])
    monkeypatch.setattr(reachability.time, "monotonic", lambda: next(times))
    log = logging.getLogger("test.wait")
    caplog.set_level(logging.INFO, "test.wait")
    wait = WaitLog(log, "database", "postgresql+psycopg://x:hidden@db:5432/x")
    for _ in range(5):
        wait.failed(from_driver("password authentication failed"))
    wait.succeeded()
    line = (
        "waiting for the database postgresql+psycopg://x@db:5432/x:"
        " wrong user or password"
    )
    assert caplog.messages == [
        line,
        line,
        "the database postgresql+psycopg://x@db:5432/x is available",
    ]


def test_a_server_that_was_never_waited_for_is_not_mentioned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "test.wait")
    WaitLog(logging.getLogger("test.wait"), "broker", "amqp://b").succeeded()
    assert not caplog.messages


def reason_for(check: Callable[[], object]) -> str:
    with pytest.raises(Exception) as failed:  # noqa: PT011 - any kind of error
        check()
    return reason_of(failed.value)


def test_a_port_without_a_server_is_refused() -> None:
    (port,) = free_ports(1)
    checks = [
        lambda: require_broker(f"amqp://guest:guest@127.0.0.1:{port}//"),
        lambda: require_database(f"postgresql+psycopg://x:p@127.0.0.1:{port}/x"),
        lambda: require_connection(f"http://127.0.0.1:{port}"),
    ]
    for check in checks:
        assert reason_for(check) == "connection refused, nothing listens there"


def test_a_host_that_does_not_exist_is_unknown() -> None:
    checks = [
        lambda: require_broker(f"amqp://guest:guest@{NOWHERE}//"),
        lambda: require_database(f"postgresql+psycopg://x:p@{NOWHERE}/x"),
        lambda: require_connection(f"https://{NOWHERE}"),
    ]
    for check in checks:
        assert reason_for(check) == "unknown host"


@pytest.mark.broker
def test_a_wrong_password_is_one(
    rabbit: BrokerAccess, postgres: DatabaseAccess
) -> None:
    broker = rabbit.url.replace("@", "-wrong@")
    assert reason_for(lambda: require_broker(broker)) == "wrong user or password"
    database = postgres.create_database("reachable")
    require_database(database)
    wrong = database.replace(postgres.password, "wrong")
    assert reason_for(lambda: require_database(wrong)) == "wrong user or password"
    missing = database.replace("reachable", "missing")
    assert reason_for(lambda: require_database(missing)) == "no such database"
    postgres.drop_database("reachable")


def test_a_check_creates_neither_file_nor_folder(tmp_path: Path) -> None:
    require_database(f"sqlite:///{tmp_path}/rows.db")
    require_folder(tmp_path / "index")
    assert not list(tmp_path.iterdir())


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError, match="is no folder"):
        require_folder(file / "index")


def test_a_port_is_free_or_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            require_free_port("127.0.0.1", port)
    require_free_port("127.0.0.1", port)
