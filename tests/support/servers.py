"""One RabbitMQ and one PostgreSQL for all tests of a run, whatever process needs them.

`make test` starts both before the test processes and names them in an environment
variable (`tests.support.run`). A single test started by hand starts what it needs.
"""

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from clp_suite.server_access import BrokerAccess, DatabaseAccess
from clp_suite.servers import PrivatePostgres, PrivateRabbit, server_directory
from tests.support.forks import worker_number

VARIABLE: Final = "TESTS_SERVERS"
# A virtual host for every suite that a test process may start.
VHOSTS_PER_WORKER: Final = 8


def vhosts_of(worker: int) -> tuple[str, ...]:
    """The virtual hosts reserved for a test process."""
    return tuple(f"test-{worker}-{number}" for number in range(VHOSTS_PER_WORKER))


@dataclass
class SharedServers:
    """The servers of a run, as one test process uses them."""

    urls: Mapping[str, str]
    database: DatabaseAccess
    _free: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._free = iter(vhosts_of(worker_number()))

    def broker(self) -> BrokerAccess:
        """An unused virtual host."""
        return BrokerAccess(self.urls[next(self._free)])


@contextmanager
def running_servers(workers: int) -> Iterator[str]:
    """Start both servers for a number of test processes.

    Yields:
        The value of the variable that names them.
    """
    vhosts = [name for worker in range(workers) for name in vhosts_of(worker)]
    with (
        server_directory() as directory,
        PrivateRabbit(directory / "rabbit", vhosts=vhosts) as rabbit,
        PrivatePostgres(directory / "postgres", durable=False) as postgres,
    ):
        access = postgres.access
        yield json.dumps(
            {
                "urls": {name: rabbit.url_of(name) for name in vhosts},
                "port": access.port,
                "password": access.password,
            }
        )


def shared_servers(content: Mapping[str, Any]) -> SharedServers:
    """The servers named by the variable, with names of databases for this process."""
    access = DatabaseAccess(
        int(content["port"]), content["password"], prefix=f"w{worker_number()}_"
    )
    return SharedServers(content["urls"], access)


def require(server: type[PrivateRabbit] | type[PrivatePostgres]) -> None:
    """Skip, or fail in CI, when a server's programs are missing."""
    if availability := server.available():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{server.__name__}: {availability}; run `make servers`")
    pytest.skip(f"NOT RUN: {server.__name__}: {availability}; run `make servers`")


@pytest.fixture(scope="session")
def servers() -> SharedServers | None:
    """The shared servers of this run, or None for a test started by hand."""
    value = os.environ.get(VARIABLE)
    return shared_servers(json.loads(value)) if value else None


@pytest.fixture(scope="session")
def postgres(servers: SharedServers | None) -> Iterator[DatabaseAccess]:
    """One PostgreSQL for all tests; each creates databases of its own."""
    if servers is not None:
        yield servers.database
        return
    require(PrivatePostgres)
    with (
        server_directory() as directory,
        PrivatePostgres(directory / "postgres", durable=False) as server,
    ):
        yield server.access


@pytest.fixture(scope="session")
def rabbit(servers: SharedServers | None) -> Iterator[BrokerAccess]:
    """One RabbitMQ for all tests that need no more than a running broker."""
    if servers is not None:
        yield servers.broker()
        return
    require(PrivateRabbit)
    with server_directory() as directory, PrivateRabbit(directory / "rabbit") as server:
        yield BrokerAccess(server.url)


@pytest.fixture(scope="session")
def new_broker(servers: SharedServers | None) -> Iterator[Any]:
    """Return a function that gives a broker without queues, for a suite of its own."""
    if servers is not None:
        yield servers.broker
        return
    require(PrivateRabbit)
    vhosts = vhosts_of(0)
    names = itertools.chain(vhosts)
    with (
        server_directory() as directory,
        PrivateRabbit(directory / "rabbit", vhosts=vhosts) as server,
    ):
        yield lambda: BrokerAccess(server.url_of(next(names)))
