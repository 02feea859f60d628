"""All process types under a supervisor that restarts what ends."""

import json
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import eventlet
from typing_extensions import override

from clp_deploy.processes import PROCESS_TYPES
from clp_suite.process_suite import SINK, ProcessSuite
from tests.faults.sink import refusal_file, refused_log

SMTP_URL = "CLP_NOTIFICATIONS_SMTP_URL"
LOGIN = "clp:p%40ss w/ord"
NAIVE = ("naive_posts.0", "naive_mails.0")
POLL_INTERVAL_S = 0.1
# A mail beyond the hourly cap leaves an hour later: too late for a run.
# All clients of a run post as two people, more calls than two people make.
NO_LIMITS = {
    "CLP_NOTIFICATIONS_MAX_MAILS_PER_HOUR": "0",
    "CLP_NOTIFICATIONS_MAX_MENTION_MAILS_PER_HOUR": "0",
    "CLP_CALLS_AT_ONCE": "100000",
    "CLP_CALLS_PER_SECOND": "100000",
}
# Of the package `faketime`.
LIBFAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


@dataclass(frozen=True, kw_only=True)
class GroupOptions:
    """Options of a process group: faults of the relay and extra environment."""

    sink: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    # port -> port: where the services connect instead, through a network that fails.
    detours: Callable[["ProcessGroup"], Mapping[int, int]] = lambda _group: {}


class ProcessGroup(ProcessSuite):
    """One process per type and the naive control, supervised."""

    def __init__(self, data_dir: Path, terms: GroupOptions, **options: Any) -> None:
        self._terms = terms
        self._naive_database = options["postgres"].create_database(
            f"naive_{os.getpid()}_{id(self):x}"
        )
        super().__init__(data_dir, **options)
        self.kills: Counter[str] = Counter()
        self.unexpected_exits: list[str] = []
        self._watching = False
        self._begun_at: dict[str, int] = {}

    @property
    def sink_log(self) -> Path:
        """The log of mails the relay accepted."""
        return self.data_dir / "sink.jsonl"

    def refuse_mails(self, refusal: str | None) -> None:
        """Let the relay refuse a command with a reply, as `AUTH 535 no`, or nothing."""
        place = refusal_file(self.sink_log)
        if refusal is None:
            place.unlink(missing_ok=True)
            return
        draft = place.with_suffix(".new")
        draft.write_text(refusal)
        draft.replace(place)

    def refusals(self) -> list[tuple[float, str]]:
        """When the relay refused which command."""
        lines = map(json.loads, refused_log(self.sink_log).read_text().splitlines())
        return [(line["at"], line["command"]) for line in lines]

    @property
    def relay_port(self) -> int:
        """The port of the relay."""
        return self.sink_port

    def database_url(self, service: str) -> str:
        """Return the URL of a service's database for psycopg."""
        if service == "naive":
            return self._naive_database.replace("+psycopg", "")
        return self._plan.database_urls[service].replace("+psycopg", "")

    @property
    def index_dir(self) -> Path:
        """The folder of the search index."""
        return self.data_dir / "index"

    @override
    def sink_command(self) -> tuple[str, ...]:
        log = str(self.sink_log)
        return ("tests.faults.sink", str(self.sink_port), log, *self._terms.sink)

    @override
    def environ(self, name: str) -> dict[str, str]:
        naive = {
            "NAIVE_DATABASE": self.database_url("naive"),
            "NAIVE_RELAY": str(self.sink_port),
        }
        variables = super().environ(name) | dict(self._terms.environ)
        # It is logged in to the relay, as most are.
        relay = variables[SMTP_URL].replace("smtp://", f"smtp://{LOGIN}@")
        variables[SMTP_URL] = relay
        for port, detour in self._terms.detours(self).items():
            variables = {
                key: re.sub(rf":{port}\b", f":{detour}", value)
                for key, value in variables.items()
            }
        return variables | naive | self._clock_of(name)

    def _clock_of(self, name: str) -> dict[str, str]:
        place = self.data_dir / f"{name}.clock"
        if not place.exists():
            return {}
        return {
            "LD_PRELOAD": str(LIBFAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(place),
            "FAKETIME_NO_CACHE": "1",
            # A wait of some seconds takes that long.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set_clock(self, name: str, seconds: int) -> None:
        """Move the clock of a process at once.

        The first time, it is killed and restarted with a movable clock.
        """
        place = self.data_dir / f"{name}.clock"
        is_new = not place.exists()
        draft = place.with_suffix(".new")
        draft.write_text(f"{seconds:+d}s\n")
        draft.replace(place)
        if is_new:
            self.kill_and_restart(name)

    def reset_clocks(self) -> None:
        """Restart the processes with a movable clock with the real one.

        Sleeping by such a clock ends a process now and then; keep that from other tests.
        """
        for place in self.data_dir.glob("*.clock"):
            place.unlink()
            self.kill_and_restart(place.stem)

    @override
    def start(self) -> None:
        """Start all, then supervise them."""
        super().start()
        for name in NAIVE:
            self._start_one(name)
        self._watching = True
        eventlet.spawn_n(self._watch)

    def is_up(self, name: str) -> bool:
        """Whether its current start has logged that it runs; the control logs nothing."""
        if name in NAIVE:
            return True
        log = (self.data_dir / f"{name}.log").read_bytes()
        return b" running: " in log[self._begun_at.get(name, 0) :]

    def _start_one(self, name: str) -> None:
        log = self.data_dir / f"{name}.log"
        self._begun_at[name] = log.stat().st_size if log.exists() else 0
        kind = name.partition(".")[0]
        if kind == SINK:
            command = self.sink_command()
        elif kind.startswith("naive"):
            command = ("tests.faults.naive_control", kind.removeprefix("naive_"))
        else:
            command = next(t.command for t in PROCESS_TYPES if t.name == kind)
        self._spawn(name, command)

    def _watch(self) -> None:
        while self._watching:
            for name, process in list(self._running.items()):
                # Starting another one waits: somebody may have killed this one.
                is_ours = self._watching and self._running.get(name) is process
                if is_ours and process.poll() is not None:
                    if name not in NAIVE:
                        self.unexpected_exits.append(f"{name}: {self.log_tail(name)}")
                    self._start_one(name)
            eventlet.sleep(POLL_INTERVAL_S)

    def names(self, *, naive: bool = False) -> list[str]:
        """Return the names of the running processes, without the relay."""
        return sorted(
            name
            for name in self._running
            if name != SINK and (naive or name not in NAIVE)
        )

    def process_ids(self) -> dict[str, int]:
        """Return the process ids, without relay and control."""
        return {name: self._running[name].pid for name in self.names()}

    def kill_and_restart(self, name: str) -> None:
        """``kill -9`` and restart."""
        self.kill_hard(name)
        self._start_one(name)

    def kill_hard(self, name: str) -> None:
        """``kill -9`` without a restart."""
        self.kills[name.partition(".")[0]] += 1
        super().kill(name)

    def start_one(self, name: str) -> None:
        """Start a process that is down, or an additional one."""
        self._start_one(name)

    def terminate(self, name: str) -> float:
        """Send SIGTERM; return the seconds until it ended."""
        process = self._running.pop(name)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return time.monotonic() - began

    def kill_random(self, rng: random.Random) -> str | None:
        """Kill a random process once all are up: a slow machine starts slowly."""
        names = self.names(naive=True)
        if not all(self.is_up(name) for name in names):
            return None
        name = rng.choice(names)
        self.kill_and_restart(name)
        return name

    @override
    def stop(self) -> None:
        """Stop supervising, then stop all."""
        self._watching = False
        super().stop()
