"""A raw HTTP client: says exactly these bytes, and hears exactly what comes back."""

import json
import socket
import struct
from types import TracebackType
from typing import Any, Self


class Answer:
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

    def __init__(self, address: tuple[str, int], seconds: float = 20.0) -> None:
        self.socket = socket.create_connection(address, timeout=seconds)
        self._heard = self.socket.makefile("rb")

    def say(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def ask(
        self, verb: str, path: str, body: bytes | None = None, **headers: str
    ) -> Answer:
        self.say(request(verb, path, body, **headers))
        return self.hear(head=verb == "HEAD")

    def hear(self, *, head: bool = False) -> Answer:
        """The next answer."""
        line = self._heard.readline().split()
        if not line:
            raise ConnectionError("closed without an answer")
        headers: dict[str, str] = {}
        while (raw := self._heard.readline().strip()) != b"":
            name, _, value = raw.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        return Answer(int(line[1]), headers, b"" if head else self._heard.read(length))

    def is_closed(self) -> bool:
        """Whether the other side closes now, before its patience with us ends."""
        self.socket.settimeout(5)
        try:
            return self._heard.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def no_more(self) -> None:
        """Say nothing more, and listen on."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection as a crash does."""
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._heard.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._heard.close()
        self.socket.close()


def request(verb: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "Host: files.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
