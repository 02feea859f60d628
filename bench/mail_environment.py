"""The processes of the mail benchmark: the counting relay, and workers on their core."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clp_suite.environment import without_settings
from clp_suite.process_suite import ProcessSuite
from clp_suite.server_process import free_ports

TIMEOUT_S: Final = 240.0
PROGRESS_INTERVAL_S: Final = 5.0
WORKER: Final = ("-W", "ignore", "-m", "clp_notifications", "delivery")
PROFILED: Final = ("-W", "ignore", "-m", "bench.mail_profile")
TICKS: Final = os.sysconf("SC_CLK_TCK")
QUIET_S: Final = 0.5
QUIET_TICKS: Final = 3


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Figure:
    """Result of one run: mails, seconds, seconds of the sender's processor time."""

    mails: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Mails a second by the clock."""
        return self.mails / self.wall

    @property
    def per_core(self) -> float:
        """Mails in a second of processor time."""
        return self.mails / self.cpu

    def __str__(self) -> str:
        return f"{self.rate:8,.0f} /s   {self.per_core:8,.0f} per core"


def median(figures: Sequence[Figure]) -> Figure:
    """Return the run in the middle, by processor time."""
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
                    "bench.mail_sink",
                    str(self.port),
                    f"{delay_ms}",
                ],
                stdout=out,
            )
        self.wait_for(0)

    def counted(self) -> tuple[int, int]:
        """Return how many mails it received, and how many different ones."""
        lines = self._log.read_text().splitlines()
        taken, known = (lines[-1] if lines else "-1 -1").split()
        return int(taken), int(known)

    def wait_for(self, mails: int) -> float:
        """Wait until so many mails came; return the seconds."""
        began = reported = time.monotonic()
        while (taken := self.counted()[0]) < mails:
            now = time.monotonic()
            if now > began + TIMEOUT_S:
                raise TimeoutError(f"{taken} of {mails} mails")
            if now > reported + PROGRESS_INTERVAL_S:
                reported = now
                say(f"    {taken:,} of {mails:,} mails")
            time.sleep(0.01)
        return time.monotonic()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


class MailBenchEnvironment:
    """A suite without delivery processes, which are started for each run."""

    def __init__(self, folder: Path, suite: ProcessSuite, profile: str) -> None:
        self.folder, self.suite = folder, suite
        self.profiled = profile
        self.urls = suite._plan.database_urls

    @contextmanager
    def worker(
        self, sink: Sink, core: set[int], *, rests: bool = True
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start one delivery process on a core and wait until it rests."""
        environ = without_settings(os.environ) | self.suite._plan.environ()
        environ["CLP_NOTIFICATIONS_SMTP_URL"] = f"smtp://127.0.0.1:{sink.port}"
        environ["BENCH_PROFILE"] = self.profiled
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *(PROFILED if self.profiled else WORKER)],
                env=environ,
                stdout=log,
                stderr=log,
            )
        try:
            os.sched_setaffinity(process.pid, core)
            if rests:
                wait_for_rest(process)
            yield process
        finally:
            process.terminate()
            process.wait(60)


def cpu_of(process: "subprocess.Popen[bytes]") -> float:
    """Return the processor seconds of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_for_rest(process: "subprocess.Popen[bytes]") -> None:
    """Wait until a starting process uses next to no processor time."""
    deadline = time.monotonic() + TIMEOUT_S
    used = -1.0
    while (now := cpu_of(process)) < 1 or now - used > QUIET_TICKS / TICKS:
        if time.monotonic() > deadline or process.poll() is not None:
            raise TimeoutError("the worker does not come up")
        used = now
        time.sleep(QUIET_S)
