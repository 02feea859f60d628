"""The generations of an index: the one that serves, and the one built beside it.

A file names the generation that serves; it is replaced as a whole, so a switch either
happened or did not. What is in no use is removed at the next start.
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

# Another way to store documents: what is on disk cannot be read, and goes.
FORMAT: Final = 2
# Another way to read texts: what is on disk serves until it has been built anew.
ANALYSIS: Final = 1

CURRENT: Final = "current"
WANTED: Final = "rebuild.wanted"
_NAME: Final = re.compile(r"index-(\d+)-([\d.]+)-(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Generation:
    """A folder of shards."""

    folder: Path
    shards: int
    analysis: str

    @classmethod
    def named(cls, folder: Path) -> "Generation | None":
        """A generation by its folder; None when this program cannot read it."""
        told = _NAME.fullmatch(folder.name)
        if told is None or int(told[1]) != FORMAT or not folder.is_dir():
            return None
        return cls(folder, int(told[3]), told[2])


class Generations:
    """The generations in a folder, for installations of so many shards."""

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

    def is_wanted(self) -> bool:
        """Whether another one is to be built: an operator asked, or this one is old."""
        old = (self._current.analysis, self._current.shards) != (
            _analysis(),
            self._shards,
        )
        return old or (self._folder / WANTED).exists()

    def next(self) -> Generation:
        """The generation to build: what was begun before a restart, or a fresh one."""
        begun = [found for found in self._all() if found != self._current]
        return begun[0] if begun else self._begin()

    def switch(self, to: Generation) -> None:
        """From now on another generation serves, and the old one goes."""
        draft = self._folder / f"{CURRENT}.new"
        draft.write_text(to.folder.name, encoding="utf-8")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(self._folder / CURRENT)
        self._current = to
        (self._folder / WANTED).unlink(missing_ok=True)
        self._sweep()

    def _named(self) -> Generation | None:
        try:
            name = (self._folder / CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        return Generation.named(self._folder / name)

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
        """Those that this program would build now."""
        found = map(Generation.named, sorted(self._folders()))
        return [
            one
            for one in found
            if one and (one.analysis, one.shards) == (_analysis(), self._shards)
        ]

    def _sweep(self) -> None:
        kept = {self._current.folder}
        if self.is_wanted():
            kept.update(one.folder for one in self._all())
        for folder in self._folder.glob("index-*"):
            if folder not in kept:
                log.warning("an index no longer used goes: %s", folder.name)
                rmtree(folder, ignore_errors=True)


def _analysis() -> str:
    return f"{ANALYSIS}.{unidata_version}"
