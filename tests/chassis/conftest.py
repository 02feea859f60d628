"""The brokers and databases these tests run on: embedded ones, and private servers."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from clp_chassis.clock import new_id
from clp_chassis.inprocess import reset
from clp_chassis.persistence.database import Database
from clp_chassis.runner import ContainerGroup
from clp_suite.server_access import BrokerAccess
from tests.support.databases import BOTH, database_without_tables


@pytest.fixture(
    params=["inprocess", pytest.param("rabbitmq", marks=pytest.mark.broker)]
)
def broker_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A broker of each kind; every guarantee is tested on both."""
    if request.param == "rabbitmq":
        server: BrokerAccess = request.getfixturevalue("rabbit")
        yield server.url
        return
    name = new_id()
    yield f"inprocess://{name}/"
    reset(name)


@pytest.fixture(params=BOTH)
def empty_database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Database]:
    """A database of each kind, without tables."""
    database = Database(database_without_tables(request, tmp_path))
    yield database
    database.close()


@pytest.fixture
def unique() -> str:
    """A name no other test uses: tests on RabbitMQ share one broker."""
    return f"t{new_id()[:12]}"


Serve = Callable[..., ContainerGroup]


@pytest.fixture
def serve(broker_url: str) -> Iterator[Serve]:
    """Start services on the broker; they are stopped after the test."""
    with ExitStack() as cleanup:

        def start(*services: type, **config: Any) -> ContainerGroup:
            settings = {"AMQP_URI": broker_url, **config}
            group = ContainerGroup((service, settings) for service in services)
            group.start()
            cleanup.callback(group.stop)
            return group

        yield start


@pytest.fixture
def seconds_of() -> Callable[[Callable[[], object]], float]:
    """How long something takes."""

    def measure(act: Callable[[], object]) -> float:
        began = time.monotonic()
        act()
        return time.monotonic() - began

    return measure
