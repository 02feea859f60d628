"""A shard: the documents of some projects, on disk and in memory."""

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from shutil import rmtree
from typing import Final

from clp_search.engine import (
    Document,
    HitPage,
    IndexDamaged,
    IndexSize,
    QueryPlan,
    SearchRequest,
    SliceRequest,
    VerifiedSlice,
)
from clp_search.index.documents import IndexedDocument, SegmentWrite
from clp_search.index.manifest import (
    Manifest,
    has_content,
    has_size,
    read_manifest,
    sync_and_checksum,
    write_manifest,
)
from clp_search.index.memory_buffer import MemoryBuffer
from clp_search.index.merge_iterator import Source, count, newest_first
from clp_search.index.query_evaluator import Scope, matching_documents
from clp_search.index.segments import Segment, Segments, generation_of
from clp_search.result_pages import page_of, verify_slice
from clp_search.terms import DELETED

log = logging.getLogger(__name__)

# Read so many documents for a merge in a step.
_STEP_DOCUMENTS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePolicy:
    """The conditions for merging neighbouring segments.

    ``merge_factor`` neighbours of similar size become one segment, beginning with those
    of up to ``floor_docs`` documents, and never one of more than ``max_merge_docs``.
    Without ``fsync`` a power cut may cost a rebuild.
    """

    merge_factor: int = 8
    floor_docs: int = 64
    max_merge_docs: int = 20_000
    fsync: bool = True


class Shard:
    """Buffers, searches and writes the documents of some projects."""

    def __init__(self, folder: Path, policy: MergePolicy) -> None:
        self._folder = folder
        self._policy = policy
        self._buffer = MemoryBuffer()
        # Documents being written, searched in memory until that is done.
        self._flushing = MemoryBuffer()
        self._steps: Generator[None, None, None] | None = None
        # Documents on disk that a newer revision has replaced.
        self._superseded: dict[str, set[int]] = {}
        try:
            self._segments, self._manifest = _open(folder)
        except IndexDamaged as error:
            self._segments, self._manifest = _quarantine(folder, str(error))
        self._unverified = sorted(self._manifest.files)
        self.cursor = self._manifest.cursor

    @property
    def buffered(self) -> int:
        """The number of documents in memory that are not being written."""
        return len(self._buffer)

    @property
    def buffered_terms(self) -> int:
        """The number of their terms."""
        return self._buffer.terms

    @property
    def unflushed(self) -> int:
        """The number of positions that would be read again after a crash."""
        return self.cursor - self._manifest.cursor

    def apply(self, documents: Iterable[Document], *, after: int, upto: int) -> None:
        """Apply documents; older and equal revisions change nothing."""
        if not after <= self.cursor < upto:
            return
        with self._detecting_corruption():
            for document in documents:
                self._add(document)
        self.cursor = upto

    def search(self, request: SearchRequest) -> HitPage:
        """Return a page of matching messages, where terms decide."""
        with self._detecting_corruption():
            sources = self._sources(request)
            return page_of(
                partial(newest_first, sources), request, partial(count, sources)
            )

    def verify(self, request: SliceRequest) -> VerifiedSlice:
        """Verify a slice of the messages that match the terms."""
        with self._detecting_corruption():
            sources = self._sources(request.search)
            return verify_slice(partial(newest_first, sources), request)

    def _sources(self, request: SearchRequest) -> list[Source]:
        scope = Scope(request.project, request.channels)
        plan = request.plan
        on_disk = sorted(
            (
                _OnDisk(s, plan, scope=scope, deleted=self._deleted(s))
                for s in self._segments
            ),
            key=lambda source: -source.newest,
        )
        buffers = (self._buffer, self._flushing)
        return [*(buffer.matching(plan, scope) for buffer in buffers), *on_disk]

    def flush(self) -> None:
        """Flush the buffer and the cursor."""
        while self.step():
            pass
        self.begin_flush()
        while self.step():
            pass

    def begin_flush(self) -> bool:
        """Start to flush the buffer and the cursor; return false when none is due."""
        if self._steps is None and (self._buffer or self._superseded or self.unflushed):
            self._flushing, self._buffer = self._buffer, MemoryBuffer()
            self._steps = self._write(self.cursor)
        return self._steps is not None

    def step(self) -> bool:
        """Run a small step of a flush; return false when none is in progress."""
        if self._steps is None:
            return False
        try:
            with self._detecting_corruption():
                next(self._steps)
        except StopIteration:
            self._steps = None
        except OSError:
            # Retried later: put the documents back into the buffer.
            self._steps = None
            self._buffer.restore(self._flushing)
            self._flushing = MemoryBuffer()
            raise
        return True

    def _write(self, cursor: int) -> Generator[None, None, None]:
        """Write the buffer, together with neighbouring segments to merge."""
        if self._flushing or self._superseded:
            merged = self._mergeable()
            before = {
                name: frozenset(deleted) for name, deleted in self._superseded.items()
            }
            documents = list(self._flushing)
            for segment in merged:
                for at, indexed in enumerate(
                    self._live_documents(segment, self._deleted(segment))
                ):
                    documents.append(indexed)
                    if at % _STEP_DOCUMENTS == 0:
                        yield
            write = SegmentWrite(
                documents=sorted(documents, key=lambda indexed: indexed.document.key),
                deletions=[
                    (name, number) for name in before for number in before[name]
                ],
                replaces=frozenset(segment.name for segment in merged),
            )
            yield from self._segments.write(write)
            self._superseded = self._superseded_since(write, before)
            self._flushing = MemoryBuffer()
        self._commit(cursor)

    def _superseded_since(
        self, write: SegmentWrite, before: Mapping[str, frozenset[int]]
    ) -> dict[str, set[int]]:
        """Map documents superseded during a write to their new locations."""
        moved = {i.moved_from: n for n, i in enumerate(write.documents) if i.moved_from}
        superseded: dict[str, set[int]] = {}
        for name, numbers in self._superseded.items():
            for number in numbers - before.get(name, frozenset()):
                if name not in write.replaces:
                    superseded.setdefault(name, set()).add(number)
                elif write.name and (name, number) in moved:
                    superseded.setdefault(write.name, set()).add(moved[name, number])
        for number, indexed in enumerate(write.documents):
            fresh = indexed.moved_from is None
            if fresh and write.name and self._flushing.is_superseded(indexed.document):
                superseded.setdefault(write.name, set()).add(number)
        return superseded

    def verify_one(self) -> bool:
        """Compare one file with its checksum; return false when all are verified."""
        if not self._unverified:
            return False
        name = self._unverified.pop()
        checksum = self._manifest.files.get(name)
        if checksum and not has_content(self._folder, name, checksum):
            self._reset(f"{name} is not what was written")
        return True

    def size(self) -> IndexSize:
        """Return how much is stored."""
        in_memory = (*self._buffer, *self._flushing.current())
        documents = sum(1 for indexed in in_memory if not indexed.document.deleted)
        with self._detecting_corruption():
            documents += sum(self._count(segment) for segment in self._segments)
        return IndexSize(documents=documents, size_bytes=self._manifest.size_bytes)

    def close(self) -> None:
        """Close the files; abandon a flush in progress."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None
        self._segments.close()

    def _add(self, document: Document) -> None:
        for buffer in (self._buffer, self._flushing):
            buffered = buffer.revision_of(document.message)
            if buffered is not None and buffered >= document.revision:
                return
        self._flushing.supersede(document)
        for place in self._segments.locations_of(document):
            if place.number in self._superseded.get(place.segment, ()):
                continue
            if place.revision >= document.revision:
                return
            self._superseded.setdefault(place.segment, set()).add(place.number)
        self._buffer.put(document)

    def _count(self, segment: Segment) -> int:
        deleted = self._deleted(segment)
        tombs = segment.term_info(DELETED)
        emptied = set(segment.documents_of(tombs)) - deleted if tombs else set()
        return segment.size - len(deleted) - len(emptied)

    def _live_documents(
        self, segment: Segment, deleted: frozenset[int]
    ) -> Iterator[IndexedDocument]:
        for number in range(segment.size):
            if number not in deleted:
                yield IndexedDocument(
                    segment.load(number), moved_from=(segment.name, number)
                )

    def _deleted(self, segment: Segment) -> frozenset[int]:
        return segment.deleted.union(self._superseded.get(segment.name, ()))

    def _mergeable(self) -> list[Segment]:
        """Return the newest segments that are due to be merged.

        Go tier by tier, each a multiple of the one before: each document is rewritten a
        few times only, and the order of time is kept.
        """
        policy = self._policy
        segments = list(self._segments)
        merged: list[Segment] = []
        total, largest = len(self._flushing), policy.floor_docs
        while True:
            tier: list[Segment] = []
            full = False
            while segments and segments[-1].size <= min(
                largest, policy.max_merge_docs // 2
            ):
                full = total + segments[-1].size > policy.max_merge_docs
                if full:
                    break
                total += segments[-1].size
                tier.append(segments.pop())
            if len(tier) < (2 if full else policy.merge_factor - 1):
                return merged
            merged += tier
            largest *= policy.merge_factor

    def _commit(self, cursor: int) -> None:
        """Write the manifest: a restart continues at this cursor."""
        files, fsync = self._segments.files(), self._policy.fsync
        self._manifest = Manifest(
            self._segments.generation,
            cursor,
            sync_and_checksum(self._folder, files, self._manifest.files, fsync=fsync),
        )
        write_manifest(self._folder, self._manifest, fsync=fsync)

    @contextmanager
    def _detecting_corruption(self) -> Iterator[None]:
        try:
            yield
        except IndexDamaged as error:
            self._reset(str(error))
            raise

    def _reset(self, why: str) -> None:
        self.close()
        self._segments, self._manifest = _quarantine(self._folder, why)
        self._buffer, self._flushing = MemoryBuffer(), MemoryBuffer()
        self._superseded = {}
        self._unverified = []
        self.cursor = 0


def _open(folder: Path) -> tuple[Segments, Manifest]:
    """Open the segments and the manifest of a folder, with quick checks.

    A writer killed between its commit and the manifest leaves the table of contents
    ahead: verify what it added; it is applied again later without effect.
    """
    manifest = read_manifest(folder) or Manifest()
    ahead = generation_of(folder) - manifest.generation
    if ahead < 0:
        raise IndexDamaged("the table of contents is older than its manifest")
    for name, checksum in manifest.files.items():
        deleted = ahead and not (folder / name).exists()
        if not deleted and not has_size(folder, name, checksum):
            raise IndexDamaged(f"{name} is missing or has another size")
    segments = Segments(folder)
    try:
        for segment in segments if ahead else ():
            if not any(name.startswith(f"{segment.name}.") for name in manifest.files):
                segment.verify()
    except IndexDamaged:
        segments.close()
        raise
    return segments, manifest


def _quarantine(folder: Path, why: str) -> tuple[Segments, Manifest]:
    """Move corrupt files away for inspection, and start at position zero."""
    log.error("shard %s is rebuilt from the feed: %s", folder.name, why)
    quarantined = folder.with_suffix(".damaged")
    rmtree(quarantined, ignore_errors=True)
    if folder.exists():
        folder.rename(quarantined)
    return Segments(folder), Manifest()


class _OnDisk:
    """A segment as a source of a page."""

    def __init__(
        self,
        segment: Segment,
        plan: QueryPlan,
        *,
        scope: Scope,
        deleted: frozenset[int],
    ) -> None:
        self._segment = segment
        self._request = (plan, scope)
        self._deleted = deleted
        self.time = segment.time
        self.load = segment.load

    @property
    def newest(self) -> int:
        return self._segment.newest

    def found(self) -> Sequence[int]:
        return self._found

    @cached_property
    def _found(self) -> Sequence[int]:
        plan, scope = self._request
        return matching_documents(
            self._segment, plan, scope=scope, deleted=self._deleted
        )
