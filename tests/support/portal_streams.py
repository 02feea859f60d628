"""Portal processes on servers, and clients that hold their event streams.

A client logs what came, when, and at which process. It resumes as a browser
does, with the id of the last event, at the next process when one is away.
"""

import fcntl
import json
import termios
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import eventlet
from typing_extensions import override

from clp_chassis.clock import now
from clp_chassis.persistence.database import Database
from clp_contracts.projects import PutPerson
from clp_portal.auth.sessions import SessionPolicy, Sessions
from clp_suite.process_suite import ProcessSuite
from clp_suite.sample_data import PORTAL as ROLE
from clp_suite.suite import Suite

PORTAL: Final = "portal"
# Nobody signs in here: sessions are rows.
ISSUER: Final = "https://id.example"
RECONNECT_S: Final = 1.0
READ_TIMEOUT_S: Final = 120.0
# A portal refuses more requests of one address at once.
_opening: Final = eventlet.Semaphore(16)


class PortalProcesses(ProcessSuite):
    """The suite as deployed, with some portal processes, each on a port of its own."""

    def __init__(self, data_dir: Path, *, portals: int, **options: Any) -> None:
        super().__init__(data_dir, copies={PORTAL: portals, "search": 1}, **options)

    @override
    def environ(self, name: str) -> dict[str, str]:
        kind = name.partition(".")[0]
        variables = super().environ(name) | {
            "CLP_CALLS_AT_ONCE": "100000",
            "CLP_CALLS_PER_SECOND": "100000",
        }
        if kind == PORTAL:
            variables["CLP_PORTAL_OIDC_ISSUER"] = ISSUER
        return variables

    def sign_in(self, people: Iterable[str]) -> dict[str, str]:
        """Begin a session for each person; return their ids."""
        return sign_in(self._plan.database_urls[PORTAL], people)

    def process(self, name: str) -> Any:
        """The running process of a name."""
        return self._running[name]


def sign_in(database_url: str, people: Iterable[str]) -> dict[str, str]:
    """Begin a session for each person in the database of a portal."""
    database = Database(database_url)
    try:
        sessions = Sessions(database, now, SessionPolicy())
        return {person: sessions.create(person) for person in people}
    finally:
        database.close()


def put_readers(suite: Suite, project: str, groups: dict[str, Sequence[str]]) -> None:
    """Make people that follow a project: of the studio (``""``) or of partners."""
    directory = suite.client(service="directory").projects
    directory.put_project(id=project, title=f"Project {project}")
    for partner, people in groups.items():
        if partner:
            directory.put_partner(id=partner, name=f"Partner {partner}")
            directory.assign_partner(project=project, partner=partner, languages=["fr"])
        directory.put_people(
            people=[
                PutPerson(
                    id=person,
                    name=f"Reader {person}",
                    email=f"{person}@example.com",
                    partner=partner or None,
                    internal=not partner,
                    roles=(ROLE,),
                )
                for person in people
            ]
        )
        for person in people:
            suite.client(person).projects.follow(project=project)


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it came; ``end`` counts the bytes of its connection up to its end."""

    name: str
    data: dict[str, Any]
    at: float
    port: int
    connection: int
    end: int


@dataclass(slots=True, kw_only=True, eq=False)
class StreamClient:
    """A browser's stream, as simple as can be."""

    ports: Sequence[int]
    session: str
    projects: Sequence[str]
    resumes: bool = True
    events: list[Event] = field(default_factory=list)
    last_id: str = ""
    port: int = 0
    is_open: bool = False
    is_ended: bool = False
    _socket: Any = None
    _buffer: bytes = b""
    _taken: int = 0
    _connection: int = 0

    def run(self) -> None:
        """Read, and reconnect as long as nobody ends it."""
        turn = 0
        while not self.is_ended:
            self.port = self.ports[turn % len(self.ports)]
            turn += 1
            with suppress(OSError, eventlet.Timeout):
                self._read()
            self.is_open = False
            if not self.resumes:
                return
            eventlet.sleep(RECONNECT_S)

    def _read(self) -> None:
        self._socket = sock = eventlet.connect(("127.0.0.1", self.port))
        self._taken, self._buffer = 0, b""
        self._connection += 1
        try:
            with _opening:
                sock.sendall(self._request())
                head = self._until(b"\r\n\r\n")
            if b" 200 " in head.partition(b"\r\n")[0]:
                self._take_events()
        finally:
            self._socket = None
            sock.close()

    def _request(self) -> bytes:
        query = urlencode([("project", one) for one in self.projects])
        lines = [
            f"GET /-/stream?{query} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Cookie: __Host-clp={self.session}",
        ]
        if self.last_id:
            lines.append(f"Last-Event-ID: {self.last_id}")
        return "\r\n".join([*lines, "", ""]).encode()

    def _take_events(self) -> None:
        """Read chunks: each is one event."""
        while not self.is_ended:
            size = int(self._until(b"\r\n"), 16)
            if not size:
                return
            self._keep(self._exactly(size).decode())
            self._exactly(2)

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._receive()
        return self._exactly(self._buffer.index(end) + len(end))

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        self._taken += size
        return found

    def _receive(self) -> None:
        with eventlet.Timeout(READ_TIMEOUT_S):
            received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("ended")
        self._buffer += received

    def arrived(self) -> tuple[int, int]:
        """The connection, and how many bytes of it have arrived by now."""
        waiting = 0
        if self._socket is not None:
            found = fcntl.ioctl(self._socket.fileno(), termios.FIONREAD, bytes(4))
            waiting = int.from_bytes(found, "little")
        return self._connection, self._taken + len(self._buffer) + waiting

    def _keep(self, chunk: str) -> None:
        self.is_open = True
        values = dict(
            line.split(": ", 1) for line in chunk.strip().split("\n") if ": " in line
        )
        self.last_id = values.get("id", self.last_id)
        if "event" in values:
            self.events.append(
                Event(
                    values["event"],
                    json.loads(values["data"]),
                    time.monotonic(),
                    self.port,
                    self._connection,
                    self._taken,
                )
            )

    @property
    def messages(self) -> Counter[tuple[str, int, int]]:
        """How often each state of each message came."""
        return Counter(
            (one.data["channel"], one.data["number"], one.data["revision"])
            for one in self.events
            if one.name == "message"
        )


@contextmanager
def listening(clients: Sequence[StreamClient]) -> Iterator[None]:
    """Let clients read until the block ends."""
    threads = [eventlet.spawn(client.run) for client in clients]
    try:
        yield
    finally:
        for client in clients:
            client.is_ended = True
        for thread in threads:
            thread.kill()
