"""F18: event streams while processes and the broker end; a log of each client.

Nothing is missing and nothing comes twice, whatever ends meanwhile.
"""

import itertools
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import eventlet
import pytest

from clp_contracts.errors import CallFailed
from clp_suite.server_access import Broker, BrokerAccess, DatabaseAccess
from clp_suite.server_process import can_connect, server_directory
from clp_suite.servers import PrivateRabbit
from tests.faults.fault_run import until
from tests.support.portal_streams import (
    Event,
    PortalProcesses,
    StreamClient,
    listening,
    put_readers,
)
from tests.support.servers import require

pytestmark = pytest.mark.faults

WAIT_S = 180.0
WITHDRAWALS = 20
WRITER = "writer"
NORTH = tuple(f"north{number}" for number in range(20))
SOUTH = tuple(f"south{number}" for number in range(20))
_projects = itertools.count(1)


@dataclass
class Bed:
    """Two portals, and a project with two partners."""

    suite: PortalProcesses
    sessions: dict[str, str]
    project: str
    posted: Counter[tuple[str, int, int]] = field(default_factory=Counter)

    @property
    def broadcast(self) -> str:
        return f"{self.project}/broadcast"

    def post(self, text: str, *, key: str = "") -> int:
        """Post as the studio."""
        message = self.suite.client(WRITER).messages.post(
            channel=self.broadcast, text=text, key=key or f"{self.project} {text}"
        )
        self.posted[self.broadcast, message.number, 1] += 1
        return message.number

    def clients(
        self, people: Sequence[str], count: int, projects: Sequence[str] = ()
    ) -> list[StreamClient]:
        """Streams of some people, spread over both processes."""
        ports = self.suite.portal_ports
        return [
            StreamClient(
                ports=[ports[number % 2], ports[1 - number % 2]],
                session=self.sessions[people[number % len(people)]],
                projects=projects or [self.project],
            )
            for number in range(count)
        ]


@contextmanager
def portals(
    folder: Path, rabbit: Broker, postgres: DatabaseAccess
) -> Iterator[tuple[PortalProcesses, dict[str, str]]]:
    """Two processes, and the sessions of their readers."""
    with PortalProcesses(folder, portals=2, rabbit=rabbit, postgres=postgres) as suite:
        people = (WRITER, *NORTH, *SOUTH)
        put_readers(
            suite, "p0", {"": [WRITER], "north": list(NORTH), "south": list(SOUTH)}
        )
        yield suite, suite.sign_in(people)


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory,
    new_broker: Callable[[], BrokerAccess],
    postgres: DatabaseAccess,
) -> Iterator[tuple[PortalProcesses, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("streams")
    with portals(folder, new_broker(), postgres) as made:
        yield made


@pytest.fixture
def bed(shared: tuple[PortalProcesses, dict[str, str]]) -> Bed:
    """A project of its own for each test."""
    suite, sessions = shared
    return Bed(suite, sessions, new_project(suite))


def new_project(suite: PortalProcesses) -> str:
    """A project of both partners."""
    project = f"p{next(_projects)}"
    directory = suite.client(service="directory").projects
    directory.put_project(id=project, title="A project")
    for partner in ("north", "south"):
        directory.assign_partner(project=project, partner=partner, languages=["fr"])
    return project


def all_open(clients: Sequence[StreamClient]) -> Callable[[], bool]:
    return lambda: all(client.is_open for client in clients)


def all_have(clients: Sequence[StreamClient], bed: Bed) -> Callable[[], bool]:
    """Whether each client has everything that was posted."""
    return lambda: all(not bed.posted - client.messages for client in clients)


def check_once(clients: Sequence[StreamClient], bed: Bed) -> None:
    """Each state of each message came to each client, and came once."""
    for client in clients:
        assert client.messages == bed.posted


@pytest.mark.slow
def test_a_portal_with_a_hundred_streams_ends_soon(bed: Bed) -> None:
    """Within two seconds, or twice what it takes without streams on a busy machine."""
    clients = bed.clients(NORTH, 100)
    for client in clients:
        client.ports = bed.suite.portal_ports[:1]
    with listening(clients):
        until(all_open(clients), WAIT_S, "open streams")
        for client in clients:
            client.resumes = False
        without = _seconds_to_end(bed, "portal.1")
        took = _seconds_to_end(bed, "portal.0")
    print(f"seconds from SIGTERM: {took:.2f} with 100 streams, {without:.2f} without")
    bed.post("while nobody listens")
    for client in clients:
        client.ports, client.is_ended, client.resumes = (
            bed.suite.portal_ports,
            False,
            True,
        )
    bed.suite.restart("portal.1")
    with listening(clients):
        until(all_have(clients, bed), WAIT_S, "the message at the other process")
    check_once(clients, bed)
    bed.suite.restart("portal.0")
    assert took < 2 * max(1.0, without)


def _seconds_to_end(bed: Bed, name: str) -> float:
    process = bed.suite.process(name)
    # A test before this one may have restarted it, and a start has no handler yet.
    port = bed.suite.portal_ports[int(name.partition(".")[2])]
    until(lambda: can_connect(port), WAIT_S, f"the start of {name}")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    until(lambda: process.poll() is not None, WAIT_S, f"the end of {name}")
    assert process.returncode == 0
    return time.monotonic() - began


@pytest.mark.parametrize("count", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_a_killed_portal_costs_its_streams_nothing(bed: Bed, count: int) -> None:
    clients = bed.clients((*NORTH, *SOUTH), count)
    with listening(clients):
        until(all_open(clients), WAIT_S, "open streams")
        for number in range(40):
            bed.post(f"message {number}")
            if number == 10:
                until(all_have(clients, bed), WAIT_S, "frames of both processes")
            if number == 15:
                bed.suite.kill("portal.1")
            if number == 30:
                bed.suite.restart("portal.1")
        until(all_have(clients, bed), WAIT_S, "every message at every client")
        check_once(clients, bed)
        assert {one.port for c in clients for one in c.events} == set(
            bed.suite.portal_ports
        )


@pytest.mark.slow
def test_a_restart_of_the_broker_costs_streams_nothing(
    tmp_path: Path, postgres: DatabaseAccess
) -> None:
    require(PrivateRabbit)
    with (
        server_directory() as directory,
        PrivateRabbit(directory / "rabbit") as rabbit,
        portals(tmp_path, rabbit, postgres) as (suite, sessions),
    ):
        bed = Bed(suite, sessions, new_project(suite))
        check_restart(bed, rabbit)


def check_restart(bed: Bed, rabbit: PrivateRabbit) -> None:
    clients = bed.clients(NORTH, 20)
    with listening(clients):
        until(all_open(clients), WAIT_S, "open streams")
        for number in range(5):
            bed.post(f"before {number}")
        rabbit.restart()
        until(lambda: _posts(bed, "the first after it"), WAIT_S, "an accepted post")
        for number in range(5):
            bed.post(f"after {number}")
        until(all_have(clients, bed), WAIT_S, "every message at every client")
        check_once(clients, bed)


def _posts(bed: Bed, text: str) -> bool:
    try:
        bed.post(text)
    except CallFailed:
        return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_frame_comes_after_a_confirmed_withdrawal(bed: Bed) -> None:
    """From twenty projects, one after another, each while the studio writes in it."""
    projects = [new_project(bed.suite) for _ in range(WITHDRAWALS)]
    north = bed.clients(NORTH, 20, projects)
    south = bed.clients(SOUTH, 180, projects)
    with listening([*north, *south]):
        until(all_open([*north, *south]), WAIT_S, "open streams")
        for project in projects:
            bed.project = project
            writing = Writing(bed, south)
            # Some South have read, others are about to.
            until(partial(writing.has_reached, 50), WAIT_S, "messages for South")
            withdraw(bed)
            arrived = [one.arrived() for one in south]
            writing.end()
            hidden = bed.post("after the withdrawal")
            until(partial(all_read, north, project, hidden), WAIT_S, "it for North")
            until(partial(all_told, south, project), WAIT_S, "the end for South")
            for client, by_then in zip(south, arrived, strict=True):
                assert not _late(client, project, by_then)


def withdraw(bed: Bed) -> None:
    directory = bed.suite.client(service="directory").projects
    directory.withdraw_partner(project=bed.project, partner="south")


class Writing:
    """The studio's messages in a project, each as soon as one stream has the last."""

    def __init__(self, bed: Bed, readers: Sequence[StreamClient]) -> None:
        self._bed, self._readers = bed, readers
        self._is_over = False
        self._thread = eventlet.spawn(self._run)

    def has_reached(self, count: int) -> bool:
        """Whether so many frames of the project came to the readers."""
        return (
            sum(len(numbers(one, self._bed.project)) for one in self._readers) > count
        )

    def end(self) -> None:
        self._is_over = True
        self._thread.wait()

    def _run(self) -> None:
        while not self._is_over:
            number = self._bed.post(f"on and on {time.monotonic()}")
            until(partial(self._is_read, number), WAIT_S, f"message {number}")

    def _is_read(self, number: int) -> bool:
        project = self._bed.project
        return self._is_over or any(
            number in numbers(r, project) for r in self._readers
        )


def numbers(client: StreamClient, project: str) -> set[int]:
    """The numbers of the broadcasts that came."""
    return {
        one.data["number"]
        for one in client.events
        if one.name == "message" and one.data["channel"] == f"{project}/broadcast"
    }


def all_read(clients: Sequence[StreamClient], project: str, number: int) -> bool:
    return all(number in numbers(one, project) for one in clients)


def all_told(clients: Sequence[StreamClient], project: str) -> bool:
    """Whether each stream said that the project is gone."""
    gone = {"project": project}
    return all(
        any((one.name, one.data) == ("gone", gone) for one in client.events)
        for client in clients
    )


def _late(client: StreamClient, project: str, by_then: tuple[int, int]) -> list[Event]:
    """Messages of a project that arrived after its end was confirmed."""
    return [
        event
        for event in client.events
        if event.name == "message"
        and event.data["channel"] == f"{project}/broadcast"
        and (event.connection, event.end) > by_then
    ]
