"""A file store in a local folder."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from clp_chassis.reachability import require_folder
from clp_messages.storage.file_store import Chunks, FileMissing, UploadStream


def run_inline(work: Callable[[], None]) -> None:
    """Run blocking work in the calling thread."""
    work()


class LocalFileStore:
    """Files in a local folder, readable by this service's account only.

    A file appears under its key once it is complete and synced to disk.
    ``run_blocking`` runs work that waits for the disk, such as in a thread pool.
    """

    def __init__(
        self,
        folder: Path,
        run_blocking: Callable[[Callable[[], None]], object] = run_inline,
    ) -> None:
        self._folder = folder
        self._unfinished = folder / "unfinished"
        self._run_blocking = run_blocking
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._unfinished.mkdir(exist_ok=True, mode=0o700)

    def ping(self) -> None:
        """Raise when the folder cannot be written."""
        require_folder(self._unfinished)

    @contextmanager
    def receiving(self, key: str) -> Iterator[UploadStream]:
        """Receive a file in chunks."""
        unfinished = self._unfinished / key
        try:
            with open(unfinished, "xb", opener=_private) as file:
                yield UploadStream(file.write)
                self._run_blocking(lambda: _sync(file))
            self._run_blocking(lambda: self._publish(unfinished, key))
        finally:
            unfinished.unlink(missing_ok=True)

    def _publish(self, unfinished: Path, key: str) -> None:
        path = self._path(key)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        unfinished.replace(path)
        # Sync the directory, so that the name survives a power failure too.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def chunks(self, key: str, start: int, length: int) -> Chunks:
        """Read part of a file."""
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError:
            raise FileMissing(key) from None
        file.seek(start)
        return Chunks(file, length)

    def remove(self, key: str) -> None:
        """Remove a file, also an unfinished one."""
        for path in (self._unfinished / key, self._path(key)):
            with suppress(FileNotFoundError):
                path.unlink()

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
