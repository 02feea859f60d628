"""A client of the clamd virus scanner: INSTREAM over TCP or a Unix socket.

The published clients are unmaintained or support one kind of socket only; the one
command needed of the protocol is short.
"""

import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self
from urllib.parse import unquote, urlsplit

CLEAN: Final = b" OK"
FOUND: Final = b" FOUND"
LENGTH: Final = struct.Struct("!L")
MAX_REPLY_BYTES: Final = 4096
END: Final = b"\0"


class NotScanned(Exception):
    """The scanner gave no result; the message says why."""


class ScannerUnavailable(NotScanned):
    """The scanner cannot be reached."""


class Scanner(Protocol):
    """Scans files."""

    def ping(self) -> None:
        """Raise when the scanner does not respond."""

    def finding(self, chunks: Iterable[bytes]) -> str | None:
        """Return what a file is infected with, or None.

        Raises:
            NotScanned: if the scanner gives no result.
        """


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port."""

    host: str
    port: int


class Clamd:
    """A clamd at an address; each scan opens a connection."""

    def __init__(self, address: TcpAddress | Path, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s

    @classmethod
    def at(cls, url: str, timeout_s: float) -> Self:
        """Create a client for ``tcp://HOST:PORT`` or ``unix:///PATH``.

        Raises:
            ValueError: with a sentence for the operator who set the address.
        """
        address = urlsplit(url)
        if address.scheme == "unix" and len(address.path) > 1 and not address.netloc:
            return cls(Path(unquote(address.path)), timeout_s)
        if address.scheme == "tcp" and address.hostname and address.port:
            return cls(TcpAddress(address.hostname, address.port), timeout_s)
        raise ValueError("must read tcp://HOST:PORT or unix:///PATH")

    def ping(self) -> None:
        """Raise when clamd does not respond."""
        with self._connect() as sock:
            sock.sendall(b"zPING\0")
            self._reply(sock, time.monotonic() + self._timeout_s)

    def finding(self, chunks: Iterable[bytes]) -> str | None:
        """Return what a file is infected with, or None."""
        deadline = time.monotonic() + self._timeout_s
        with self._connect() as sock:
            try:
                self._send(sock, chunks, deadline)
            except OSError as error:
                # clamd replies with the reason before it closes the connection.
                reason = f"{type(error).__name__} {_pending_reply(sock)!r}"
                raise NotScanned(reason) from error
            reply = self._reply(sock, deadline)
        if reply.endswith(CLEAN):
            return None
        if reply.endswith(FOUND):
            return _name_in(reply)
        raise NotScanned(repr(reply))

    def _connect(self) -> socket.socket:
        try:
            if isinstance(self._address, TcpAddress):
                host_and_port = (self._address.host, self._address.port)
                return socket.create_connection(host_and_port, self._timeout_s)
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.settimeout(self._timeout_s)
                sock.connect(str(self._address))
            except BaseException:
                sock.close()
                raise
        except OSError as error:
            raise ScannerUnavailable(str(error)) from error
        return sock

    def _send(
        self, sock: socket.socket, chunks: Iterable[bytes], deadline: float
    ) -> None:
        sock.sendall(b"zINSTREAM\0")
        for chunk in chunks:
            sock.settimeout(_seconds_left(deadline))
            sock.sendall(LENGTH.pack(len(chunk)) + chunk)
        sock.sendall(LENGTH.pack(0))

    def _reply(self, sock: socket.socket, deadline: float) -> bytes:
        reply = b""
        try:
            while not reply.endswith(END) and len(reply) < MAX_REPLY_BYTES:
                sock.settimeout(_seconds_left(deadline))
                if not (received := sock.recv(MAX_REPLY_BYTES)):
                    break
                reply += received
        except OSError as error:
            raise NotScanned(type(error).__name__) from error
        return reply.rstrip(END + b"\n")


def open_scanner(url: str, timeout_s: float) -> Scanner | None:
    """Create the scanner of a ``scanner_url``; None if it is empty."""
    return Clamd.at(url, timeout_s) if url else None


def _seconds_left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _pending_reply(sock: socket.socket) -> bytes:
    with suppress(OSError):
        sock.settimeout(0.2)
        return sock.recv(MAX_REPLY_BYTES)
    return b""


def _name_in(reply: bytes) -> str:
    _, _, name = reply.removesuffix(FOUND).partition(b": ")
    # Logged, so it is cut to a short ASCII text whatever the scanner sends.
    return name.decode("ascii", "replace").encode("ascii", "replace").decode()[:100]
