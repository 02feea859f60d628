"""Files in a folder of this machine."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from clp_messages.storage.file_store import Arriving, FileGone, Pieces


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
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._unfinished.mkdir(exist_ok=True, mode=0o700)

    @contextmanager
    def receiving(self, key: str) -> Iterator[Arriving]:
        """Take a file in pieces."""
        part = self._unfinished / key
        try:
            with open(part, "xb", opener=_private) as file:
                yield Arriving(file.write)
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


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _to_disk(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
