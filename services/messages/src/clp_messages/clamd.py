"""Asking a virus scanner about a file: clamd's INSTREAM, over TCP or a Unix socket.

The clients there are for it are no longer kept, or speak to one kind of socket in
thousands of tiny pieces; what is needed of the protocol is one exchange.
"""

import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Protocol, Self
from urllib.parse import unquote, urlsplit

CLEAN: Final = b" OK"
FOUND: Final = b" FOUND"
LENGTH: Final = struct.Struct("!L")
LONGEST_ANSWER: Final = 4096
END: Final = b"\0"


class NotScanned(Exception):
    """The scanner came to no finding; the text says why."""


class ScannerAway(NotScanned):
    """The scanner cannot be reached at all."""


class Scanner(Protocol):
    """Looks into a file."""

    def finding(self, pieces: Iterable[bytes]) -> str | None:
        """What a file is infected with, or None; raises `NotScanned`."""


class Clamd:
    """A clamd at an address; each file is a connection of its own."""

    def __init__(self, address: str | tuple[str, int], seconds: float) -> None:
        self._address = address
        self._seconds = seconds

    @classmethod
    def at(cls, url: str, seconds: float) -> Self:
        """The scanner of ``tcp://HOST:PORT`` or ``unix:///PATH``.

        Raises:
            ValueError: in words for whoever wrote the address.
        """
        parts = urlsplit(url)
        if parts.scheme == "unix" and len(parts.path) > 1 and not parts.netloc:
            return cls(unquote(parts.path), seconds)
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return cls((parts.hostname, parts.port), seconds)
        raise ValueError("must read tcp://HOST:PORT or unix:///PATH")

    def finding(self, pieces: Iterable[bytes]) -> str | None:
        """What a file is infected with, or None."""
        deadline = time.monotonic() + self._seconds
        with self._connected() as sock:
            try:
                self._tell(sock, pieces, deadline)
            except OSError as error:
                # It hangs up on what it finds too long, and says so first.
                why = f"{type(error).__name__} {_rest_of(sock)!r}"
                raise NotScanned(why) from error
            answer = self._answer(sock, deadline)
        if answer.endswith(CLEAN):
            return None
        if answer.endswith(FOUND):
            return _name_in(answer)
        raise NotScanned(repr(answer))

    def _connected(self) -> socket.socket:
        try:
            if isinstance(self._address, tuple):
                return socket.create_connection(self._address, self._seconds)
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.settimeout(self._seconds)
                sock.connect(self._address)
            except BaseException:
                sock.close()
                raise
        except OSError as error:
            raise ScannerAway(str(error)) from error
        return sock

    def _tell(
        self, sock: socket.socket, pieces: Iterable[bytes], deadline: float
    ) -> None:
        sock.sendall(b"zINSTREAM\0")
        for piece in pieces:
            sock.settimeout(_left(deadline))
            sock.sendall(LENGTH.pack(len(piece)) + piece)
        sock.sendall(LENGTH.pack(0))

    def _answer(self, sock: socket.socket, deadline: float) -> bytes:
        answer = b""
        try:
            while not answer.endswith(END) and len(answer) < LONGEST_ANSWER:
                sock.settimeout(_left(deadline))
                if not (heard := sock.recv(LONGEST_ANSWER)):
                    break
                answer += heard
        except OSError as error:
            raise NotScanned(type(error).__name__) from error
        return answer.rstrip(END + b"\n")


def scanner_at(url: str, seconds: float) -> Scanner | None:
    """The scanner of a ``scanner_url``; none when it is empty."""
    return Clamd.at(url, seconds) if url else None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _rest_of(sock: socket.socket) -> bytes:
    with suppress(OSError):
        sock.settimeout(0.2)
        return sock.recv(LONGEST_ANSWER)
    return b""


def _name_in(answer: bytes) -> str:
    _, _, told = answer.removesuffix(FOUND).partition(b": ")
    # It goes into a log, so it is one short plain word whatever the scanner says.
    return told.decode("ascii", "replace").encode("ascii", "replace").decode()[:100]
