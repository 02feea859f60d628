"""A scanner that speaks clamd's protocol and finds the antivirus test text."""

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import eventlet

from tests.cases.loading import EICAR

NAME = "Eicar-Test-Signature"
LIMIT = 25 * 1024 * 1024


class FakeClamd:
    """Replies by what it finds, with a configured reply, or not at all."""

    def __init__(self, address: Any) -> None:
        self.address = address
        self.files: list[bytes] = []
        self.reply: bytes | None = None
        self.limit = LIMIT
        self.is_silent = False

    @property
    def url(self) -> str:
        if isinstance(self.address, str):
            return f"unix://{self.address}"
        return f"tcp://{self.address[0]}:{self.address[1]}"

    def serve(self, sock: Any, _address: Any) -> None:
        with suppress(OSError), sock:
            while self.is_silent:
                eventlet.sleep(0.01)
            sock.sendall(self._reply_to(sock))

    def _reply_to(self, sock: Any) -> bytes:
        stream = sock.makefile("rb")
        command = stream.read(len(b"zINSTREAM\0"))
        if command != b"zINSTREAM\0":
            return b"UNKNOWN COMMAND\0"
        body = b""
        while length := struct.unpack("!L", stream.read(4))[0]:
            if len(body) + length > self.limit:
                return b"INSTREAM size limit exceeded. ERROR\0"
            body += stream.read(length)
        self.files.append(body)
        if self.reply is not None:
            return self.reply
        match = re.search(re.escape(EICAR.encode()), body)
        return f"stream: {NAME} FOUND\0".encode() if match else b"stream: OK\0"


@contextmanager
def fake_clamd(path: str | None = None) -> Iterator[FakeClamd]:
    """A scanner on a free port, or on a Unix socket."""
    if path is None:
        sock = eventlet.listen(("127.0.0.1", 0))
    else:
        sock = eventlet.listen(path, family=socket.AF_UNIX)
    scanner = FakeClamd(path or sock.getsockname())
    serving = eventlet.spawn(eventlet.serve, sock, scanner.serve)
    try:
        yield scanner
    finally:
        serving.kill()
        sock.close()
