"""Upload to several servers in rotation, over connections that stay open.

A program of its own, without eventlet: it prints the milliseconds of each upload. Its
argument is a JSON object: ``targets`` (name -> host, port, path, token), ``rounds``,
``size``.
"""

import json
import socket
import sys
import time
from typing import Any

MAX_RESPONSE = 65536


def main() -> None:
    """Upload in rotation and print the times."""
    plan = json.loads(sys.argv[1])
    body = b"%PDF-1.7\n".ljust(plan["size"], b"\n")
    lines = {name: _opened(t, len(body)) for name, t in plan["targets"].items()}
    took: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(plan["rounds"]):
        for name, (sock, head) in lines.items():
            begun = time.perf_counter()
            sock.sendall(head)
            sock.sendall(body)
            response = sock.recv(MAX_RESPONSE)
            took[name].append((time.perf_counter() - begun) * 1000)
            if b" 201 " not in response.partition(b"\r\n")[0]:
                raise SystemExit(f"{name}: {response!r}")
    _ = sys.stdout.write(json.dumps(took))


def _opened(target: dict[str, Any], size: int) -> tuple[socket.socket, bytes]:
    sock = socket.create_connection((target["host"], target["port"]))
    head = (
        f"POST {target['path']} HTTP/1.1\r\nHost: files.example\r\n"
        f"Authorization: Bearer {target['token']}\r\nContent-Length: {size}\r\n\r\n"
    )
    return sock, head.encode()


if __name__ == "__main__":
    main()
