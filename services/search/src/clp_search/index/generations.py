"""Generations of an index: the one that serves, and one built beside it.

A file names the generation that serves; it is replaced atomically. Unused generations
are removed at the next start.
"""

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Final
from unicodedata import unidata_version

log = logging.getLogger(__name__)

# The storage format: an index of another one is removed.
FORMAT: Final = 2
# The analysis: an index of another one serves until it is rebuilt.
ANALYSIS: Final = 4

CURRENT: Final = "current"
REBUILD_REQUESTED: Final = "rebuild.requested"
_NAME: Final = re.compile(r"index-(\d+)-([\d.]+)-(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Generation:
    """A folder of shards."""

    folder: Path
    shards: int
    analysis: str

    @classmethod
    def from_folder(cls, folder: Path) -> "Generation | None":
        """Parse the folder name; None when this version cannot read the generation."""
        parsed = _NAME.fullmatch(folder.name)
        if parsed is None or int(parsed[1]) != FORMAT or not folder.is_dir():
            return None
        return cls(folder, int(parsed[3]), parsed[2])


class Generations:
    """The generations in a folder, for a configured number of shards."""

    def __init__(self, folder: Path, shards: int) -> None:
        self._folder = folder
        self._shards = shards
        folder.mkdir(parents=True, exist_ok=True)
        self._current = self._named() or self._begin_first()
        self._sweep()

    @property
    def current(self) -> Generation:
        """The generation that serves."""
        return self._current

    def needs_rebuild(self) -> bool:
        """Return whether to build another one: on request, or when this one is old."""
        old = (self._current.analysis, self._current.shards) != (
            _analysis(),
            self._shards,
        )
        return old or (self._folder / REBUILD_REQUESTED).exists()

    def next(self) -> Generation:
        """Return the generation to build: an unfinished one, or a new one."""
        unfinished = [found for found in self._all() if found != self._current]
        return unfinished[0] if unfinished else self._begin()

    def switch(self, to: Generation) -> None:
        """Switch to another generation atomically, and remove the old one."""
        draft = self._folder / f"{CURRENT}.new"
        draft.write_text(to.folder.name, encoding="utf-8")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(self._folder / CURRENT)
        self._current = to
        (self._folder / REBUILD_REQUESTED).unlink(missing_ok=True)
        self._sweep()

    def _named(self) -> Generation | None:
        try:
            name = (self._folder / CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        return Generation.from_folder(self._folder / name)

    def _begin_first(self) -> Generation:
        first = self._begin()
        (self._folder / CURRENT).write_text(first.folder.name, encoding="utf-8")
        return first

    def _begin(self) -> Generation:
        numbers = [int(p.name.rpartition("-")[2]) for p in self._folders()]
        number = max(numbers, default=0) + 1
        name = f"index-{FORMAT}-{_analysis()}-{self._shards}-{number}"
        folder = self._folder / name
        folder.mkdir()
        return Generation(folder, self._shards, _analysis())

    def _folders(self) -> list[Path]:
        return [p for p in self._folder.glob("index-*") if _NAME.fullmatch(p.name)]

    def _all(self) -> list[Generation]:
        """Return the generations of the current analysis and number of shards."""
        found = map(Generation.from_folder, sorted(self._folders()))
        return [
            generation
            for generation in found
            if generation
            and (generation.analysis, generation.shards) == (_analysis(), self._shards)
        ]

    def _sweep(self) -> None:
        kept = {self._current.folder}
        if self.needs_rebuild():
            kept.update(generation.folder for generation in self._all())
        for folder in self._folder.glob("index-*"):
            if folder not in kept:
                log.warning("an unused index is removed: %s", folder.name)
                rmtree(folder, ignore_errors=True)


def _analysis() -> str:
    return f"{ANALYSIS}.{unidata_version}"
