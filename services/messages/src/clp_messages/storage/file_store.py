"""The interface of a file store, and the streams in and out of one."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Protocol, Self

CHUNK_BYTES: Final = 64 * 1024


class FileMissing(Exception):
    """The store has no such file, though it should."""


class UploadStream:
    """A file being received: call it with each chunk; it stores and hashes them."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._hash = hashlib.sha256()

    def __call__(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self._write(chunk)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the chunks so far, in hexadecimal."""
        return self._hash.hexdigest()


class Chunks:
    """Part of a stored file as an iterator of chunks; the caller closes it."""

    def __init__(self, file: Any, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        size = min(CHUNK_BYTES, self._left)
        chunk: bytes = self._file.read(size) if self._left else b""
        if not chunk:
            self.close()
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Close the file."""
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
    """Stores files under keys chosen by the service; a stored file never changes."""

    def ping(self) -> None:
        """Raise when files cannot be stored."""

    def receiving(self, key: str) -> AbstractContextManager[UploadStream]:
        """Receive a file in chunks; an error on the way leaves nothing behind."""

    def chunks(self, key: str, start: int, length: int) -> Chunks:
        """Read part of a file.

        Raises:
            FileMissing: if there is none.
        """

    def remove(self, key: str) -> None:
        """Remove a file, also an unfinished one; removing it twice is harmless."""
