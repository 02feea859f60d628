"""What every suite offers, however its services run."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from clp_chassis.concurrency.loop_timer import within
from clp_chassis.security.passports import Issuer
from clp_contracts.client import Callers, Calls
from clp_contracts.connection_pool import Lines
from clp_contracts.methods import PassportKind
from clp_suite.http_client import Files
from clp_suite.idle import is_idle

OPERATIONS: Final = "operations"


class NotSettled(Exception):
    """Work was still going on when the patience ended."""


class Suite(ABC):
    """Four services, callers for anybody, and the mails they handed over."""

    def __init__(self, data_dir: Path | str) -> None:
        self.data_dir = Path(data_dir).resolve()
        self._issuer: Issuer | None = None
        self._sources: dict[tuple[str, PassportKind], Callable[[], str]] = {}
        self._lines: Lines | None = None

    @abstractmethod
    def start(self) -> None:
        """Start the services; they answer when this returns."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the services."""

    @property
    @abstractmethod
    def http_url(self) -> str:
        """Where attachments are uploaded and downloaded."""

    @property
    @abstractmethod
    def stop_pages_url(self) -> str:
        """Where the links lead that stop mails."""

    @property
    @abstractmethod
    def mail_folder(self) -> Path:
        """The folder of mails handed over, one file each, names in order of time."""

    def close_data_dir(self) -> None:
        """Make the folder, for this account only: people's words lie in it."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir.chmod(0o700)

    def _open(self, broker_url: str, issuer: Issuer, timeout: float = 10.0) -> None:
        self._issuer = issuer
        self._sources = {}
        self._lines = Lines(broker_url, timeout, within)

    def caller(
        self, person: str | None = None, *, service: str | None = None
    ) -> Callers:
        """Typed callers for a person, or for a service of another team."""
        if (person is None) == (service is None):
            raise ValueError("name a person or a service")
        if service is not None:
            return self._callers(service, PassportKind.SERVICE)
        return self._callers(str(person), PassportKind.PERSON)

    def robot(self) -> Callers:
        """Typed callers for the robot."""
        return self._callers("robot", PassportKind.ROBOT)

    def files(self, person: str) -> Files:
        """Upload and download as a person."""
        return Files(self.http_url, lambda: self.passport(person))

    def passport(self, subject: str, kind: PassportKind = PassportKind.PERSON) -> str:
        """A passport that is good for a minute at least."""
        if self._issuer is None:
            raise RuntimeError("the suite is not running")
        source = self._sources.get((subject, kind))
        if source is None:
            source = self._issuer.source(subject, kind)
            self._sources[subject, kind] = source
        return source()

    def _callers(self, subject: str, kind: PassportKind) -> Callers:
        if self._lines is None:
            raise RuntimeError("the suite is not running")
        return Callers(Calls(self._lines, lambda: self.passport(subject, kind)))

    def call(
        self, method: str, arguments: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        """Call ``SERVICE.METHOD`` as a program of strangers might, with any context."""
        if self._lines is None:
            raise RuntimeError("the suite is not running")
        service, _, name = method.partition(".")
        return self._lines.call((service, name), arguments, context)

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until outboxes, index and due mails are idle.

        Raises:
            NotSettled: when that takes longer than ``seconds``.
        """
        operations = self.caller(service=OPERATIONS)
        deadline = time.monotonic() + seconds
        while True:
            # In the order in which work moves on: what one has left is the next one's.
            seen = {
                "projects": operations.projects.progress(),
                "messages": operations.messages.progress(),
                "search": operations.search.progress(),
                "notifications": operations.notifications.progress(),
            }
            if is_idle(seen):
                return
            if time.monotonic() > deadline:
                raise NotSettled(f"still at work after {seconds:g} s: {seen}")
            time.sleep(0.01)

    def mails(self) -> list[bytes]:
        """Raw bytes of the mails handed over, oldest first."""
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
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        self.stop()
