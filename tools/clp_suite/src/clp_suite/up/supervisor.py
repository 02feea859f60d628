"""Keeps processes running: starts what ended again, more and more slowly.

How many of each type there are is read from a file of the data folder, so that it can
be changed while everything runs.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Final

from clp_deploy.processes import PROCESS_TYPES, ProcessType
from clp_suite.server_process import as_account
from clp_suite.up.console import View
from clp_suite.up.host import OBSERVE, SINK, House
from clp_suite.up.state_files import COPIES, STATUS, put_json, read_copies

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
# Who ran that long has not failed at starting.
STEADY_AFTER_S: Final = 60.0
PATIENCE_S: Final = 40.0
LOOK_EVERY_S: Final = 0.2
LAST_WORDS_S: Final = 1.0
CHUNK: Final = 65_536


@dataclass(slots=True)
class Kept:
    """One process that is to run, and how its last starts went."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    child: subprocess.Popen[bytes] | None = None
    listener: threading.Thread | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    starts: int = 0
    leaving: bool = False


class Supervisor:
    """Starts, watches and ends the processes of one host."""

    def __init__(self, house: House, view: View, copies: Mapping[str, int]) -> None:
        self._house = house
        self._view = view
        self._kept: dict[str, Kept] = {}
        self._ending = False
        self._copies_file = house.data_dir / COPIES
        put_json(self._copies_file, {t.name: 1 for t in PROCESS_TYPES} | dict(copies))

    def ask_to_end(self) -> None:
        """End in order; asked twice, end at once."""
        if self._ending:
            for kept in self._kept.values():
                _signal(kept, signal.SIGKILL)
        self._ending = True

    def run(self) -> None:
        """Keep everything running until asked to end, then end it in order."""
        if self._house.sink:
            self._keep(SINK, self._house.sink, self._house.environ)
        while not self._ending:
            for server in self._house.revive():
                self._view.say(f"{server} had ended and is started again")
            self._follow_copies()
            self._tend()
            time.sleep(LOOK_EVERY_S)
        self._end()

    # ---- how many

    def _follow_copies(self) -> None:
        wanted = {
            f"{process_type.name}.{copy}": (process_type, copy)
            for process_type in PROCESS_TYPES
            for copy in range(self._wanted(process_type))
        }
        for name, (process_type, copy) in wanted.items():
            if name not in self._kept:
                environ = self._house.environment_of(process_type, copy)
                self._keep(name, process_type.command, environ)
        for name, kept in list(self._kept.items()):
            if name != SINK and name not in wanted:
                self._let_go(kept)

    def _wanted(self, process_type: ProcessType) -> int:
        return read_copies(self._house.data_dir).get(process_type.name, 1)

    def _keep(
        self, name: str, command: tuple[str, ...], environ: Mapping[str, str]
    ) -> None:
        self._kept[name] = Kept(name, command, environ)

    def _let_go(self, kept: Kept) -> None:
        if kept.child is None:
            del self._kept[kept.name]
        elif not kept.leaving:
            kept.leaving = True
            self._view.say(f"{kept.name} is to end after the work in hand")
            _signal(kept, signal.SIGTERM)

    # ---- keeping alive

    def _tend(self) -> None:
        changed = False
        for kept in list(self._kept.values()):
            if kept.child is not None and kept.child.poll() is not None:
                self._bury(kept)
                changed = True
            elif kept.child is None and time.monotonic() >= kept.start_again_at:
                self._start(kept)
                changed = True
        if changed:
            self._write_status()

    def _start(self, kept: Kept) -> None:
        kept.child = subprocess.Popen(  # noqa: S603 - our own words only
            [*as_account(None), sys.executable, "-W", "ignore", "-m", *kept.command],
            env=os.environ | dict(kept.environ) | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for us: we end the others in order.
            start_new_session=True,
        )
        heard = (kept.name, kept.child.stdout)
        kept.listener = threading.Thread(target=self._listen, args=heard, daemon=True)
        kept.listener.start()
        kept.started_at = time.monotonic()
        kept.starts += 1

    def _bury(self, kept: Kept) -> None:
        child, kept.child = kept.child, None
        if child is None or kept.listener is None:
            return
        # Children of its own may hold the line a little longer.
        kept.listener.join(LAST_WORDS_S)
        self._view.end(kept.name)
        if kept.leaving or self._ending:
            self._view.say(f"{kept.name} has ended")
            del self._kept[kept.name]
            return
        if time.monotonic() - kept.started_at > STEADY_AFTER_S:
            kept.pause_s = FIRST_PAUSE_S
        self._view.say(
            f"{kept.name} ended ({_how(child.returncode)}), "
            f"starting again in {kept.pause_s:g} s"
        )
        kept.start_again_at = time.monotonic() + kept.pause_s
        kept.pause_s = min(kept.pause_s * 2, LONGEST_PAUSE_S)

    def _listen(self, name: str, said: IO[bytes]) -> None:
        with said:
            while chunk := os.read(said.fileno(), CHUNK):
                self._view.feed(name, chunk)

    # ---- the end

    def _end(self) -> None:
        self._view.say("ending, the work in hand is finished first")
        # The mail catcher last: delivery may still be handing over.
        others = [kept for kept in self._kept.values() if kept.name != SINK]
        for part in (others, list(self._kept.values())):
            for kept in part:
                _signal(kept, signal.SIGTERM)
            self._wait_for([kept for kept in part if kept.child is not None])
        self._kept.clear()
        self._write_status()

    def _wait_for(self, leaving: list[Kept]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while any(kept.child is not None for kept in leaving):
            if time.monotonic() > deadline:
                for kept in leaving:
                    _signal(kept, signal.SIGKILL)
            for kept in leaving:
                if kept.child is not None and kept.child.poll() is not None:
                    self._bury(kept)
            time.sleep(LOOK_EVERY_S / 4)

    def _write_status(self) -> None:
        put_json(
            self._house.data_dir / STATUS,
            {
                kept.name: {
                    "pid": kept.child.pid,
                    "starts": kept.starts,
                    "observe": kept.environ.get(OBSERVE, ""),
                }
                for kept in self._kept.values()
                if kept.child is not None
            },
        )


def _signal(kept: Kept, number: signal.Signals) -> None:
    if kept.child is not None and kept.child.poll() is None:
        kept.child.send_signal(number)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
