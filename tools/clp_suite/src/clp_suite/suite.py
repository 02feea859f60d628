"""The interface of every suite, however its services run."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from clp_chassis.concurrency import loop_timer
from clp_contracts.client import Clients, RpcClient
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.methods import PassportKind
from clp_deploy.keys import KeyRing
from clp_suite.http_client import FilesClient
from clp_suite.idle import is_idle

OPERATIONS: Final = "operations"
MIN_PAUSE_S: Final = 0.01
MAX_PAUSE_S: Final = 0.1


class NotSettled(Exception):
    """Work was still going on at the timeout."""


class Suite(ABC):
    """The services, typed clients for any subject, and the mails they sent."""

    def __init__(self, data_dir: Path | str) -> None:
        self.data_dir = Path(data_dir).resolve()
        self._keys: KeyRing | None = None
        self._sources: dict[tuple[str, PassportKind], Callable[[str], str]] = {}
        self._pool: RpcConnectionPool | None = None

    @abstractmethod
    def start(self) -> None:
        """Start the services; they accept calls when this returns."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the services."""

    @property
    @abstractmethod
    def http_url(self) -> str:
        """The base URL of uploads and downloads."""

    @property
    @abstractmethod
    def unsubscribe_url(self) -> str:
        """The base URL of the unsubscribe pages."""

    @property
    @abstractmethod
    def mail_folder(self) -> Path:
        """The folder of mails sent, one file each, names in order of time."""

    def create_data_dir(self) -> None:
        """Create the data folder with mode 0700: it holds messages and keys."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir.chmod(0o700)

    def _open(self, broker_url: str, keys: KeyRing, timeout: float = 10.0) -> None:
        self._keys = keys
        self._sources = {}
        self._pool = RpcConnectionPool(broker_url, timeout, loop_timer.timeout)

    def client(
        self, person: str | None = None, *, service: str | None = None
    ) -> Clients:
        """Typed clients for a person, or for a service of another team.

        Raises:
            ValueError: unless exactly one of the two is named.
        """
        if (person is None) == (service is None):
            raise ValueError("name a person or a service")
        if service is not None:
            return self._clients(service, PassportKind.SERVICE)
        return self._clients(str(person), PassportKind.PERSON)

    def files(self, person: str) -> FilesClient:
        """Upload and download as a person."""
        return FilesClient(self.http_url, lambda: self.passport(person))

    def passport(
        self,
        subject: str,
        kind: PassportKind = PassportKind.PERSON,
        *,
        audience: str = "messages",
    ) -> str:
        """Return a passport for one service, valid for a minute at least."""
        if self._keys is None:
            raise RuntimeError("the suite is not running")
        source = self._sources.get((subject, kind))
        if source is None:
            source = self._keys.source(subject, kind)
            self._sources[subject, kind] = source
        return source(audience)

    def _clients(self, subject: str, kind: PassportKind) -> Clients:
        if self._pool is None:
            raise RuntimeError("the suite is not running")
        return Clients(
            RpcClient(
                self._pool,
                lambda service: self.passport(subject, kind, audience=service),
            )
        )

    def call(
        self, method: str, arguments: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        """Call ``SERVICE.METHOD`` without a typed client, with any context."""
        if self._pool is None:
            raise RuntimeError("the suite is not running")
        service, _, name = method.partition(".")
        return self._pool.call(service, name, arguments, context=context)

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until outboxes, index and due mails are idle.

        Raises:
            NotSettled: when that takes longer than ``seconds``.
        """
        operations = self.client(service=OPERATIONS)
        deadline = time.monotonic() + seconds
        pause = MIN_PAUSE_S
        while True:
            # In the order in which work flows: each service feeds the next.
            services = {
                "projects": operations.projects.progress(),
                "messages": operations.messages.progress(),
                "search": operations.search.progress(),
                "notifications": operations.notifications.progress(),
            }
            if is_idle(services):
                return
            if time.monotonic() > deadline:
                raise NotSettled(f"still busy after {seconds:g} s: {services}")
            time.sleep(pause)
            # Asking often would itself be much of the work.
            pause = min(1.5 * pause, MAX_PAUSE_S)

    def mails(self) -> list[bytes]:
        """Raw bytes of the mails sent, oldest first."""
        folder = self.mail_folder
        if not folder.exists():
            return []
        files = (path for path in folder.iterdir() if path.name[0] != ".")
        return [path.read_bytes() for path in sorted(files, key=lambda p: p.name)]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        self.stop()
