"""Read many event streams at once and print when each message arrived.

A program of its own on standard sockets, so that reading costs the portal nothing. It
reads one JSON object from its input: ``targets`` (url, session), ``seconds``.
"""

import json
import re
import selectors
import socket
import sys
import time
from typing import Final
from urllib.parse import urlsplit

NUMBER: Final = re.compile(rb'^data:.*"number":(\d+)', re.MULTILINE)


def main() -> None:
    """Open every stream, say so, and read until the time is over."""
    plan = json.loads(sys.stdin.readline())
    selector = selectors.DefaultSelector()
    for url, session in plan["targets"]:
        selector.register(_opened(url, session), selectors.EVENT_READ, bytearray())
    _ = sys.stdout.write("open\n")
    sys.stdout.flush()
    seen: list[tuple[int, float]] = []
    deadline = time.monotonic() + plan["seconds"]
    while (left := deadline - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            stream = key.fileobj
            assert isinstance(stream, socket.socket)
            data = stream.recv(65536)
            if not data:
                selector.unregister(stream)
                continue
            _take(key.data, data, seen)
    _ = sys.stdout.write(json.dumps(seen))


def _take(buffer: bytearray, data: bytes, seen: list[tuple[int, float]]) -> None:
    buffer += data
    at = time.time()
    *events, rest = bytes(buffer).split(b"\n\n")
    buffer[:] = rest
    seen.extend(
        (int(found[1]), at)
        for event in events
        if b"event: message" in event and (found := NUMBER.search(event))
    )


def _opened(url: str, session: str) -> socket.socket:
    parts = urlsplit(url)
    stream = socket.create_connection((parts.hostname or "", parts.port or 80))
    head = (
        f"GET /-/stream?project=p1 HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Cookie: __Host-clp={session}\r\nAccept: text/event-stream\r\n\r\n"
    )
    stream.sendall(head.encode())
    first = stream.recv(4096)
    if b" 200 " not in first.partition(b"\r\n")[0]:
        raise SystemExit(f"{url}: {first[:200]!r}")
    return stream


if __name__ == "__main__":
    main()
