"""One shard: the documents of some projects, on disk and in memory."""

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from typing import Final

from clp_search.engine import Document, IndexDamaged, Page, Plan, Size, Wanted
from clp_search.index.documents import Indexed, Write
from clp_search.index.manifest import (
    Manifest,
    has_content,
    has_size,
    read_manifest,
    secured,
    write_manifest,
)
from clp_search.index.memory_buffer import Hot
from clp_search.index.merge_iterator import page_of
from clp_search.index.query_evaluator import Scope, documents_meeting
from clp_search.index.segments import Segment, Segments, generation_of
from clp_search.terms import DELETED

log = logging.getLogger(__name__)

# So many documents are read for a merge before others get their turn.
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How documents are written.

    Neighbouring segments become one when so many are ``alike``: the first time when no
    larger than ``smallest``, and never into one of more than ``most`` documents.
    Without ``surely`` a power cut may cost a rebuild.
    """

    alike: int = 8
    smallest: int = 64
    most: int = 20_000
    surely: bool = True


class Shard:
    """Takes documents, finds them, and writes them when told to."""

    def __init__(self, folder: Path, writing: Writing) -> None:
        self._folder = folder
        self._writing = writing
        self._hot = Hot()
        # What is being written; it is found in memory until that is done.
        self._going = Hot()
        self._steps: Generator[None, None, None] | None = None
        # Documents on disk that an edit or a deletion has replaced since.
        self._hidden: dict[str, set[int]] = {}
        try:
            self._segments, self._manifest = _opened(folder)
        except IndexDamaged as error:
            self._segments, self._manifest = _renewed(folder, str(error))
        self._unverified = sorted(self._manifest.files)
        self.cursor = self._manifest.cursor

    @property
    def waiting(self) -> int:
        """How many documents are in memory, and not being written."""
        return len(self._hot)

    @property
    def unwritten(self) -> int:
        """How many positions would be read again after a crash."""
        return self.cursor - self._manifest.cursor

    def apply(self, documents: Iterable[Document], *, after: int, upto: int) -> None:
        """Take documents; older and equal revisions change nothing."""
        if not after <= self.cursor < upto:
            return
        with self._reading():
            for document in documents:
                self._take(document)
        self.cursor = upto

    def search(self, wanted: Wanted) -> Page:
        """Find a page of messages."""
        scope = Scope(wanted.project, wanted.channels)
        plan = wanted.plan
        with self._reading():
            cold = sorted(
                (
                    _Cold(s, plan, scope=scope, gone=self._gone(s))
                    for s in self._segments
                ),
                key=lambda source: -source.newest,
            )
            warm = (hot.meeting(plan, scope) for hot in (self._hot, self._going))
            return page_of([*warm, *cold], wanted)

    def flush(self) -> None:
        """Write what waits, and the cursor with it."""
        while self.work():
            pass
        self.begin()
        while self.work():
            pass

    def begin(self) -> bool:
        """Begin to write what waits, and the cursor; false if there is nothing."""
        if self._steps is None and (self._hot or self._hidden or self.unwritten):
            self._going, self._hot = self._hot, Hot()
            self._steps = self._write(self.cursor)
        return self._steps is not None

    def work(self) -> bool:
        """Do a small step of the writing; false when there is none to do."""
        if self._steps is None:
            return False
        try:
            with self._reading():
                next(self._steps)
        except StopIteration:
            self._steps = None
        except OSError:
            # It is tried again: what was to be written waits as before.
            self._steps = None
            self._hot.take_back(self._going)
            self._going = Hot()
            raise
        return True

    def _write(self, cursor: int) -> Generator[None, None, None]:
        """Write what waits, together with old neighbours that it joins."""
        if self._going or self._hidden:
            merged = self._neighbours()
            known = {name: frozenset(gone) for name, gone in self._hidden.items()}
            documents = list(self._going)
            for segment in merged:
                for at, indexed in enumerate(self._alive(segment, self._gone(segment))):
                    documents.append(indexed)
                    if at % _AT_ONCE == 0:
                        yield
            write = Write(
                documents=sorted(documents, key=lambda indexed: indexed.document.key),
                without=[(name, number) for name in known for number in known[name]],
                instead_of=frozenset(segment.name for segment in merged),
            )
            yield from self._segments.writing(write)
            self._hidden = self._hidden_since(write, known)
            self._going = Hot()
        self._note(cursor)

    def _hidden_since(
        self, write: Write, known: Mapping[str, frozenset[int]]
    ) -> dict[str, set[int]]:
        """What was replaced while a segment was written, at its places after that."""
        moved = {i.moved_from: n for n, i in enumerate(write.documents) if i.moved_from}
        hidden: dict[str, set[int]] = {}
        for name, numbers in self._hidden.items():
            for number in numbers - known.get(name, frozenset()):
                if name not in write.instead_of:
                    hidden.setdefault(name, set()).add(number)
                elif write.name and (name, number) in moved:
                    hidden.setdefault(write.name, set()).add(moved[name, number])
        for number, indexed in enumerate(write.documents):
            fresh = indexed.moved_from is None
            if fresh and write.name and self._going.is_outdated(indexed.document):
                hidden.setdefault(write.name, set()).add(number)
        return hidden

    def verify_one(self) -> bool:
        """Read one file and compare it with its checksum; false when all were."""
        if not self._unverified:
            return False
        name = self._unverified.pop()
        checksum = self._manifest.files.get(name)
        if checksum and not has_content(self._folder, name, checksum):
            self._start_over(f"{name} is not what was written")
        return True

    def size(self) -> Size:
        """How much there is."""
        warm = (*self._hot, *self._going.current())
        documents = sum(1 for indexed in warm if not indexed.document.deleted)
        with self._reading():
            documents += sum(self._count(segment) for segment in self._segments)
        return Size(documents=documents, size_bytes=self._manifest.size_bytes)

    def close(self) -> None:
        """Let go of the files; what is being written is not written."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None
        self._segments.close()

    def _take(self, document: Document) -> None:
        for hot in (self._hot, self._going):
            waiting = hot.revision_of(document.message)
            if waiting is not None and waiting >= document.revision:
                return
        self._going.outdate(document)
        for place in self._segments.places_of(document):
            if place.number in self._hidden.get(place.segment, ()):
                continue
            if place.revision >= document.revision:
                return
            self._hidden.setdefault(place.segment, set()).add(place.number)
        self._hot.put(document)

    def _count(self, segment: Segment) -> int:
        gone = self._gone(segment)
        tombs = segment.posted(DELETED)
        emptied = set(segment.all_of(tombs)) - gone if tombs else set()
        return segment.size - len(gone) - len(emptied)

    def _alive(self, segment: Segment, gone: frozenset[int]) -> Iterator[Indexed]:
        for number in range(segment.size):
            if number not in gone:
                yield Indexed(segment.load(number), moved_from=(segment.name, number))

    def _gone(self, segment: Segment) -> frozenset[int]:
        return segment.deleted.union(self._hidden.get(segment.name, ()))

    def _neighbours(self) -> list[Segment]:
        """The newest segments that are many and alike, to be written as one.

        Tier by tier, each a few times as large as the one before: so a document is
        rewritten few times, and the order of time is kept.
        """
        writing = self._writing
        segments = list(self._segments)
        merged: list[Segment] = []
        total, largest = len(self._going), writing.smallest
        while True:
            tier: list[Segment] = []
            full = False
            while segments and segments[-1].size <= min(largest, writing.most // 2):
                full = total + segments[-1].size > writing.most
                if full:
                    break
                total += segments[-1].size
                tier.append(segments.pop())
            if len(tier) < (2 if full else writing.alike - 1):
                return merged
            merged += tier
            largest *= writing.alike

    def _note(self, cursor: int) -> None:
        """Write the manifest: from now on a restart begins at this cursor."""
        files, surely = self._segments.files(), self._writing.surely
        self._manifest = Manifest(
            self._segments.generation,
            cursor,
            secured(self._folder, files, self._manifest.files, surely=surely),
        )
        write_manifest(self._folder, self._manifest, surely=surely)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except IndexDamaged as error:
            self._start_over(str(error))
            raise

    def _start_over(self, why: str) -> None:
        self.close()
        self._segments, self._manifest = _renewed(self._folder, why)
        self._hot, self._going = Hot(), Hot()
        self._hidden = {}
        self._unverified = []
        self.cursor = 0


def _opened(folder: Path) -> tuple[Segments, Manifest]:
    """The segments of a folder and their manifest, as far as a quick look tells.

    A writer killed between its commit and the manifest leaves the table of contents
    ahead: what it added is read through, and later applied again without effect.
    """
    manifest = read_manifest(folder) or Manifest()
    ahead = generation_of(folder) - manifest.generation
    if ahead < 0:
        raise IndexDamaged("the table of contents is older than its manifest")
    for name, checksum in manifest.files.items():
        gone = ahead and not (folder / name).exists()
        if not gone and not has_size(folder, name, checksum):
            raise IndexDamaged(f"{name} is missing or has another size")
    segments = Segments(folder)
    try:
        for segment in segments if ahead else ():
            if not any(name.startswith(f"{segment.name}.") for name in manifest.files):
                segment.read_through()
    except IndexDamaged:
        segments.close()
        raise
    return segments, manifest


def _renewed(folder: Path, why: str) -> tuple[Segments, Manifest]:
    """Set damaged files aside, for a person to look at, and begin at zero."""
    log.error("shard %s is rebuilt from the feed: %s", folder.name, why)
    aside = folder.with_suffix(".damaged")
    rmtree(aside, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
    return Segments(folder), Manifest()


class _Cold:
    """A segment as a source of a page."""

    def __init__(
        self, segment: Segment, plan: Plan, *, scope: Scope, gone: frozenset[int]
    ) -> None:
        self._segment = segment
        self._asked = (plan, scope)
        self._gone = gone
        self.time = segment.time
        self.load = segment.load

    @property
    def newest(self) -> int:
        return self._segment.newest

    def found(self) -> Sequence[int]:
        return self._found

    @cached_property
    def _found(self) -> Sequence[int]:
        plan, scope = self._asked
        return documents_meeting(self._segment, plan, scope=scope, gone=self._gone)
