"""Private RabbitMQ and PostgreSQL servers on free loopback ports.

For tests and for ``make up``: each has a random password and writes below one
directory.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import amqp
import psycopg
from typing_extensions import override

from clp_deploy.broker_permissions import password_hash
from clp_suite.server_access import SUPERUSER, DatabaseAccess
from clp_suite.server_process import (
    LOOPBACK,
    ServerError,
    ServerProcess,
    account_for,
    can_connect,
    create_directory_for,
    free_ports,
    server_directory,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

__all__ = [
    "Availability",
    "PrivatePostgres",
    "PrivateRabbit",
    "ServerError",
    "server_directory",
]

START_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 20
POSTGRES_LIBRARIES: Final = Path("/usr/lib/postgresql")
RABBIT_LIBRARY: Final = Path("/usr/lib/rabbitmq/bin")


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a server can be started here; falsy with the missing programs."""

    missing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.missing

    @override
    def __str__(self) -> str:
        return "missing: " + ", ".join(self.missing) if self.missing else "available"


class _PrivateServer(ABC):
    """Directory, account and life cycle of a private server."""

    PREFERRED_ACCOUNT: str
    STOP_SIGNAL: signal.Signals

    def __init__(self, directory: Path) -> None:
        if not (availability := self.available()):
            raise ServerError(f"{type(self).__name__}: {availability}")
        self.directory = directory
        self.account = account_for(self.PREFERRED_ACCOUNT)
        self.password = secrets.token_hex(16)

    @classmethod
    @abstractmethod
    def available(cls) -> Availability:
        """Whether the server's programs are installed."""

    @property
    @abstractmethod
    def is_running(self) -> bool: ...

    @abstractmethod
    def start(self) -> None:
        """Start the server; clients can connect when this returns."""

    @abstractmethod
    def _end(self, signal_number: signal.Signals, seconds: float) -> None: ...

    def stop(self) -> None:
        """Shut down cleanly and keep all data."""
        self._end(self.STOP_SIGNAL, STOP_TIMEOUT_S)

    def kill_hard(self) -> None:
        """Send SIGKILL and keep what had reached the disk."""
        self._end(signal.SIGKILL, STOP_TIMEOUT_S)

    def restart(self) -> None:
        """Shut down cleanly and start again on the same port with the same data."""
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Start again on the same port without any data."""
        self.kill_hard()
        shutil.rmtree(self.directory)
        self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill_hard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill_hard()


class PrivateRabbit(_PrivateServer):
    """A private RabbitMQ node with its own port mapper (epmd).

    Args:
        directory: for its data and logs; created if missing.
        settings: further lines of ``rabbitmq.conf``.
        vhosts: virtual hosts to create beside the default one, at each start.
    """

    PREFERRED_ACCOUNT = "rabbitmq"
    STOP_SIGNAL = signal.SIGTERM

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        vhosts: Sequence[str] = (),
    ) -> None:
        super().__init__(directory)
        self._settings = dict(settings or {})
        self._vhosts = vhosts
        self.port, self._epmd_port, self._peer_port = free_ports(3)
        self._node = f"clp{self.port}@localhost"
        self._epmd = ServerProcess(
            [_found("epmd"), "-address", LOOPBACK, "-port", str(self._epmd_port)],
            account=self.account,
            log=directory / "epmd.log",
        )
        self._server = ServerProcess(
            [str(_rabbit_command())],
            account=self.account,
            log=directory / "server.log",
        )

    @classmethod
    @override
    def available(cls) -> Availability:
        missing = [name for name in ("erl", "epmd") if shutil.which(name) is None]
        if not _rabbit_command().exists():
            missing.append("rabbitmq-server")
        return Availability(tuple(missing))

    @property
    def url(self) -> str:
        """The AMQP URL of the default virtual host."""
        return self.url_of("/")

    def url_of(self, vhost: str) -> str:
        """The AMQP URL of a virtual host."""
        return f"amqp://{SUPERUSER}:{self.password}@{LOOPBACK}:{self.port}/{vhost}"

    @property
    @override
    def is_running(self) -> bool:
        return self._server.is_running

    @override
    def start(self) -> None:
        self._server.require_stopped()
        create_directory_for(self.directory, self.account)
        environment = self._environment()
        if not self._epmd.is_running:
            self._epmd.start(environment)
            wait_until(lambda: can_connect(self._epmd_port), 10, self._epmd.log_tail)
        self._server.start(environment)
        wait_until(
            self._is_ready,
            START_TIMEOUT_S,
            lambda: f"RabbitMQ does not respond: {self._server.log_tail()}",
        )

    @override
    def _end(self, signal_number: signal.Signals, seconds: float) -> None:
        self._server.stop(signal_number, seconds)
        self._epmd.stop(signal.SIGKILL, seconds)

    def _write_vhosts(self) -> None:
        names = ("/", *self._vhosts)
        allowed = {"user": SUPERUSER, "configure": ".*", "write": ".*", "read": ".*"}
        superuser = {
            "name": SUPERUSER,
            "password_hash": password_hash(self.password),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": ["administrator"],
        }
        content = {
            "vhosts": [{"name": name} for name in names],
            "users": [superuser],
            "permissions": [{**allowed, "vhost": name} for name in names],
        }
        path = self.directory / "definitions.json"
        path.write_text(json.dumps(content))
        self._settings["load_definitions"] = str(path)

    def _environment(self) -> dict[str, str]:
        if self._vhosts:
            self._write_vhosts()
        config = self.directory / "rabbitmq.conf"
        config.write_text(
            f"listeners.tcp.1 = {LOOPBACK}:{self.port}\n"
            "default_user = clp\n"
            f"default_pass = {self.password}\n"
            "disk_free_limit.absolute = 50MB\n"
            "log.console = true\n"
            "log.console.level = warning\n"
            "log.file = false\n"
            + "".join(f"{name} = {value}\n" for name, value in self._settings.items())
        )
        plugins = self.directory / "enabled_plugins"
        plugins.write_text("[].\n")
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._peer_port),
            "RABBITMQ_CONF_ENV_FILE": str(self.directory / "no-such-file"),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "data"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false +S 2:2"
            ),
            # Makes the start script exec the server instead of supervising it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _is_ready(self) -> bool:
        if not self.is_running:
            raise ServerError(f"RabbitMQ ended: {self._server.log_tail()}")
        connection = amqp.Connection(
            f"{LOOPBACK}:{self.port}", "clp", self.password, connect_timeout=5
        )
        try:
            connection.connect()
        except (OSError, amqp.AMQPError):
            return False
        connection.close()
        return True


class PrivatePostgres(_PrivateServer):
    """A private PostgreSQL cluster.

    Args:
        directory: for its data; created if missing.
        durable: False turns fsync off, which is faster and safe unless the machine
            itself fails.
        settings: further settings of the server.
    """

    PREFERRED_ACCOUNT = "postgres"
    STOP_SIGNAL = signal.SIGINT

    def __init__(
        self,
        directory: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(directory)
        (self.port,) = free_ports(1)
        self._data = directory / "data"
        on_or_off = "on" if durable else "off"
        all_settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": on_or_off,
            "synchronous_commit": on_or_off,
            "full_page_writes": on_or_off,
            **(settings or {}),
        }
        self._server = ServerProcess(
            [
                str(_postgres_programs() / "postgres"),
                *("-D", str(self._data)),
                *(f"--{name}={value}" for name, value in all_settings.items()),
            ],
            account=self.account,
            log=directory / "server.log",
        )

    @classmethod
    @override
    def available(cls) -> Availability:
        programs = _postgres_programs()
        required = ("initdb", "postgres")
        return Availability(tuple(n for n in required if not (programs / n).exists()))

    @property
    def access(self) -> DatabaseAccess:
        """The superuser's access, which other processes can use as well."""
        return DatabaseAccess(self.port, self.password)

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database, empty or a copy of ``template``; return its URL."""
        return self.access.create_database(name, template=template)

    def serving_url(self, name: str) -> str:
        """The URL of a migrated database for the role that serves."""
        return self.access.serving_url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database and end its connections."""
        self.access.drop_database(name)

    @property
    @override
    def is_running(self) -> bool:
        return self._server.is_running

    @override
    def start(self) -> None:
        self._server.require_stopped()
        create_directory_for(self.directory, self.account)
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        if not self._data.exists():
            self._make_cluster(environment)
        self._server.start(environment)
        wait_until(
            self._is_ready,
            START_TIMEOUT_S,
            lambda: f"PostgreSQL does not respond: {self._server.log_tail()}",
        )

    @override
    def _end(self, signal_number: signal.Signals, seconds: float) -> None:
        self._server.stop(signal_number, seconds)

    def _make_cluster(self, environment: dict[str, str]) -> None:
        secret = self.directory / "password"
        secret.write_text(self.password)
        options = ["-U", "clp", "-A", "password", "--pwfile", str(secret), "--no-sync"]
        options += ["-E", "UTF8", "--locale", "C.UTF-8", "-D", str(self._data)]
        result = subprocess.run(  # noqa: S603 - fixed commands
            [str(_postgres_programs() / "initdb"), *options],
            env=environment,
            user=self.account,
            group=self.account,
            extra_groups=[] if self.account else None,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        secret.unlink()
        if result.returncode:
            raise ServerError(f"initdb: {result.stdout}{result.stderr}")

    def _is_ready(self) -> bool:
        if not self.is_running:
            raise ServerError(f"PostgreSQL ended: {self._server.log_tail()}")
        try:
            self.access.connect().close()
        except psycopg.OperationalError:
            return False
        return True


def _found(program: str) -> str:
    return shutil.which(program) or program


def _rabbit_command() -> Path:
    """The upstream script: Debian's wrapper insists on its own directories."""
    return RABBIT_LIBRARY / "rabbitmq-server"


def _postgres_programs() -> Path:
    """The folder of PostgreSQL's programs: Debian's newest, or the one in PATH."""
    versions = sorted(
        (
            path
            for path in POSTGRES_LIBRARIES.glob("*/bin")
            if path.parent.name.isdigit()
        ),
        key=lambda path: int(path.parent.name),
    )
    in_path = Path(shutil.which("postgres") or "postgres").parent
    return versions[-1] if versions else in_path
