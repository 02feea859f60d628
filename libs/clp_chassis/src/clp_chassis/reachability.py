"""Why a server cannot be reached, in words, and the log of a wait for one."""

import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from logging import Logger
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kombu import Connection
from sqlalchemy.engine import make_url

from clp_chassis.observability.logs import safe_error_text
from clp_chassis.persistence.database import Database
from clp_contracts.broker_address import BrokerAddress

LOG_INTERVAL_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 2.0
WRONG_LOGIN: Final = "wrong user or password"
UNKNOWN_HOST: Final = "unknown host"
REFUSED: Final = "connection refused, nothing listens there"
NO_RESPONSE: Final = "no response in time"
NO_VHOST: Final = "no such virtual host, or not for this user"
UNTRUSTED: Final = "its certificate is not trusted"
# Classes of errors, then words that RabbitMQ, PostgreSQL, their drivers and relays put
# into the texts of errors; the first that fits is the reason.
REASONS_BY_TYPE: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ssl.SSLCertVerificationError, UNTRUSTED),
    (socket.gaierror, UNKNOWN_HOST),
    (ConnectionRefusedError, REFUSED),
    (TimeoutError, NO_RESPONSE),
)
REASONS_BY_TEXT: Final[Mapping[str, str]] = {
    "password authentication failed": WRONG_LOGIN,
    "access_refused": WRONG_LOGIN,
    "login was refused": WRONG_LOGIN,
    "no password supplied": WRONG_LOGIN,
    "no pg_hba.conf entry": "this user may not connect from here to this database",
    "permission denied for database": "this user may not connect to this database",
    "starting up": "it is still starting",
    "not_allowed": NO_VHOST,
    "vhost": NO_VHOST,
    "certificate verify failed": UNTRUSTED,
    "root certificate file": "the file of its certificate authority cannot be read",
    "does not exist": "no such database",
    "failed to resolve host": UNKNOWN_HOST,
    "name or service not known": UNKNOWN_HOST,
    "connection refused": REFUSED,
    "timeout expired": NO_RESPONSE,
    "timed out": NO_RESPONSE,
    "unable to open database file": "the file cannot be opened",
    "closed the connection": "it closed the connection",
}


def reason_of(error: BaseException) -> str:
    """Return in words why a server could not be used."""
    errors = list(_causes(error))
    for one in errors:
        for kind, reason in REASONS_BY_TYPE:
            if isinstance(one, kind):
                return reason
    texts = " ".join(str(one) for one in errors).lower()
    for words, reason in REASONS_BY_TEXT.items():
        if words in texts:
            return reason
    return safe_error_text(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        original = getattr(seen, "orig", None)
        cause = original if isinstance(original, BaseException) else None
        seen = cause or seen.__cause__


def place_of(url: str) -> str:
    """Return a URL without password and parameters, as logs may show it."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        user = f"{parts.username}@" if parts.username else ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the given address"
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


@dataclass(slots=True)
class WaitLog:
    """Log that a server is waited for: which, where and why; every ten seconds."""

    log: Logger
    server: str
    url: str
    _logged_at: float = float("-inf")

    def failed(self, error: BaseException) -> None:
        """Log a failed attempt, unless that was logged lately."""
        if time.monotonic() - self._logged_at >= LOG_INTERVAL_S:
            place, reason = place_of(self.url), reason_of(error)
            self.log.warning("waiting for the %s %s: %s", self.server, place, reason)
            self._logged_at = time.monotonic()

    def succeeded(self) -> None:
        """Log that it is there, if a wait was logged."""
        if self._logged_at > float("-inf"):
            self.log.info("the %s %s is available", self.server, place_of(self.url))


def require_broker(url: str) -> None:
    """Raise when a broker accepts no connection and login."""
    address = BrokerAddress.read(url)
    connection = Connection(
        address.url, ssl=address.tls, connect_timeout=CONNECT_TIMEOUT_S
    )
    connection.transport.establish_connection().close()


def require_database(url: str) -> None:
    """Raise when a database accepts no connection; a missing file is not created."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        require_folder(Path(address.database or "").resolve().parent)
        return
    database = Database(url, 1)
    try:
        database.ping()
    finally:
        database.close()


def require_folder(folder: Path) -> None:
    """Raise when a folder cannot be written, or made in the nearest one there is."""
    nearest = next(
        path for path in (folder, *folder.resolve().parents) if path.exists()
    )
    if not nearest.is_dir():
        raise NotADirectoryError(f"{nearest} is no folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(f"{nearest} is not writable by this account")


def require_connection(url: str) -> None:
    """Raise when no server listens at the host and port of a URL."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    with socket.create_connection((parts.hostname, port), CONNECT_TIMEOUT_S):
        pass


def require_free_port(host: str, port: int) -> None:
    """Raise when this process cannot listen on an address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family):
        pass
