"""Live updates on servers: ``make bench-streams``; memory, lateness, and neighbours.

Two portal processes on RabbitMQ and PostgreSQL. The clients are greenthreads of this
process, so what they cost is in the figures: lateness is the time from calling `post`
to the event read by a client. Targets: 1,000 idle streams take less than 60 MB; of 500
streams at four posts a second p95 under 500 ms, each message once on each; beside a
noisy neighbour the median lateness of a quiet one differs by less than a tick.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from clp_suite import EmbeddedSuite  # isort: skip - first: it patches the process

import eventlet

from clp_portal.live.consumer import TICK_S
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.support.command_line import command_parser
from tests.support.portal_streams import (
    PortalProcesses,
    StreamClient,
    listening,
    put_readers,
)

assert EmbeddedSuite
PROJECT: Final = "p1"
BROADCAST: Final = f"{PROJECT}/broadcast"
NORTH: Final = f"{PROJECT}/direct/north"
SOUTH: Final = f"{PROJECT}/direct/south"
WRITER: Final = "writer"
WAIT_S: Final = 240.0
PARTS: Final = ("memory", "lateness", "neighbours")


class Bench:
    """A world of readers, and the measurements on it."""

    def __init__(self, suite: PortalProcesses, readers: int) -> None:
        self._suite = suite
        self._north = [f"n{number}" for number in range(readers)]
        self._south = ["s0"]
        groups = {"": [WRITER], "north": self._north, "south": self._south}
        put_readers(suite, PROJECT, groups)
        self._sessions = suite.sign_in(self._north)

    def clients(self, count: int) -> list[StreamClient]:
        """Streams of North, spread over both processes."""
        ports = self._suite.portal_ports
        return [
            StreamClient(
                ports=[ports[number % 2], ports[1 - number % 2]],
                session=self._sessions[self._north[number % len(self._north)]],
                projects=[PROJECT],
            )
            for number in range(count)
        ]

    def lateness(self, streams: int, posts: int, pace_s: float) -> None:
        """Post to a broadcast at a pace; print when each client has each message."""
        clients = self.clients(streams)
        with listening(clients):
            _until(lambda: all(client.is_open for client in clients))
            called = self._post_at_a_pace(BROADCAST, posts, pace_s)
            _until(partial(_have_all, clients, called))
        late = sorted(_lateness(clients, called))
        _require_once(clients, called)
        _print(
            f"{streams} streams, {1 / pace_s:g} posts/s: {_quantiles(late)}; each of "
            f"{posts} messages came once to each ({len(late)} frames)"
        )

    def neighbours(self, streams: int, rounds: int, posts: int) -> None:
        """Lateness for North while South is silent and while it writes, in turn."""
        clients = self.clients(streams)
        medians: dict[bool, list[float]] = {False: [], True: []}
        with listening(clients):
            _until(lambda: all(client.is_open for client in clients))
            for number in range(2 * rounds):
                is_noisy = bool(number % 2)
                noise = eventlet.spawn(self._write_noise) if is_noisy else None
                called = self._post_at_a_pace(NORTH, posts, 0.25)
                _until(partial(_have_all, clients, called))
                if noise is not None:
                    noise.kill()
                medians[is_noisy].append(statistics.median(_lateness(clients, called)))
        pairs = zip(medians[False], medians[True], strict=True)
        apart = [noisy - silent for silent, noisy in pairs]
        _print(
            f"beside a silent and a noisy neighbour: {_ms(medians[False])} and "
            f"{_ms(medians[True])} ms, median of the paired differences {_ms(apart)} "
            f"ms of {[round(1000 * one) for one in apart]}; a tick is "
            f"{1000 * TICK_S:.0f} ms"
        )

    def memory(self, streams: int) -> None:
        """Memory of the portal processes with some streams, then with many.

        The first ones load what the others share; this part runs before the others.
        """
        few, many = self.clients(2), self.clients(streams)
        with listening(few):
            _until(lambda: all(client.is_open for client in few))
            before = self._memory_mb()
            with listening(many):
                _until(lambda: all(client.is_open for client in many))
                after = self._memory_mb()
        _print(
            f"{streams} idle streams: {before:.0f} MB without, {after:.0f} MB with "
            f"them, {after - before:.0f} MB more"
        )

    def _write_noise(self) -> None:
        client = self._suite.client("s0").messages
        number = 0
        while True:
            number += 1
            client.post(channel=SOUTH, text="noise", key=f"{time.time_ns()} {number}")
            eventlet.sleep(0.1)

    def _post_at_a_pace(
        self, channel: str, posts: int, pace_s: float
    ) -> dict[int, float]:
        called: dict[int, float] = {}

        def post(key: str) -> None:
            at = time.monotonic()
            client = self._suite.client(WRITER).messages
            called[client.post(channel=channel, text="Hello", key=key).number] = at

        threads = []
        for _ in range(posts):
            threads.append(eventlet.spawn(post, str(time.time_ns())))
            eventlet.sleep(pace_s)
        for thread in threads:
            thread.wait()
        return called

    def _memory_mb(self) -> float:
        pids = [self._suite.process(f"portal.{number}").pid for number in range(2)]
        return sum(map(_resident_mb, pids))


def _require_once(clients: Sequence[StreamClient], called: dict[int, float]) -> None:
    for client in clients:
        counts = client.messages.values()
        if len(counts) != len(called) or set(counts) != {1}:
            raise SystemExit(f"{len(counts)} of {len(called)} messages: {set(counts)}")


def _numbers(client: StreamClient) -> set[int]:
    return {one.data["number"] for one in client.events if one.name == "message"}


def _lateness(clients: Sequence[StreamClient], called: dict[int, float]) -> list[float]:
    return [
        event.at - called[event.data["number"]]
        for client in clients
        for event in client.events
        if event.name == "message" and event.data["number"] in called
    ]


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("VmRSS")) / 1024


def _quantiles(late: Sequence[float]) -> str:
    cuts = statistics.quantiles(late, n=100)
    return f"p50 {1000 * cuts[49]:.0f} ms, p95 {1000 * cuts[94]:.0f} ms"


def _ms(values: Sequence[float]) -> int:
    return round(1000 * statistics.median(values))


def _have_all(clients: Sequence[StreamClient], called: dict[int, float]) -> bool:
    return all(not set(called) - _numbers(one) for one in clients)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("not in time; the machine is too busy")
        eventlet.sleep(0.2)


def _print(line: str) -> None:
    load = Path("/proc/loadavg").read_text().split()[0]
    sys.stdout.write(f"{line} (load {load})\n")
    sys.stdout.flush()


def main() -> None:
    """Run what was chosen."""
    parser = command_parser()
    parser.add_argument("--only", choices=PARTS, help="one part instead of all")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--posts", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with (
        server_directory() as directory,
        PrivateRabbit(directory / "rabbit") as rabbit,
        PrivatePostgres(directory / "postgres") as postgres,
        tempfile.TemporaryDirectory() as folder,
        PortalProcesses(
            Path(folder), portals=2, rabbit=rabbit, postgres=postgres
        ) as suite,
    ):
        bench = Bench(suite, max(options.streams, options.idle // 10))
        parts = {
            "memory": lambda: bench.memory(options.idle),
            "lateness": lambda: bench.lateness(options.streams, options.posts, 0.25),
            "neighbours": lambda: bench.neighbours(20, options.rounds, 20),
        }
        for part in [options.only] if options.only else PARTS:
            parts[part]()


if __name__ == "__main__":
    main()
