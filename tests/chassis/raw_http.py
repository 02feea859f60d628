"""A raw HTTP client: sends exactly these bytes and reads exactly the response."""

import json
import socket
import struct
from types import TracebackType
from typing import Any, Self


class HttpResponse:
    """A status, headers and a body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/json"
        return str(self.json["code"])


class Wire:
    """One connection."""

    def __init__(
        self,
        address: tuple[str, int],
        seconds: float = 20.0,
        source: str = "127.0.0.1",
    ) -> None:
        self.socket = socket.create_connection(address, seconds, (source, 0))
        self._reader = self.socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        self.socket.sendall(b"".join(pieces))

    def request(
        self, verb: str, path: str, body: bytes | None = None, **headers: str
    ) -> HttpResponse:
        self.send(request(verb, path, body, **headers))
        return self.read_response(head=verb == "HEAD")

    def read_response(self, *, head: bool = False) -> HttpResponse:
        """Read the next response."""
        line = self._reader.readline().split()
        if not line:
            raise ConnectionError("closed without a response")
        headers: dict[str, str] = {}
        while (raw := self._reader.readline().strip()) != b"":
            name, _, value = raw.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        return HttpResponse(
            int(line[1]), headers, b"" if head else self._reader.read(length)
        )

    def read_head(self) -> dict[str, str]:
        """Read the status and headers of a response with an endless body."""
        headers = {"status": self._reader.readline().split()[1].decode()}
        while (raw := self._reader.readline().strip()) != b"":
            name, _, value = raw.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return headers

    def read_chunk(self) -> bytes:
        """Read a chunk of a chunked body; nothing at its end."""
        size = int(self._reader.readline(), 16)
        chunk = self._reader.read(size)
        self._reader.read(2)
        return chunk

    def is_closed(self) -> bool:
        """Whether the server closes the connection now, before its timeout."""
        self.socket.settimeout(5)
        try:
            return self._reader.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def no_more(self) -> None:
        """Send nothing more, and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Reset the connection as a crash does."""
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.close()

    def close(self) -> None:
        """Close the connection; the socket's own `close` waits for its reader."""
        self._reader.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def request(verb: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "Host: files.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
