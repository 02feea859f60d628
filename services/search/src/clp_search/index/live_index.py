"""The index as the service sees it: one serves, another may be in the making."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from clp_search.engine import (
    Document,
    Engine,
    IndexDamaged,
    Page,
    Shown,
    Size,
    Wanted,
)
from clp_search.index.generations import WANTED, Generation, Generations
from clp_search.index.sharded_index import IndexBusy, lock_of
from clp_search.query import Query


class Use(Enum):
    """What a generation is opened for."""

    SERVE = auto()
    BUILD = auto()


Opener = Callable[[Generation, Use], Engine]


@dataclass(frozen=True, slots=True)
class Building:
    """A generation in the making, and the engine that takes its documents."""

    generation: Generation
    engine: Engine


class ServingIndex:
    """An `Engine` that can be built anew while it serves."""

    def __init__(self, folder: Path, *, shards: int, opener: Opener) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock_of(folder / "lock")
        self._folder = folder
        self._generations = Generations(folder, shards)
        self._opener = opener
        self._serving = opener(self._generations.current, Use.SERVE)
        self._building: Building | None = None

    @property
    def building(self) -> Building | None:
        """The generation in the making, begun as soon as one is wanted."""
        if self._building is None and self._generations.is_wanted():
            generation = self._generations.next()
            self._building = Building(generation, self._opener(generation, Use.BUILD))
        return self._building

    def switch(self) -> None:
        """Let the generation in the making serve from now on."""
        if self._building is None:
            return
        built, old = self._building, self._serving
        built.engine.close()
        self._building = None
        self._serving = self._opener(built.generation, Use.SERVE)
        old.close()
        self._generations.switch(built.generation)

    def cursor(self) -> int:
        """The position up to which the index that serves was told."""
        return self._serving.cursor()

    def wants(self, project: str, position: int) -> bool:
        """Whether a change is news to it."""
        return self._serving.wants(project, position)

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Give it documents."""
        self._serving.apply(documents, after=after, upto=upto)

    def search(self, wanted: Wanted) -> Page:
        """Find a page; who asked the old generation while it left asks again."""
        serving = self._serving
        try:
            return serving.search(wanted)
        except IndexDamaged:
            if serving is self._serving:
                raise
            return self._serving.search(wanted)

    def show(self, documents: Sequence[Document], query: Query) -> tuple[Shown, ...]:
        """Mark what was found, wherever it was found."""
        serving = self._serving
        try:
            return serving.show(documents, query)
        except IndexDamaged:
            if serving is self._serving:
                raise
            return self._serving.show(documents, query)

    def tidy(self, now: datetime) -> None:
        """Do what waits."""
        self._serving.tidy(now)

    def checkpoint(self) -> None:
        """Write everything to disk."""
        self._serving.checkpoint()

    def size(self) -> Size:
        """How much the index that serves holds."""
        return self._serving.size()

    def close(self) -> None:
        """Write everything to disk and let go of it."""
        if self._building is not None:
            self._building.engine.close()
        self._serving.close()
        self._lock.close()


def want_rebuild(folder: Path) -> None:
    """Ask for the index in a folder to be built anew, by whatever process serves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WANTED).touch()


def is_served(folder: Path) -> bool:
    """Whether a process serves the index in a folder."""
    if not folder.is_dir():
        return False
    try:
        lock_of(folder / "lock").close()
    except IndexBusy:
        return True
    return False
