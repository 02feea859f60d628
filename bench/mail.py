"""Measure mail throughput: ``python -m bench.mail``, or ``make bench-mail``.

Everything is real: RabbitMQ, PostgreSQL, the services as processes, SMTP over loopback
to a counting relay in a process of its own. The sending process has the first core for
itself; all others share the second one. Contenders alternate; figures are medians.
Figures "per core" divide by the processor time of the sender.

Targets: personal mails at least 2.5 times Django with one open connection, per core; a
broadcast to 10,000 followers sent by one worker in 5 s; 1,000 mails a second to a relay that
replies after 5 ms; two workers 1.7 times one; of four workers none has more than 1.5
times the mails of another (F3). django-post_office is there to compare.
"""

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.table import Table

from bench import mail_rows
from bench.mail_environment import (
    TIMEOUT_S,
    Figure,
    MailBenchEnvironment,
    Sink,
    cpu_of,
    median,
    say,
)
from bench.mail_texts import TEXT
from clp_suite import process_suite
from clp_suite.process_suite import ProcessSuite
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.support.command_line import command_parser

# Where `make bench-mail` installs the peers: no package of theirs is in our environment.
PEERS_PYTHON: Final = Path("build/peers/bin/python")
SENDER_CORE, OTHER_CORE = {0}, {1}
PARTS: Final = ("peers", "two", "slow", "broadcast", "four")
# What ours is to be, as a multiple of the peer's mails per core; None: no target.
PEERS: Final = {"django": 2.5, "post_office": None}


@dataclass(frozen=True)
class Size:
    """The sizes of the measurement."""

    mails: int
    by_peers: int
    followers: int
    rounds: int


class Ratios:
    """Collects results, each with its target, as a table."""

    def __init__(self) -> None:
        self._table = Table("what", "found", "target", title="Mails")

    def add(self, what: str, found: str, target: str) -> None:
        """Print one line, and keep it for the table."""
        self._table.add_row(what, found, target)
        say(f"{what}: {found} (target {target})")

    def show(self) -> None:
        """Print the table."""
        Console(width=100).print(self._table)


def personal(
    environment: MailBenchEnvironment, sink: Sink, tag: str, count: int
) -> Figure:
    """Send mails that each have their own message, due at the same moment."""
    with environment.worker(sink, SENDER_CORE) as process:
        before, used = sink.counted()[0], cpu_of(process)
        mail_rows.put_personal_mails(environment.urls, tag, count)
        began = sink.wait_for(before + 1)
        ended = sink.wait_for(before + count)
        figure = Figure(count, ended - began, cpu_of(process) - used)
    say(f"  clp {figure}")
    return figure


def broadcast(
    environment: MailBenchEnvironment, sink: Sink, followers: int
) -> tuple[float, Figure]:
    """Measure one message to all followers: seconds until routed, and sending.

    Its mails are due when the worker starts, so the relay's clock begins with the first
    of them, and the processor time includes the start of the process.
    """
    ivy = environment.suite.client(mail_rows.AUTHOR)
    began = time.monotonic()
    ivy.messages.post(channel=f"{mail_rows.PROJECT}/broadcast", text=TEXT, key="k")
    operations = environment.suite.client(service="operations")
    while operations.notifications.progress().due < followers:
        if time.monotonic() > began + TIMEOUT_S:
            raise TimeoutError("the broadcast is not routed")
        time.sleep(0.05)
    routed = time.monotonic() - began
    with environment.worker(sink, SENDER_CORE, rests=False) as process:
        first = sink.wait_for(1)
        used = cpu_of(process)
        last = sink.wait_for(followers)
        return routed, Figure(followers, last - first, cpu_of(process) - used)


def two_workers(
    environment: MailBenchEnvironment, sink: Sink, tag: str, count: int
) -> float:
    """Return the seconds that two workers need, one on each core."""
    with environment.worker(sink, SENDER_CORE), environment.worker(sink, OTHER_CORE):
        before = sink.counted()[0]
        mail_rows.put_personal_mails(environment.urls, tag, count)
        began = sink.wait_for(before + 1)
        return sink.wait_for(before + count) - began


def shares(
    environment: MailBenchEnvironment, tag: str, count: int, workers: int = 4
) -> list[int]:
    """Return how many mails each of several workers sent, to its own relay."""
    sinks = [Sink(environment.folder) for _ in range(workers)]
    with ExitStack() as running:
        for number, sink in enumerate(sinks):
            core = (SENDER_CORE, OTHER_CORE)[number % 2]
            running.enter_context(environment.worker(sink, core))
        mail_rows.put_personal_mails(environment.urls, tag, count)
        deadline = time.monotonic() + TIMEOUT_S
        while sum(sink.counted()[0] for sink in sinks) < count:
            if time.monotonic() > deadline:
                raise TimeoutError("not all mails were sent")
            time.sleep(0.05)
        taken = [sink.counted()[0] for sink in sinks]
    for sink in sinks:
        sink.end()
    return taken


def by_peer(who: str, url: str, sink: Sink, count: int) -> Figure:
    """Send the same with a peer, on the sender's core."""
    peer = subprocess.Popen(
        [PEERS_PYTHON, "-W", "ignore", "-m", "bench.mail_peers",
         who, url, str(sink.port), str(count)],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    os.sched_setaffinity(peer.pid, SENDER_CORE)
    output, _ = peer.communicate(timeout=TIMEOUT_S)
    figure = Figure(**json.loads(output.splitlines()[-1]))
    say(f"  {who} {figure}")
    return figure


class Bench:
    """The parts of the measurement, in one environment."""

    def __init__(
        self, environment: MailBenchEnvironment, postgres: PrivatePostgres, size: Size
    ) -> None:
        self._stage, self._postgres, self._size = environment, postgres, size
        self._tags: Iterator[str] = iter(f"p{n}" for n in range(1, 50))
        self.ratios = Ratios()

    def measure(self, what: set[str]) -> None:
        """Measure the selected parts."""
        sink = Sink(self._stage.folder)
        if what & {"personal", "peers"}:
            self._against_peers(sink, with_peers="peers" in what)
        if "two" in what:
            self._against_one_worker(sink)
        taken, known = sink.counted()
        say(f"the relay took {taken} mails, {taken - known} of them twice")
        sink.end()
        if "slow" in what:
            self._slowly()
        if "broadcast" in what:
            self._to_followers()
        if "four" in what:
            self._in_shares()

    def _ours(self, sink: Sink, count: int = 0) -> Figure:
        tag = next(self._tags)
        return personal(self._stage, sink, tag, count or self._size.mails)

    def _against_peers(self, sink: Sink, *, with_peers: bool) -> None:
        """Compare personal mails of our sender and of the peers, alternating."""
        url = self._postgres.create_database("peers") if with_peers else ""
        figures: dict[str, list[Figure]] = {}
        for number in range(self._size.rounds):
            say(f"personal mails, round {number + 1} of {self._size.rounds}")
            figures.setdefault("clp", []).append(self._ours(sink))
            for who in PEERS if with_peers else ():
                run = by_peer(who, url, sink, self._size.by_peers)
                figures.setdefault(who, []).append(run)
        found = {who: median(runs) for who, runs in figures.items()}
        for who, figure in found.items():
            self.ratios.add(f"personal mails, {who}", f"{figure}", "-")
        for who, target in PEERS.items():
            if who in found:
                work = found["clp"].per_core / found[who].per_core
                speed = found["clp"].rate / found[who].rate
                self.ratios.add(
                    f"personal mails beside {who}",
                    f"{work:.1f} x per core, {speed:.1f} x by the clock",
                    f"{target:.1f} x per core" if target else "-",
                )

    def _against_one_worker(self, sink: Sink) -> None:
        """Compare two workers, one on each core, with one alone, alternating."""
        ones: list[float] = []
        twos: list[float] = []
        for number in range(self._size.rounds):
            say(f"two workers, round {number + 1} of {self._size.rounds}")
            ones.append(self._ours(sink).wall)
            tag = next(self._tags)
            twos.append(two_workers(self._stage, sink, tag, self._size.mails))
            say(f"  two workers {self._size.mails / twos[-1]:8,.0f} /s")
        ratio = statistics.median(ones) / statistics.median(twos)
        self.ratios.add(
            "two workers beside one", f"{ratio:.2f} x", "1.7 x where cores allow"
        )

    def _slowly(self) -> None:
        say("a relay that answers after 5 ms")
        sink = Sink(self._stage.folder, delay_ms=5)
        runs = [
            self._ours(sink, 2 * self._size.mails) for _ in range(self._size.rounds)
        ]
        self.ratios.add("relay that answers after 5 ms", f"{median(runs)}", "1,000 /s")
        sink.end()

    def _to_followers(self) -> None:
        """Route and send one broadcast to many followers."""
        followers = self._size.followers
        say(f"a broadcast to {followers:,}")
        sink = Sink(self._stage.folder)
        routed, figure = broadcast(self._stage, sink, followers)
        self.ratios.add(
            f"broadcast to {followers:,}, one worker",
            f"routed in {routed:.1f} s, sent in {figure.wall:.1f} s, {figure}",
            "5 s for 10,000",
        )
        say(f"  {sink.counted()[1]} different mails of {followers}")
        sink.end()

    def _in_shares(self) -> None:
        """Check that of four workers none rests while others work."""
        ratios: list[float] = []
        for _ in range(self._size.rounds):
            taken = shares(self._stage, next(self._tags), self._size.mails)
            say(f"  shares of four workers: {taken}")
            ratios.append(max(taken) / max(1, min(taken)))
        found = f"{statistics.median(ratios):.2f} (worst {max(ratios):.2f})"
        self.ratios.add("four workers, largest share to smallest", found, "1.5")


def keep_to_the_other_core(suite: ProcessSuite) -> None:
    """Leave the first core to the sender; later processes inherit this."""
    for pid in (os.getpid(), *(one.pid for one in suite._running.values())):
        os.sched_setaffinity(pid, OTHER_CORE)


def arguments() -> argparse.Namespace:
    parser = command_parser()
    parser.add_argument(
        "what", nargs="*", choices=(*PARTS, "personal", []), metavar="PART",
        help=f"{', '.join(PARTS)} (default: all), or personal: ours without the peers",
    )  # fmt: skip
    add = parser.add_argument
    add("--mails", type=int, default=2_000, help="personal mails of a run (2000)")
    add("--by-peers", type=int, default=0, help="mails of a peer's run (as many)")
    add("--followers", type=int, default=10_000, help="of the broadcast (10000)")
    add("--rounds", type=int, default=3, help="runs of each (3)")
    add("--profile", default="", metavar="FILE", help="profile of the last worker")
    return parser.parse_args()


def main() -> None:
    """Start everything, measure, print."""
    process_suite.START_S = TIMEOUT_S  # type: ignore[misc]
    # Ignore what a closing connection still receives.
    logging.getLogger("amqp").setLevel(logging.CRITICAL)
    options = arguments()
    parts = set(options.what) or set(PARTS)
    if "peers" in parts and not PEERS_PYTHON.exists():
        sys.exit(f"no {PEERS_PYTHON}: `make bench-mail` installs the peers")
    by_peers = options.by_peers or options.mails
    size = Size(options.mails, by_peers, options.followers, options.rounds)
    say("starting RabbitMQ, PostgreSQL and the services")
    with (
        TemporaryDirectory() as folder,
        server_directory() as servers,
        PrivateRabbit(servers / "rabbit") as rabbit,
        PrivatePostgres(servers / "postgres") as postgres,
        ProcessSuite(
            Path(folder) / "suite",
            rabbit=rabbit,
            postgres=postgres,
            copies={"delivery": 0},
        ) as suite,
    ):
        environment = MailBenchEnvironment(Path(folder), suite, options.profile)
        keep_to_the_other_core(suite)
        people = max(options.followers, 2 * options.mails)
        projects = [f"p{n}" for n in range(50)]
        mail_rows.put_people(
            environment.urls["projects"], people, projects, followers=options.followers
        )
        bench = Bench(environment, postgres, size)
        try:
            bench.measure(parts)
        except BaseException:
            log = environment.folder / "worker.log"
            say(log.read_text()[-3000:] if log.exists() else "no worker was started")
            raise
        bench.ratios.show()


if __name__ == "__main__":
    main()
