"""The protocol between the service and its workers: JSON frames.

A frame is a length of four bytes and its content. Both ends are the same version of the
same program: the methods below name the types of their arguments and results, and
nothing that is received is code.
"""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from struct import Struct
from typing import Any, Final

import msgspec

from clp_search.engine import (
    Document,
    HighlightedSlice,
    HitPage,
    IndexSize,
    SearchRequest,
    SliceRequest,
    VerifiedSlice,
)
from clp_search.query import Query

_LENGTH: Final = Struct("!I")
_READ_BYTES: Final = 1 << 16


class Outcome(StrEnum):
    """Outcomes: success, and what to tell of a failure.

    A corrupt shard, a query to refuse, an absent database, a disk error, a defect.
    """

    DONE = "done"
    DAMAGED = "damaged"
    EXPENSIVE = "expensive"
    UNAVAILABLE = "unavailable"
    DISK = "disk"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a worker, with the types of its arguments and of its result."""

    name: str
    arguments: tuple[Any, ...] = ()
    result: Any = None


APPLY: Final = Method("apply", (tuple[Document, ...], int, int))
CURSOR: Final = Method("cursor", (), int)
SEARCH: Final = Method("search", (SearchRequest,), HitPage)
VERIFY: Final = Method("verify", (SliceRequest,), VerifiedSlice)
HIGHLIGHT: Final = Method("highlight", (tuple[Document, ...], Query), HighlightedSlice)
MAINTAIN: Final = Method("maintain", (datetime,))
FLUSH: Final = Method("flush", (), bool)
SIZE: Final = Method("size", (), IndexSize)
CLOSE: Final = Method("close")

METHODS: Final = {
    method.name: method
    for method in (
        APPLY,
        CURSOR,
        SEARCH,
        VERIFY,
        HIGHLIGHT,
        MAINTAIN,
        FLUSH,
        SIZE,
        CLOSE,
    )
}


@dataclass(frozen=True, slots=True)
class Response:
    """A response; ``cursors`` are those of the worker's shards afterwards."""

    outcome: Outcome
    cursors: dict[int, int]
    result: Any


class Ended(ConnectionError):
    """The other end closed the connection."""


def send(connection: socket.socket, value: Any) -> None:
    """Send a value."""
    # The standard library also encodes a lone surrogate, which msgspec refuses.
    plain = msgspec.to_builtins(value, str_keys=True)
    content = json.dumps(plain, separators=(",", ":")).encode()
    connection.sendall(_LENGTH.pack(len(content)) + content)


def send_request(
    connection: socket.socket, method: Method, arguments: Sequence[Any] = ()
) -> None:
    """Send a request: the name of a method, then its arguments."""
    send(connection, (method.name, *arguments))


def receive(connection: socket.socket) -> Any:
    """Receive plain values; the socket's timeout applies to each read.

    Raises:
        Ended: when the other end closed the connection.
    """
    (length,) = _LENGTH.unpack(_receive_exactly(connection, _LENGTH.size))
    return json.loads(_receive_exactly(connection, length))


def receive_request(connection: socket.socket) -> tuple[Method, tuple[Any, ...]]:
    """Receive a request, its arguments decoded by the types of its method."""
    name, *arguments = receive(connection)
    method = METHODS[name]
    shapes = zip(arguments, method.arguments, strict=True)
    return method, tuple(decode(plain, shape) for plain, shape in shapes)


def decode(plain: Any, shape: Any) -> Any:
    """Convert plain values to a type."""
    return msgspec.convert(plain, shape, str_keys=True)


def _receive_exactly(connection: socket.socket, size: int) -> bytes:
    chunks: list[bytes] = []
    while size:
        chunk = connection.recv(min(size, _READ_BYTES))
        if not chunk:
            raise Ended("the other end is gone")
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)
