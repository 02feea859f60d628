"""The suite as deployed: one process per type, RabbitMQ, PostgreSQL and SMTP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from typing_extensions import override

from clp_chassis.persistence.database import migrate
from clp_contracts.errors import CallFailed, Refused
from clp_deploy.keys import write_keys
from clp_deploy.processes import PROCESS_TYPES
from clp_suite.environment import SuiteEnvironment, without_settings
from clp_suite.server_access import Broker, DatabaseServer
from clp_suite.server_process import as_account, free_ports
from clp_suite.suite import OPERATIONS, Suite

START_TIMEOUT_S: Final = 180.0
STOP_TIMEOUT_S: Final = 20.0
# People need an identity provider: see `use_provider`.
WITHOUT_PORTAL: Final = {"portal": 0}
SINK: Final = "sink"


class NotStarted(Exception):
    """A process ended or did not respond in time; the text holds its log's end."""


class ProcessSuite(Suite):
    """One process per type on running servers.

    ``copies`` maps a process type to its number of processes; the default is one. With
    ``search_in_postgres`` search processes share an index in a database.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        rabbit: Broker,
        postgres: DatabaseServer,
        mail_window_s: float = 0.0,
        copies: dict[str, int] | None = None,
        search_in_postgres: bool = False,
    ) -> None:
        super().__init__(data_dir)
        messages_port, notifications_port, self.sink_port = free_ports(3)
        self._copies = WITHOUT_PORTAL | (copies or {})
        self.portal_ports = free_ports(max(1, self._copies["portal"]))
        self._postgres = postgres
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._plan = SuiteEnvironment(
            broker_url=rabbit.url,
            data_dir=self.data_dir,
            database_urls=self._databases(),
            messages_port=messages_port,
            notifications_port=notifications_port,
            portal_port=self.portal_ports[0],
            smtp_url=f"smtp://127.0.0.1:{self.sink_port}",
            mail_window_s=mail_window_s,
            search_workers=1,
            search_url=self._index_database() if search_in_postgres else "",
        )

    @property
    def _tag(self) -> str:
        # Unique per suite, so that several can share one server.
        return f"{os.getpid()}_{id(self):x}"

    def _index_database(self) -> str:
        return self._migrated(f"search_{self._tag}", "clp_search")

    def _databases(self) -> dict[str, str]:
        return {
            process_type.service: self._migrated(
                f"{process_type.service}_{self._tag}", process_type.package
            )
            for process_type in PROCESS_TYPES
            if process_type.migrates
        }

    def _migrated(self, name: str, package: str) -> str:
        """Create and migrate a database; return its URL for the role that serves."""
        migrate(self._postgres.create_database(name), package)
        return self._postgres.serving_url(name)

    @property
    def portal_urls(self) -> tuple[str, ...]:
        """The base URLs of the portal's processes; the first is the public one."""
        return tuple(f"http://127.0.0.1:{port}" for port in self.portal_ports)

    def use_provider(self, issuer: str) -> None:
        """Let people sign in at an identity provider; before the start."""
        self._plan = replace(self._plan, oidc_issuer=issuer)

    def use_search_workers(self, workers: int) -> None:
        """Let each search process have so many workers; before the start."""
        self._plan = replace(self._plan, search_workers=workers)

    @override
    def start(self) -> None:
        """Start the processes and wait until each service responds."""
        self.create_data_dir()
        keys = write_keys(self._plan.keys_dir)
        self._spawn(SINK, self.sink_command())
        for process_type in PROCESS_TYPES:
            for copy in range(self._copies.get(process_type.name, 1)):
                self._spawn(f"{process_type.name}.{copy}", process_type.command)
        self._open(self._plan.broker_url, keys)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    @property
    def broker_url(self) -> str:
        """The address of the broker, with the user of a test."""
        return self._plan.broker_url

    def sink_command(self) -> tuple[str, ...]:
        """The arguments of ``python -m`` that start the SMTP sink."""
        return ("clp_suite.smtp_sink", str(self.sink_port), str(self.mail_folder))

    def environ(self, name: str) -> dict[str, str]:
        """The environment of a process, for example ``messages.0``."""
        variables = self._plan.environ()
        kind, _, number = name.partition(".")
        if kind == "portal":
            address = f"127.0.0.1:{self.portal_ports[int(number)]}"
            variables["CLP_PORTAL_HTTP_ADDRESS"] = address
        if not name.endswith(".0"):
            # The first copy has the published address; the others take a free port.
            for service in ("MESSAGES", "NOTIFICATIONS"):
                variables[f"CLP_{service}_HTTP_ADDRESS"] = "127.0.0.1:0"
            # Each search process has an index of its own.
            index = f"index.{number}"
            variables["CLP_SEARCH_DATA_DIR"] = str(self.data_dir / index)
        return variables

    def _spawn(self, name: str, command: tuple[str, ...]) -> None:
        with (self.data_dir / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603
                # The kernel ends them when this process dies.
                [*as_account(None), sys.executable, "-W", "ignore", "-m", *command],
                env=without_settings(os.environ) | self.environ(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _wait_until_ready(self) -> None:
        operations = self.client(service=OPERATIONS)
        waiting: dict[str, Callable[[], object]] = {
            "projects": operations.projects.progress,
            "messages": operations.messages.progress,
            "search": operations.search.progress,
            "notifications": operations.notifications.progress,
        }
        if self._copies["portal"]:
            waiting["portal"] = self._reach_portals
        deadline = time.monotonic() + START_TIMEOUT_S
        while waiting:
            for service, progress in list(waiting.items()):
                try:
                    progress()
                except (CallFailed, Refused):
                    continue
                del waiting[service]
            self._require_alive()
            if time.monotonic() > deadline:
                raise NotStarted(f"no response from {sorted(waiting)}")
            time.sleep(0.05)

    def _reach_portals(self) -> None:
        """Raise unless every process of the portal accepts connections."""
        for port in self.portal_ports:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except OSError as error:
                raise CallFailed(f"no portal at port {port}") from error

    def _require_alive(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                raise NotStarted(f"{name} ended: {self.log_tail(name)}")

    def log_tail(self, name: str) -> str:
        """The last lines of a process's log."""
        log = self.data_dir / f"{name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-20:])

    def pids(self) -> list[int]:
        """The process ids of the services, without the SMTP sink's."""
        return [p.pid for name, p in self._running.items() if name != SINK]

    def pids_of(self, kind: str) -> list[int]:
        """The process ids of one process type."""
        names = (name for name in self._running if name.partition(".")[0] == kind)
        return [self._running[name].pid for name in names]

    def kill(self, name: str) -> None:
        """Send SIGKILL to a process, for example ``messages.0``."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def restart(self, name: str) -> None:
        """Start a killed process again under its name."""
        kind = name.partition(".")[0]
        command = next(t.command for t in PROCESS_TYPES if t.name == kind)
        self._spawn(name, command)

    @override
    def stop(self) -> None:
        """Send SIGTERM to every process, then SIGKILL after a timeout."""
        # The sink last: delivery may still be sending.
        for name in sorted(self._running, key=lambda name: name == SINK):
            self._running[name].send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
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
        """The base URL of uploads and downloads."""
        return f"http://127.0.0.1:{self._plan.messages_port}"

    @property
    @override
    def unsubscribe_url(self) -> str:
        """The base URL of the unsubscribe pages."""
        return f"http://127.0.0.1:{self._plan.notifications_port}"

    @property
    @override
    def mail_folder(self) -> Path:
        """The folder in which the SMTP sink stores mails."""
        return self.data_dir / "sink"
