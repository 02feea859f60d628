"""How fast mails leave: ``python -m tests.bench.mail``, or ``make bench-mail``.

Everything is real: RabbitMQ, PostgreSQL, the services as processes, SMTP over loopback
to a relay that counts. The process that sends has the first core for itself; all the
others share the second one. Who sends alternates; what is told are medians. Figures
"per core" divide by the processor time that the sending process used.

Targets: personal mails at least 3 times Django with one open connection and 5 times
django-post_office; a broadcast to 10,000 followers handed over by one worker in 5 s;
1,000 mails a second to a relay that answers after 5 ms; two workers 1.7 times one.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from clp_suite import many_processes
from clp_suite.many_processes import ProcessSuite
from clp_suite.server_process import free_ports, server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.bench import mail_rows

SENDER_CORE, OTHER_CORE = {0}, {1}
ROUNDS: Final = 3
SHORT: Final = "short" in sys.argv
PERSONAL: Final = 500 if SHORT else 2_000
BY_PEERS: Final = 200 if SHORT else 400
FOLLOWERS: Final = 2_000 if SHORT else 10_000
PATIENCE_S: Final = 240.0
WORKER: Final = ("-W", "ignore", "-m", "clp_notifications", "delivery")
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figure:
    """What one run took: mails, seconds, seconds of the sender's processor time."""

    mails: int
    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.mails / self.wall:8,.0f} /s   {self.mails / self.cpu:8,.0f} per core"


def median(figures: list[Figure]) -> Figure:
    """The run in the middle, by processor time."""
    ordered = sorted(figures, key=lambda one: one.cpu / one.mails)
    return ordered[len(ordered) // 2]


class Sink:
    """A counting relay."""

    def __init__(self, folder: Path, delay_ms: float = 0) -> None:
        (self.port,) = free_ports(1)
        self._log = folder / f"sink-{self.port}"
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.bench.mail_sink",
                    str(self.port),
                    f"{delay_ms}",
                ],
                stdout=out,
            )
        self.wait_for(0)

    def counted(self) -> tuple[int, int]:
        """How many mails it took, and how many different ones."""
        lines = self._log.read_text().splitlines()
        taken, known = (lines[-1] if lines else "-1 -1").split()
        return int(taken), int(known)

    def wait_for(self, mails: int) -> float:
        """Wait until so many mails came; gives the time."""
        deadline = time.monotonic() + PATIENCE_S
        while self.counted()[0] < mails:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.counted()} of {mails} mails")
            time.sleep(0.01)
        return time.monotonic()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


class Stage:
    """A suite without delivery processes; those are started for each run."""

    def __init__(self, folder: Path, suite: ProcessSuite) -> None:
        self.folder, self.suite = folder, suite
        self.urls = suite._plan.database_urls

    @contextmanager
    def worker(self, sink: Sink, core: set[int]) -> Iterator[subprocess.Popen[bytes]]:
        """One delivery process on a core."""
        environ = os.environ | self.suite._plan.environ()
        environ["CLP_NOTIFICATIONS_MAIL_URL"] = f"smtp://127.0.0.1:{sink.port}"
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *WORKER],
                env=environ,
                stdout=log,
                stderr=log,
            )
        os.sched_setaffinity(process.pid, core)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


WORKER: Final = (
    os.environ.get("BENCH_WORKER") or "-m clp_notifications delivery"
).split()


def cpu_of(process: "subprocess.Popen[bytes]") -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def personal(stage: Stage, sink: Sink, tag: str, count: int = PERSONAL) -> Figure:
    """Mails that each have their own message, due at the same moment."""
    with stage.worker(sink, SENDER_CORE) as process:
        time.sleep(2.5)
        before, used = sink.counted()[0], cpu_of(process)
        mail_rows.put_personal_mails(stage.urls, tag, count)
        began = sink.wait_for(before + 1)
        ended = sink.wait_for(before + count)
        return Figure(count, ended - began, cpu_of(process) - used)


def broadcast(stage: Stage, sink: Sink) -> tuple[float, Figure]:
    """One message to 10,000 followers: seconds until routed, and the hand-over."""
    ivy = stage.suite.caller(mail_rows.AUTHOR)
    began = time.monotonic()
    ivy.messages.post(
        channel=f"{mail_rows.PROJECT}/broadcast", text=mail_rows.TEXT, key="k"
    )
    operations = stage.suite.caller(service="operations")
    while operations.notifications.progress().due < FOLLOWERS:
        time.sleep(0.05)
    routed = time.monotonic() - began
    with stage.worker(sink, SENDER_CORE) as process:
        first = sink.wait_for(1)
        used = cpu_of(process)
        last = sink.wait_for(FOLLOWERS)
        return routed, Figure(FOLLOWERS, last - first, cpu_of(process) - used)


def two_workers(stage: Stage, sink: Sink, tag: str) -> float:
    """Seconds that two workers need, one on each core."""
    with stage.worker(sink, SENDER_CORE), stage.worker(sink, OTHER_CORE):
        time.sleep(2.5)
        before = sink.counted()[0]
        mail_rows.put_personal_mails(stage.urls, tag, PERSONAL)
        began = sink.wait_for(before + 1)
        return sink.wait_for(before + PERSONAL) - began


def by_peer(who: str, url: str, sink: Sink) -> Figure:
    """The same by a peer, on the sender's core."""
    peer = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.bench.mail_peers",
         who, url, str(sink.port), str(BY_PEERS)],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    os.sched_setaffinity(peer.pid, SENDER_CORE)
    told, _ = peer.communicate(timeout=PATIENCE_S)
    return Figure(**json.loads(told))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def measure(stage: Stage, postgres: PrivatePostgres, what: set[str]) -> None:
    """Measure what was asked for, and tell."""
    tags = iter(f"p{n}" for n in range(1, 50))
    sink = Sink(stage.folder)
    if what & {"personal", "peers"}:
        peers_url = postgres.create_database("peers") if "peers" in what else ""
        against_peers(stage, sink, tags, peers_url)
    if "two" in what:
        against_one_worker(stage, sink, tags)
    taken, known = sink.counted()
    say(f"  the relay took {taken} mails, {taken - known} of them twice")
    sink.end()
    if "slow" in what:
        slow = Sink(stage.folder, delay_ms=5)
        figure = personal(stage, slow, next(tags), 2 * PERSONAL)
        say(f"relay that answers after 5 ms:  {figure} (target 1,000 /s)")
        slow.end()
    if "broadcast" in what:
        to_followers(stage)


def against_peers(stage: Stage, sink: Sink, tags: Iterator[str], url: str) -> None:
    """Personal mails, by us and by others in turn."""
    figures: dict[str, list[Figure]] = {}
    for _ in range(ROUNDS if url else 1):
        figures.setdefault("clp", []).append(personal(stage, sink, next(tags)))
        for who in ("django", "post_office") if url else ():
            figures.setdefault(who, []).append(by_peer(who, url, sink))
    found = {who: median(runs) for who, runs in figures.items()}
    for who, figure in found.items():
        say(f"personal mails, {who:<12} {figure}")
    for who, target in (("django", 3), ("post_office", 5)):
        if who in found:
            ours, theirs = found["clp"], found[who]
            work = (theirs.cpu / theirs.mails) / (ours.cpu / ours.mails)
            speed = (theirs.wall / theirs.mails) / (ours.wall / ours.mails)
            say(f"  against {who}: {work:.1f} x per core, {speed:.1f} x by the clock "
                f"(target {target})")  # fmt: skip


def against_one_worker(stage: Stage, sink: Sink, tags: Iterator[str]) -> None:
    """Two workers, one on each core, and one alone, in turn."""
    ones: list[float] = []
    twos: list[float] = []
    for _ in range(2):
        ones.append(personal(stage, sink, next(tags)).wall)
        twos.append(two_workers(stage, sink, next(tags)))
    ratio = statistics.median(ones) / statistics.median(twos)
    say(f"two workers: {ratio:.2f} x one (target 1.7 where cores allow)")


def to_followers(stage: Stage) -> None:
    """One broadcast to many followers, routed and handed over."""
    sink = Sink(stage.folder)
    routed, figure = broadcast(stage, sink)
    say(f"broadcast to {FOLLOWERS:,}: routed in {routed:.1f} s, handed over in "
        f"{figure.wall:.1f} s by one worker (target 5 for 10,000), {figure}")  # fmt: skip
    say(f"  {sink.counted()[1]} different mails of {FOLLOWERS}")
    sink.end()


def keep_to_the_other_core(suite: ProcessSuite) -> None:
    """The sender's core is for the sender; what starts later inherits this."""
    for pid in (os.getpid(), *(one.pid for one in suite._running.values())):
        os.sched_setaffinity(pid, OTHER_CORE)


def main() -> None:
    """Start everything, measure, tell."""
    many_processes.START_S = PATIENCE_S  # type: ignore[misc]
    what = set(sys.argv[1:]) - {"short"} or {
        "peers",
        "personal",
        "two",
        "slow",
        "broadcast",
    }
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
        stage = Stage(Path(folder), suite)
        keep_to_the_other_core(suite)
        mail_rows.put_people(
            stage.urls["projects"], FOLLOWERS, [f"p{n}" for n in range(50)]
        )
        try:
            measure(stage, postgres, what)
        except BaseException:
            say((stage.folder / "worker.log").read_text()[-3000:])
            raise


if __name__ == "__main__":
    main()
