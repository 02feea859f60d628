"""The shards of one generation, or some of them; each project is in one shard."""

import fcntl
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

from clp_search.engine import (
    Document,
    HitPage,
    HitSnippets,
    IndexSize,
    SearchRequest,
    SliceRequest,
    Slots,
    VerifiedSlice,
    at_once,
    without_steps,
)
from clp_search.index.generations import Generation
from clp_search.index.shard import MergePolicy, Shard
from clp_search.query import Query
from clp_search.result_pages import verified_page
from clp_search.snippets import highlight_slice, snippets_of

# Nobody searches an index being built: buffer so many documents before a flush.
_BULK_BUFFER_DOCS: Final = 128_000
_MIN_BULK_SEGMENT: Final = 1_000
_TERMS_OF_DOCUMENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushPolicy:
    """The number of shards, and when buffered documents are flushed.

    ``flush_terms`` bounds the time in which the terms of a segment are sorted, which is
    one step of a flush: no search is served meanwhile.

    A shard without changes keeps its old cursor on disk: at most ``unflushed``
    positions are read again after a crash.
    """

    shards: int = 4
    flush_docs: int = 200
    flush_terms: int = 50_000
    flush_after: timedelta = timedelta(seconds=5)
    unflushed: int = 2_000
    merge_policy: MergePolicy = field(default_factory=MergePolicy)

    def of(self, generation: Generation) -> "FlushPolicy":
        """Return the same policy with the number of shards of a generation."""
        return replace(self, shards=generation.shards)


def bulk_policy(shards: int) -> FlushPolicy:
    """Return the policy for building an index: large segments and no merges."""
    buffered = max(_MIN_BULK_SEGMENT, _BULK_BUFFER_DOCS // shards)
    return FlushPolicy(
        shards=shards,
        flush_docs=buffered,
        flush_terms=_BULK_BUFFER_DOCS * _TERMS_OF_DOCUMENT // shards,
        flush_after=timedelta(days=1),
        unflushed=2 * _BULK_BUFFER_DOCS,
        merge_policy=MergePolicy(floor_docs=buffered // 16, merge_factor=16),
    )


BULK: Final = bulk_policy(16)


class IndexBusy(Exception):
    """Another process uses this folder."""


def shard_of(project: str, shards: int) -> int:
    """Return the number of the shard of a project."""
    return crc32(project.encode()) % shards


class ShardedIndex:
    """An `Engine` on the local disk, for one process at a time.

    ``own_shards`` limits it to the shards of these numbers.
    """

    def __init__(
        self,
        folder: Path,
        policy: FlushPolicy = FlushPolicy(),
        *,
        own_shards: Collection[int] | None = None,
    ) -> None:
        self._policy = policy
        numbers = range(policy.shards) if own_shards is None else sorted(own_shards)
        self._locks: list[BinaryIO] = []
        self._shards: dict[int, Shard] = {}
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for number in numbers:
                name = f"shard-{number:02}"
                self._locks.append(lock_file(folder / f"{name}.lock"))
                self._shards[number] = Shard(folder / name, policy.merge_policy)
        except BaseException:
            self.abandon()
            raise
        self._buffered_since: datetime | None = None

    def cursor(self) -> int:
        """Return the lowest cursor of all shards."""
        return min(self.cursors().values())

    def cursors(self) -> dict[int, int]:
        """Return the cursor of each shard."""
        return {number: shard.cursor for number, shard in self._shards.items()}

    def wants(self, project: str, position: int) -> bool:
        """Return whether a change of a project is new to its shard."""
        shard = self._shards.get(self._number(project))
        return shard is not None and shard.cursor < position

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Apply documents; skip shards that have not read up to ``after``."""
        by_shard: dict[int, list[Document]] = defaultdict(list)
        for document in documents:
            by_shard[self._number(document.project)].append(document)
        for number, shard in self._shards.items():
            shard.apply(by_shard[number], after=after, upto=upto)

    def search(self, request: SearchRequest, slots: Slots = at_once) -> HitPage:
        """Return a page of matching messages of one project."""
        if request.plan.verify:
            return verified_page(request, self.verify, slots)
        shard = self._shards[self._number(request.project)]
        return slots(partial(shard.search, request), without_steps)

    def verify(self, request: SliceRequest) -> VerifiedSlice:
        """Verify a slice of the messages of one project that match the terms."""
        return self._shards[self._number(request.search.project)].verify(request)

    def highlight(
        self, documents: Sequence[Document], query: Query, slots: Slots = at_once
    ) -> tuple[HitSnippets, ...]:
        """Highlight the matches in the documents of a page."""
        return snippets_of(documents, query, highlight=highlight_slice, slots=slots)

    def maintain(self, now: datetime) -> None:
        """Flush what is due, and verify a file."""
        self.begin_flush(now)
        while self.step():
            pass

    def begin_flush(self, now: datetime) -> None:
        """Start to flush what is due, and verify a file."""
        shards = self._shards.values()
        if not any(shard.buffered for shard in shards):
            self._buffered_since = None
        elif self._buffered_since is None:
            self._buffered_since = now
        since = self._buffered_since
        late = since is not None and now - since >= self._policy.flush_after
        for shard in shards:
            if late or self._is_full(shard) or shard.unflushed > self._policy.unflushed:
                shard.begin_flush()
        # One file at a time: a search may be waiting.
        any(shard.verify_one() for shard in shards)
        if late:
            self._buffered_since = None

    def step(self) -> bool:
        """Run a small step of a flush; return false when none is in progress."""
        return any(shard.step() for shard in self._shards.values())

    def flush_backlog(self) -> None:
        """Flush shards that buffer far more than due, before taking more."""
        for shard in self._shards.values():
            if self._is_full(shard, times=2):
                while shard.step():
                    pass
                shard.begin_flush()

    def flush_for(self, seconds: float) -> bool:
        """Flush for so many seconds at most; return true when some is left."""
        until = time.monotonic() + seconds
        for shard in self._shards.values():
            while shard.begin_flush():
                while shard.step():
                    if time.monotonic() >= until:
                        return True
        return False

    def checkpoint(self) -> None:
        """Flush everything to disk."""
        for shard in self._shards.values():
            shard.flush()

    def size(self) -> IndexSize:
        """Return how much is stored."""
        sizes = [shard.size() for shard in self._shards.values()]
        return IndexSize(
            documents=sum(size.documents for size in sizes),
            size_bytes=sum(size.size_bytes for size in sizes),
        )

    def close(self) -> None:
        """Flush everything to disk and release all files."""
        self.checkpoint()
        self.abandon()

    def abandon(self) -> None:
        """Close the files without a flush, as after a crash."""
        for shard in self._shards.values():
            shard.close()
        for lock in self._locks:
            lock.close()

    def _is_full(self, shard: Shard, *, times: int = 1) -> bool:
        policy = self._policy
        return (
            shard.buffered >= times * policy.flush_docs
            or shard.buffered_terms >= times * policy.flush_terms
        )

    def _number(self, project: str) -> int:
        return shard_of(project, self._policy.shards)


def lock_file(path: Path) -> BinaryIO:
    """Lock a file for this process; the lock ends with the process."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise IndexBusy(f"another process uses {path.parent}") from error
    return file
