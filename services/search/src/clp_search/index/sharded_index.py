"""The shards of one generation of the index, or some of them; a project is in one."""

import fcntl
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

from clp_search.engine import Document, Page, Shown, Size, Wanted
from clp_search.index.generations import Generation
from clp_search.index.shard import Shard, Writing
from clp_search.query import Query
from clp_search.snippets import shown

# While nobody waits for a message to be found, so many are kept before any is written.
_KEPT_WHILE_BUILDING: Final = 128_000
_LEAST_SEGMENT_BUILT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many shards, and when what waits is written.

    A shard without news keeps its old cursor on disk: after a crash it would read so
    many positions again as may be ``unwritten``.
    """

    shards: int = 4
    flush_at: int = 200
    flush_after: timedelta = timedelta(seconds=5)
    unwritten: int = 2_000
    writing: Writing = field(default_factory=Writing)

    def of(self, generation: Generation) -> "Limits":
        """The same for a generation, which may have been begun with other shards."""
        return replace(self, shards=generation.shards)


def building(shards: int) -> Limits:
    """How an index in the making is written: at once as it stays, without merges."""
    kept = max(_LEAST_SEGMENT_BUILT, _KEPT_WHILE_BUILDING // shards)
    return Limits(
        shards=shards,
        flush_at=kept,
        flush_after=timedelta(days=1),
        unwritten=2 * _KEPT_WHILE_BUILDING,
        writing=Writing(smallest=kept // 16, alike=16),
    )


BUILDING: Final = building(16)


class IndexBusy(Exception):
    """Another process works on this folder."""


def shard_of(project: str, shards: int) -> int:
    """The number of the shard that a project is in."""
    return crc32(project.encode()) % shards


class ShardedIndex:
    """An `Engine` on the local disk, for one process at a time.

    With ``mine`` it holds only the shards of these numbers, and others hold the rest.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits = Limits(),
        *,
        mine: Collection[int] | None = None,
    ) -> None:
        self._limits = limits
        numbers = range(limits.shards) if mine is None else sorted(mine)
        self._locks: list[BinaryIO] = []
        self._shards: dict[int, Shard] = {}
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for number in numbers:
                name = f"shard-{number:02}"
                self._locks.append(lock_of(folder / f"{name}.lock"))
                self._shards[number] = Shard(folder / name, limits.writing)
        except BaseException:
            self.let_go()
            raise
        self._waiting_since: datetime | None = None

    def cursor(self) -> int:
        """The position up to which every shard has been told."""
        return min(self.cursors().values())

    def cursors(self) -> dict[int, int]:
        """The position up to which each shard has been told."""
        return {number: shard.cursor for number, shard in self._shards.items()}

    def wants(self, project: str, position: int) -> bool:
        """Whether a change of a project is news to its shard."""
        shard = self._shards.get(self._number(project))
        return shard is not None and shard.cursor < position

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Take documents; a shard that has not read up to ``after`` waits its turn."""
        sorted_out: dict[int, list[Document]] = defaultdict(list)
        for document in documents:
            sorted_out[self._number(document.project)].append(document)
        for number, shard in self._shards.items():
            shard.apply(sorted_out[number], after=after, upto=upto)

    def search(self, wanted: Wanted) -> Page:
        """Find a page of messages of one project."""
        return self._shards[self._number(wanted.project)].search(wanted)

    def show(self, documents: Sequence[Document], query: Query) -> tuple[Shown, ...]:
        """Mark what was found."""
        return shown(documents, query)

    def tidy(self, now: datetime) -> None:
        """Write what waited long enough or is much, and verify a file."""
        self.begin(now)
        while self.work():
            pass

    def begin(self, now: datetime) -> None:
        """The same, but the writing is only begun."""
        shards = self._shards.values()
        if not any(shard.waiting for shard in shards):
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now
        since = self._waiting_since
        late = since is not None and now - since >= self._limits.flush_after
        for shard in shards:
            much = shard.waiting >= self._limits.flush_at
            if late or much or shard.unwritten > self._limits.unwritten:
                shard.begin()
        # One file at a time: a search may be waiting.
        any(shard.verify_one() for shard in shards)
        if late:
            self._waiting_since = None

    def work(self) -> bool:
        """Do a small step of what was begun; false when nothing is left to do."""
        return any(shard.work() for shard in self._shards.values())

    def keep_up(self) -> None:
        """Where much more waits than is written at once, write before more comes."""
        for shard in self._shards.values():
            if shard.waiting >= 2 * self._limits.flush_at:
                while shard.work():
                    pass
                shard.begin()

    def write_for(self, seconds: float) -> bool:
        """Write everything, for so long at most; true when some is left."""
        until = time.monotonic() + seconds
        for shard in self._shards.values():
            while shard.begin():
                while shard.work():
                    if time.monotonic() >= until:
                        return True
        return False

    def checkpoint(self) -> None:
        """Write everything to disk."""
        for shard in self._shards.values():
            shard.flush()

    def size(self) -> Size:
        """How much there is."""
        sizes = [shard.size() for shard in self._shards.values()]
        return Size(
            documents=sum(size.documents for size in sizes),
            size_bytes=sum(size.size_bytes for size in sizes),
        )

    def close(self) -> None:
        """Write everything to disk and let go of it."""
        self.checkpoint()
        self.let_go()

    def let_go(self) -> None:
        """Close the files as they are, as a killed process would."""
        for shard in self._shards.values():
            shard.close()
        for lock in self._locks:
            lock.close()

    def _number(self, project: str) -> int:
        return shard_of(project, self._limits.shards)


def lock_of(path: Path) -> BinaryIO:
    """Make something ours; the lock goes with the process, however it ends."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise IndexBusy(f"another process uses {path.parent}") from error
    return file
