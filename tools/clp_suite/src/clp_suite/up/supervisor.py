"""Supervise processes: restart those that end, with exponential backoff.

The desired number of processes of each type is read from a file of the data folder, so
that it can change while everything runs.
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
from clp_suite.environment import without_settings
from clp_suite.server_process import as_account
from clp_suite.up.console import LogConsole
from clp_suite.up.host import OBSERVE, PROVIDER, SINK, Host
from clp_suite.up.state_files import COPIES, STATUS, put_json, read_copies

MIN_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 30.0
# A process that ran this long has started well: its backoff begins anew.
STABLE_AFTER_S: Final = 60.0
STOP_TIMEOUT_S: Final = 40.0
POLL_INTERVAL_S: Final = 0.2
DRAIN_TIMEOUT_S: Final = 1.0
CHUNK: Final = 65_536


@dataclass(slots=True)
class ManagedProcess:
    """One supervised process and the state of its restarts."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    child: subprocess.Popen[bytes] | None = None
    reader: threading.Thread | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    backoff_s: float = MIN_BACKOFF_S
    starts: int = 0
    stopping: bool = False


class Supervisor:
    """Start, supervise and stop the processes of one host."""

    def __init__(
        self, host: Host, console: LogConsole, copies: Mapping[str, int]
    ) -> None:
        self._host = host
        self._console = console
        self._processes: dict[str, ManagedProcess] = {}
        self._stopping = False
        self._copies_file = host.data_dir / COPIES
        put_json(self._copies_file, {t.name: 1 for t in PROCESS_TYPES} | dict(copies))

    def request_stop(self) -> None:
        """Shut down gracefully; on the second request send SIGKILL."""
        if self._stopping:
            for process in self._processes.values():
                _signal(process, signal.SIGKILL)
        self._stopping = True

    def run(self) -> None:
        """Supervise until a stop is requested, then shut down gracefully."""
        # Neither needs a setting, and so neither gets a password.
        for name, command in ((SINK, self._host.sink), (PROVIDER, self._host.provider)):
            if command:
                self._add(name, command, {})
        while not self._stopping:
            for server in self._host.restart_dead():
                self._console.notice(f"{server} had ended and is restarted")
            self._reconcile()
            self._supervise()
            time.sleep(POLL_INTERVAL_S)
        self._stop()

    # ---- number of processes

    def _reconcile(self) -> None:
        desired = {
            f"{process_type.name}.{copy}": (process_type, copy)
            for process_type in PROCESS_TYPES
            for copy in range(self._desired_copies(process_type))
        }
        for name, (process_type, copy) in desired.items():
            if name not in self._processes:
                environ = self._host.environment_of(process_type, copy)
                self._add(name, process_type.command, environ)
        for name, process in list(self._processes.items()):
            if name not in {SINK, PROVIDER, *desired}:
                self._remove(process)

    def _desired_copies(self, process_type: ProcessType) -> int:
        return read_copies(self._host.data_dir).get(process_type.name, 1)

    def _add(
        self, name: str, command: tuple[str, ...], environ: Mapping[str, str]
    ) -> None:
        self._processes[name] = ManagedProcess(name, command, environ)

    def _remove(self, process: ManagedProcess) -> None:
        if process.child is None:
            del self._processes[process.name]
        elif not process.stopping:
            process.stopping = True
            self._console.notice(f"{process.name} stops after its running tasks")
            _signal(process, signal.SIGTERM)

    # ---- restarts

    def _supervise(self) -> None:
        changed = False
        for process in list(self._processes.values()):
            if process.child is not None and process.child.poll() is not None:
                self._handle_exit(process)
                changed = True
            elif process.child is None and time.monotonic() >= process.restart_at:
                self._start(process)
                changed = True
        if changed:
            self._write_status()

    def _start(self, process: ManagedProcess) -> None:
        process.child = subprocess.Popen(  # noqa: S603 - fixed commands
            [*as_account(None), sys.executable, "-W", "ignore", "-m", *process.command],
            env=without_settings(os.environ)
            | dict(process.environ)
            | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches the supervisor alone, which stops the others gracefully.
            start_new_session=True,
        )
        arguments = (process.name, process.child.stdout)
        process.reader = threading.Thread(
            target=self._read_output, args=arguments, daemon=True
        )
        process.reader.start()
        process.started_at = time.monotonic()
        process.starts += 1

    def _handle_exit(self, process: ManagedProcess) -> None:
        child, process.child = process.child, None
        if child is None or process.reader is None:
            return
        # Its descendants may keep the pipe open a little longer.
        process.reader.join(DRAIN_TIMEOUT_S)
        self._console.flush(process.name)
        if process.stopping or self._stopping:
            self._console.notice(f"{process.name} has ended")
            del self._processes[process.name]
            return
        if time.monotonic() - process.started_at > STABLE_AFTER_S:
            process.backoff_s = MIN_BACKOFF_S
        self._console.notice(
            f"{process.name} ended ({_exit_text(child.returncode)}), "
            f"restarting in {process.backoff_s:g} s"
        )
        process.restart_at = time.monotonic() + process.backoff_s
        process.backoff_s = min(process.backoff_s * 2, MAX_BACKOFF_S)

    def _read_output(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            while chunk := os.read(stream.fileno(), CHUNK):
                self._console.write(name, chunk)

    # ---- shutdown

    def _stop(self) -> None:
        self._console.notice("stopping; running tasks finish first")
        # The SMTP sink last: delivery may still be sending.
        others = [
            process for process in self._processes.values() if process.name != SINK
        ]
        for group in (others, list(self._processes.values())):
            for process in group:
                _signal(process, signal.SIGTERM)
            self._wait_for([process for process in group if process.child is not None])
        self._processes.clear()
        self._write_status()

    def _wait_for(self, stopping: list[ManagedProcess]) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while any(process.child is not None for process in stopping):
            if time.monotonic() > deadline:
                for process in stopping:
                    _signal(process, signal.SIGKILL)
            for process in stopping:
                if process.child is not None and process.child.poll() is not None:
                    self._handle_exit(process)
            time.sleep(POLL_INTERVAL_S / 4)

    def _write_status(self) -> None:
        put_json(
            self._host.data_dir / STATUS,
            {
                process.name: {
                    "pid": process.child.pid,
                    "starts": process.starts,
                    "observe": process.environ.get(OBSERVE, ""),
                }
                for process in self._processes.values()
                if process.child is not None
            },
        )


def _signal(process: ManagedProcess, number: signal.Signals) -> None:
    if process.child is not None and process.child.poll() is None:
        process.child.send_signal(number)


def _exit_text(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
