"""What the service and its workers say to each other: JSON behind its length.

Values are told as lists of their fields, in order, and read back by their types. Both
ends are the same program of the same version, so nothing is named and nothing is code.
"""

import json
import socket
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from struct import Struct
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

_LENGTH: Final = Struct("!I")
_READ_AT_ONCE: Final = 1 << 16

Reading = Callable[[Any], Any]


class Ended(ConnectionError):
    """The other end is gone."""


def send(line: socket.socket, value: Any) -> None:
    """Send a plain value."""
    content = json.dumps(value, separators=(",", ":")).encode()
    line.sendall(_LENGTH.pack(len(content)) + content)


def receive(line: socket.socket) -> Any:
    """The next value; the socket's own timeout holds for each piece of it.

    Raises:
        Ended: when there is none, and never will be.
    """
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    return json.loads(_exactly(line, length))


def _exactly(line: socket.socket, size: int) -> bytes:
    pieces: list[bytes] = []
    while size:
        piece = line.recv(min(size, _READ_AT_ONCE))
        if not piece:
            raise Ended("the other end is gone")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def told(value: Any) -> Any:
    """A value as plain lists, texts and numbers."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value):
        return [told(getattr(value, known.name)) for known in fields(value)]
    if isinstance(value, tuple | list | frozenset):
        return [told(one) for one in value]
    return value


def encoded(value: Any) -> str:
    """A value as one text."""
    return json.dumps(told(value))


def read(shape: Any, plain: Any) -> Any:
    """A value that was told."""
    return _reading(shape)(plain)


@cache
def _reading(shape: Any) -> Reading:
    """How values of a type are read."""
    if shape is datetime:
        return datetime.fromisoformat
    if isinstance(shape, type) and issubclass(shape, Enum):
        return lambda plain: shape[plain]
    if is_dataclass(shape) or hasattr(shape, "_fields"):
        return _reading_fields(shape)
    origin, inside = get_origin(shape), get_args(shape)
    if origin in {Union, UnionType}:
        some = _reading(next(one for one in inside if one is not NoneType))
        return lambda plain: None if plain is None else some(plain)
    if origin in {tuple, frozenset}:
        one = _reading(inside[0])
        return lambda plain: origin(map(one, plain))
    return lambda plain: plain


def _reading_fields(shape: Any) -> Reading:
    hints = get_type_hints(shape)
    names = (
        [known.name for known in fields(shape)]
        if is_dataclass(shape)
        else shape._fields
    )
    readings = [(name, _reading(hints[name])) for name in names]

    def reading(plain: Any) -> Any:
        pairs = zip(readings, plain, strict=True)
        return shape(**{name: value(one) for (name, value), one in pairs})

    return reading
