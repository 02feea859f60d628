"""Where the bytes of attachments are kept: an interface, and a folder behind it."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

PIECE: Final = 64 * 1024
PRIVATE_AND_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class FileGone(Exception):
    """The store has no such file, though it should."""


class Pieces:
    """A part of a kept file, in pieces; whoever asks for it closes it."""

    def __init__(self, file: Any, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        piece: bytes = self._file.read(min(PIECE, self._left))
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

    def receiving(self, key: str) -> AbstractContextManager[Callable[[bytes], object]]:
        """Take a file in pieces. An error on the way leaves nothing behind."""

    def pieces(self, key: str, start: int, length: int) -> Pieces:
        """Part of a file; raises `FileGone`."""

    def remove(self, key: str) -> None:
        """Forget a file, and whatever there is of an unfinished one."""


def at_once(work: Callable[[], None]) -> None:
    """Do slow work here and now."""
    work()


class FolderStore:
    """Files in a folder of this machine, readable by this service's account only.

    A file appears under its key when it is whole and on the disk, never before.
    ``aside`` is told to do what waits for the disk without holding up everybody else.
    """

    def __init__(
        self, folder: Path, aside: Callable[[Callable[[], None]], object] = at_once
    ) -> None:
        self._folder = folder
        self._unfinished = folder / "unfinished"
        self._aside = aside
        self._unfinished.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def receiving(self, key: str) -> Iterator[Callable[[bytes], object]]:
        """Take a file in pieces."""
        part = self._unfinished / key
        try:
            with os.fdopen(os.open(part, PRIVATE_AND_NEW, 0o600), "wb") as file:
                yield file.write
                self._aside(lambda: _to_disk(file))
            self._aside(lambda: self._keep(part, key))
        finally:
            part.unlink(missing_ok=True)

    def _keep(self, part: Path, key: str) -> None:
        place = self._place(key)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        part.replace(place)
        # The name must outlive a power cut as the bytes do.
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def pieces(self, key: str, start: int, length: int) -> Pieces:
        """Part of a file."""
        try:
            file = self._place(key).open("rb")
        except FileNotFoundError:
            raise FileGone(key) from None
        file.seek(start)
        return Pieces(file, length)

    def remove(self, key: str) -> None:
        """Forget a file; forgetting it twice is harmless."""
        for path in (self._unfinished / key, self._place(key)):
            with suppress(FileNotFoundError):
                path.unlink()

    def _place(self, key: str) -> Path:
        return self._folder / key[:2] / key


def _to_disk(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
