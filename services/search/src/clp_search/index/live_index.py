"""The index as the service uses it: one generation serves, another may be built."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Final

from clp_search.engine import (
    Document,
    Engine,
    HitPage,
    HitSnippets,
    IndexDamaged,
    IndexSize,
    SearchRequest,
    Slots,
    at_once,
)
from clp_search.index.generations import REBUILD_REQUESTED, Generation, Generations
from clp_search.index.sharded_index import IndexBusy, lock_file
from clp_search.query import Query

# Held by the process that serves the index of a folder.
LOCK: Final = "lock"


class Use(Enum):
    """The purpose of opening a generation."""

    SERVE = auto()
    BUILD = auto()


Opener = Callable[[Generation, Use], Engine]


@dataclass(frozen=True, slots=True)
class BuildingGeneration:
    """A generation being built, and the engine that takes its documents."""

    generation: Generation
    engine: Engine


class LiveIndex:
    """An `Engine` that can be rebuilt while it serves."""

    def __init__(self, folder: Path, *, shards: int, opener: Opener) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock_file(folder / LOCK)
        self._folder = folder
        self._generations = Generations(folder, shards)
        self._engine_opener = opener
        self._serving = opener(self._generations.current, Use.SERVE)
        self._building: BuildingGeneration | None = None

    @property
    def building(self) -> BuildingGeneration | None:
        """The generation being built; started when a rebuild is due."""
        if self._building is None and self._generations.needs_rebuild():
            generation = self._generations.next()
            self._building = BuildingGeneration(
                generation, self._engine_opener(generation, Use.BUILD)
            )
        return self._building

    def switch(self) -> None:
        """Switch to the generation that was built."""
        if self._building is None:
            return
        built, old = self._building, self._serving
        built.engine.close()
        self._building = None
        self._serving = self._engine_opener(built.generation, Use.SERVE)
        old.close()
        self._generations.switch(built.generation)

    def cursor(self) -> int:
        """Return the cursor of the generation that serves."""
        return self._serving.cursor()

    def wants(self, project: str, position: int) -> bool:
        """Return whether a change is new to the generation that serves."""
        return self._serving.wants(project, position)

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Apply documents to the generation that serves."""
        self._serving.apply(documents, after=after, upto=upto)

    def search(self, request: SearchRequest, slots: Slots = at_once) -> HitPage:
        """Return a page; retry once when the generation was switched meanwhile."""
        serving = self._serving
        try:
            return serving.search(request, slots)
        except IndexDamaged:
            if serving is self._serving:
                raise
            return self._serving.search(request, slots)

    def highlight(
        self, documents: Sequence[Document], query: Query, slots: Slots = at_once
    ) -> tuple[HitSnippets, ...]:
        """Highlight a page; retry once when the generation was switched meanwhile."""
        serving = self._serving
        try:
            return serving.highlight(documents, query, slots)
        except IndexDamaged:
            if serving is self._serving:
                raise
            return self._serving.highlight(documents, query, slots)

    def maintain(self, now: datetime) -> None:
        """Do due maintenance."""
        self._serving.maintain(now)

    def checkpoint(self) -> None:
        """Flush everything to disk."""
        self._serving.checkpoint()

    def size(self) -> IndexSize:
        """Return the size of the generation that serves."""
        return self._serving.size()

    def close(self) -> None:
        """Flush everything to disk and release all files."""
        if self._building is not None:
            self._building.engine.close()
        self._serving.close()
        self._lock.close()


def request_rebuild(folder: Path) -> None:
    """Request a rebuild from whatever process serves the index in a folder."""
    (folder / REBUILD_REQUESTED).touch()


def is_served(folder: Path) -> bool:
    """Return whether a process serves the index in a folder."""
    if not folder.is_dir():
        return False
    try:
        lock_file(folder / LOCK).close()
    except IndexBusy:
        return True
    return False
