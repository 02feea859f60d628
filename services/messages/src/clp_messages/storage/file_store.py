"""What every store offers, and how files pass in and out of one."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Protocol, Self

PIECE: Final = 64 * 1024


class FileGone(Exception):
    """The store has no such file, though it should."""


class Arriving:
    """A file on its way in: called with each piece, it keeps and sums them up."""

    def __init__(self, keep: Callable[[bytes], object]) -> None:
        self._keep = keep
        self._sum = hashlib.sha256()

    def __call__(self, piece: bytes) -> None:
        self._sum.update(piece)
        self._keep(piece)

    @property
    def sha256(self) -> str:
        """The SHA-256 of what has come so far, in hexadecimal."""
        return self._sum.hexdigest()


class Pieces:
    """A part of a kept file, in pieces; whoever asks for it closes it."""

    def __init__(self, file: Any, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        piece: bytes = self._file.read(min(PIECE, self._left)) if self._left else b""
        if not piece:
            self.close()
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class FileStore(Protocol):
    """Keeps files under keys that the service makes up; a kept file never changes."""

    def receiving(self, key: str) -> AbstractContextManager[Arriving]:
        """Take a file in pieces. An error on the way leaves nothing behind."""

    def pieces(self, key: str, start: int, length: int) -> Pieces:
        """Part of a file; raises `FileGone`."""

    def remove(self, key: str) -> None:
        """Forget a file, and whatever there is of an unfinished one."""
