"""All process types under a supervisor that starts again whatever ends."""

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

NAIVE = ("naive_posts.0", "naive_mails.0")
LOOK_EVERY_S = 0.1
# What is over an hour's number of mails leaves an hour later: too late for a run.
NEVER_PUT_OFF = {"CLP_NOTIFICATIONS_MOST_MAILS_AN_HOUR": "0"}
# Of the package `faketime`.
LIBFAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a crew runs under: the relay's manners and more of the environment."""

    sink: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    # port -> port: where the services connect instead, through a network that fails.
    detours: Callable[["Crew"], Mapping[int, int]] = lambda _crew: {}


class Crew(ProcessSuite):
    """One process per type and the naive control, watched over."""

    def __init__(self, data_dir: Path, terms: Terms, **options: Any) -> None:
        self._terms = terms
        self._naive_database = options["postgres"].create_database(
            f"naive_{os.getpid()}_{id(self):x}"
        )
        super().__init__(data_dir, **options)
        self.kills: Counter[str] = Counter()
        self.surprises: list[str] = []
        self._watching = False
        self._begun_at: dict[str, int] = {}

    @property
    def sink_log(self) -> Path:
        """What the relay took."""
        return self.data_dir / "sink.jsonl"

    @property
    def relay_port(self) -> int:
        """Where the relay listens."""
        return self._sink_port

    def database_url(self, service: str) -> str:
        """A service's database, as the judge reads it."""
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
        return ("tests.faults.sink", str(self._sink_port), log, *self._terms.sink)

    @override
    def environ(self, name: str) -> dict[str, str]:
        naive = {
            "NAIVE_DATABASE": self.database_url("naive"),
            "NAIVE_RELAY": str(self._sink_port),
        }
        variables = super().environ(name) | dict(self._terms.environ)
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
            # What waits for so many seconds waits as long as it says.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set_clock(self, name: str, seconds: int) -> None:
        """Move the clock of a process, which goes on from there at once.

        The first time it is killed and started with a clock that can be moved.
        """
        place = self.data_dir / f"{name}.clock"
        is_new = not place.exists()
        draft = place.with_suffix(".new")
        draft.write_text(f"{seconds:+d}s\n")
        draft.replace(place)
        if is_new:
            self.strike(name)

    def reset_clocks(self) -> None:
        """Start those whose clocks can be moved again as they were before.

        Sleeping by such a clock ends a process now and then; nobody else is to meet it.
        """
        for place in self.data_dir.glob("*.clock"):
            place.unlink()
            self.strike(place.stem)

    @override
    def start(self) -> None:
        """Start everybody, then watch over them."""
        super().start()
        for name in NAIVE:
            self._start_one(name)
        self._watching = True
        eventlet.spawn_n(self._watch)

    def is_up(self, name: str) -> bool:
        """Whether this start of it has said that it runs; the control says nothing."""
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
                if process.poll() is not None and self._watching:
                    if name not in NAIVE:
                        self.surprises.append(f"{name}: {self.last_words(name)}")
                    self._start_one(name)
            eventlet.sleep(LOOK_EVERY_S)

    def names(self, *, naive: bool = False) -> list[str]:
        """Who runs, without the relay."""
        return sorted(
            name
            for name in self._running
            if name != SINK and (naive or name not in NAIVE)
        )

    def process_ids(self) -> dict[str, int]:
        """The process of each, without relay and control."""
        return {name: self._running[name].pid for name in self.names()}

    def strike(self, name: str) -> None:
        """``kill -9``, and start it again as a supervisor would."""
        self.put_down(name)
        self._start_one(name)

    def put_down(self, name: str) -> None:
        """``kill -9``, and leave it down."""
        self.kills[name.partition(".")[0]] += 1
        super().kill(name)

    def bring_up(self, name: str) -> None:
        """Start one that is down, or one more."""
        self._start_one(name)

    def ask_to_end(self, name: str) -> float:
        """SIGTERM, and how many seconds it took to end."""
        process = self._running.pop(name)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return time.monotonic() - began

    def strike_somebody(self, luck: random.Random) -> str | None:
        """Kill one at random, once all of them are up: a slow machine starts slowly."""
        names = self.names(naive=True)
        if not all(self.is_up(name) for name in names):
            return None
        name = luck.choice(names)
        self.strike(name)
        return name

    @override
    def stop(self) -> None:
        """Stop watching, then stop everybody."""
        self._watching = False
        super().stop()
