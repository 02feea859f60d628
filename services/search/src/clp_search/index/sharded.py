"""The whole index: a folder of shards, each project in one of them."""

import fcntl
import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Final
from unicodedata import unidata_version
from zlib import crc32

from clp_search.engine import Document, Page, Size, Wanted
from clp_search.index.shard import Shard, Writing

log = logging.getLogger(__name__)

# A new way to read texts, or to store documents, is a new index: raise this.
FORMAT: Final = 1

# A shard without news keeps its old cursor on disk; it would read this much again.
_MOST_UNWRITTEN: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many shards, and when what waits is written."""

    shards: int = 4
    flush_at: int = 200
    flush_after: timedelta = timedelta(seconds=5)
    writing: Writing = field(default_factory=Writing)


class IndexBusy(Exception):
    """Another process works on this folder."""


class ShardedIndex:
    """An `Engine` on the local disk, for one process at a time."""

    def __init__(self, folder: Path, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._lock = _locked(folder)
        own = f"index-{FORMAT}-{unidata_version}-{limits.shards}"
        for old in folder.glob("index-*"):
            if old.name != own:
                log.warning("an index of another shape goes: %s", old.name)
                rmtree(old)
        self._shards = [
            Shard(folder / own / f"shard-{number:02}", limits.writing)
            for number in range(limits.shards)
        ]
        self._waiting_since: datetime | None = None

    def cursor(self) -> int:
        """The position up to which every shard has been told."""
        return min(shard.cursor for shard in self._shards)

    def wants(self, project: str, position: int) -> bool:
        """Whether a change of a project is news to its shard."""
        return self._shard(project).cursor < position

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Take documents; a shard that has not read up to ``after`` waits its turn."""
        sorted_out: dict[int, list[Document]] = defaultdict(list)
        for document in documents:
            sorted_out[self._number(document.project)].append(document)
        for number, shard in enumerate(self._shards):
            shard.apply(sorted_out[number], after=after, upto=upto)

    def search(self, wanted: Wanted) -> Page:
        """Find a page of messages of one project."""
        return self._shard(wanted.project).search(wanted)

    def tidy(self, now: datetime) -> None:
        """Write what waited long enough or is much, and verify a file of each shard."""
        if not any(shard.waiting for shard in self._shards):
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now
        since = self._waiting_since
        late = since is not None and now - since >= self._limits.flush_after
        for shard in self._shards:
            much = shard.waiting >= self._limits.flush_at
            if late or much or shard.unwritten > _MOST_UNWRITTEN:
                shard.flush()
            shard.verify_one()
        if late:
            self._waiting_since = None

    def checkpoint(self) -> None:
        """Write everything to disk."""
        for shard in self._shards:
            shard.flush()

    def size(self) -> Size:
        """How much there is."""
        sizes = [shard.size() for shard in self._shards]
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
        for shard in self._shards:
            shard.close()
        os.close(self._lock)

    def _shard(self, project: str) -> Shard:
        return self._shards[self._number(project)]

    def _number(self, project: str) -> int:
        return crc32(project.encode()) % len(self._shards)


def _locked(folder: Path) -> int:
    """Make the folder ours; the lock goes with the process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise IndexBusy(f"another process uses the index in {folder}") from error
    return handle
