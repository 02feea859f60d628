"""The least that an upload can be: read, hash, fsync, respond.

A baseline for the real upload: one connection after the other, no HTTP but the end of a
head, no passport, no rows. ``python bare_receiver.py PORT FOLDER``.
"""

import hashlib
import os
import re
import socket
import sys
from pathlib import Path

PIECE = 64 * 1024
LENGTH = re.compile(rb"Content-Length: (\d+)")
RESPONSE = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


def main() -> None:
    """Accept connections, one at a time."""
    folder = Path(sys.argv[2])
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
        while True:
            sock, _ = server.accept()
            with sock:
                while _received(sock, folder):
                    sock.sendall(RESPONSE)


def _received(sock: socket.socket, folder: Path) -> bool:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := sock.recv(PIECE)):
            return False
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    found = LENGTH.search(head)
    left = int(found[1]) if found else 0
    total = hashlib.sha256()
    with (folder / "part").open("wb") as file:
        while True:
            total.update(body)
            _ = file.write(body)
            left -= len(body)
            if left <= 0:
                break
            body = sock.recv(min(PIECE, left))
        file.flush()
        os.fsync(file.fileno())
    _ = (folder / "part").replace(folder / total.hexdigest())
    return True


if __name__ == "__main__":
    main()
