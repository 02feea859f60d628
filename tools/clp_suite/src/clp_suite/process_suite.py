"""The suite as operators run it: one process per type, RabbitMQ, PostgreSQL, SMTP."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from typing_extensions import override

from clp_contracts.errors import CallFailed, Refused
from clp_deploy.keys import write_keys
from clp_deploy.processes import PROCESS_TYPES
from clp_suite.environment import Blueprint
from clp_suite.server_process import as_account, free_ports
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from clp_suite.suite import OPERATIONS, Suite

START_S: Final = 180.0
STOP_S: Final = 20.0
SINK: Final = "sink"


class NotStarted(Exception):
    """A process ended, or did not answer in time; the text holds its last words."""


class ProcessSuite(Suite):
    """One process per type over servers that somebody else started.

    ``copies`` says how many processes of a type to run, one where nothing is said.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        rabbit: PrivateRabbit,
        postgres: PrivatePostgres,
        mail_window_s: float = 0.0,
        copies: dict[str, int] | None = None,
    ) -> None:
        super().__init__(data_dir)
        messages_port, notifications_port, self._sink_port = free_ports(3)
        self._postgres = postgres
        self._copies = copies or {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._plan = Blueprint(
            broker_url=rabbit.url,
            data_dir=self.data_dir,
            database_urls=self._databases(),
            messages_port=messages_port,
            notifications_port=notifications_port,
            mail_url=f"smtp://127.0.0.1:{self._sink_port}",
            mail_window_s=mail_window_s,
            search_workers=1,
        )

    def _databases(self) -> dict[str, str]:
        # Named after this suite, so that several can share one server.
        tag = f"{os.getpid()}_{id(self):x}"
        return {
            process_type.service: self._postgres.create_database(
                f"{process_type.service}_{tag}"
            )
            for process_type in PROCESS_TYPES
            if process_type.migrates
        }

    @override
    def start(self) -> None:
        """Start the processes and wait until each service answers."""
        self.close_data_dir()
        issuer = write_keys(self._plan.keys_dir)
        self._spawn(SINK, self.sink_command())
        for process_type in PROCESS_TYPES:
            for copy in range(self._copies.get(process_type.name, 1)):
                self._spawn(f"{process_type.name}.{copy}", process_type.command)
        self._open(self._plan.broker_url, issuer)
        try:
            self._wait_until_all_answer()
        except BaseException:
            self.stop()
            raise

    def sink_command(self) -> tuple[str, ...]:
        """What follows ``python -m`` to start whatever takes the mails."""
        return ("clp_suite.smtp_sink", str(self._sink_port), str(self.mail_folder))

    def environ(self, name: str) -> dict[str, str]:
        """The variables that a process reads, for example ``messages.0``."""
        variables = self._plan.environ()
        if not name.endswith(".0"):
            # One copy has the address that is told to others; a copy of it takes any.
            for service in ("MESSAGES", "NOTIFICATIONS"):
                variables[f"CLP_{service}_HTTP_ADDRESS"] = "127.0.0.1:0"
            # No two processes share an index.
            index = f"index.{name.rpartition('.')[2]}"
            variables["CLP_SEARCH_DATA_DIR"] = str(self.data_dir / index)
        return variables

    def _spawn(self, name: str, command: tuple[str, ...]) -> None:
        with (self.data_dir / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603
                # They end with the process that started them, however that ends.
                [*as_account(None), sys.executable, "-W", "ignore", "-m", *command],
                env=os.environ | self.environ(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _wait_until_all_answer(self) -> None:
        operations = self.caller(service=OPERATIONS)
        waiting = {
            "projects": operations.projects.progress,
            "messages": operations.messages.progress,
            "search": operations.search.progress,
            "notifications": operations.notifications.progress,
        }
        deadline = time.monotonic() + START_S
        while waiting:
            for service, progress in list(waiting.items()):
                try:
                    progress()
                except (CallFailed, Refused):
                    continue
                del waiting[service]
            self._demand_alive()
            if time.monotonic() > deadline:
                raise NotStarted(f"no answer from {sorted(waiting)}")
            time.sleep(0.05)

    def _demand_alive(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                raise NotStarted(f"{name} ended: {self.last_words(name)}")

    def last_words(self, name: str) -> str:
        """The end of a process's log."""
        log = self.data_dir / f"{name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-20:])

    def pids(self) -> list[int]:
        """The ids of the services' processes, without the mail sink's."""
        return [p.pid for name, p in self._running.items() if name != SINK]

    def kill(self, name: str) -> None:
        """Kill a process as ``kill -9`` does, for example ``messages.0``."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def restart(self, name: str) -> None:
        """Start a killed process again."""
        kind = name.partition(".")[0]
        command = next(t.command for t in PROCESS_TYPES if t.name == kind)
        self._spawn(name, command)

    @override
    def stop(self) -> None:
        """Ask every process to end; kill what has not ended in time."""
        # The sink last: delivery may still be handing over.
        for name in sorted(self._running, key=lambda name: name == SINK):
            self._running[name].send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    @property
    @override
    def http_url(self) -> str:
        """Where attachments are uploaded and downloaded."""
        return f"http://127.0.0.1:{self._plan.messages_port}"

    @property
    @override
    def stop_pages_url(self) -> str:
        """Where the links lead that stop mails."""
        return f"http://127.0.0.1:{self._plan.notifications_port}"

    @property
    @override
    def mail_folder(self) -> Path:
        """Where the mail sink leaves what it took."""
        return self.data_dir / "sink"
