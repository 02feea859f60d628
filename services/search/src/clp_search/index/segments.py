"""The documents of one shard on disk. The only module that knows Whoosh.

Whoosh keeps the segments: its writer adds and deletes documents, its table of contents
is the commit, its columns and stored fields hold what is not searched. Terms have a
format of our own (`postings`), passed to the writer as a codec: Whoosh's own takes a
hundred bytes and more for each word that stands in one message. Nothing above segments
is used: refreshing a searcher brings deleted documents back, readers shared by threads
return wrong results, and the parser and the collectors are not safe for arbitrary
queries.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import wraps
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import Any, Final, ParamSpec, TypeVar

from typing_extensions import override
from whoosh.codec.base import FieldWriter
from whoosh.codec.whoosh3 import W3Codec, W3Segment
from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, STORED, Schema
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, FileIndex, LockError
from whoosh.reading import SegmentReader

from clp_chassis.clock import new_id
from clp_search.engine import Document, IndexDamaged
from clp_search.index.documents import (
    DocumentLocation,
    SegmentWrite,
    channel_number,
    from_record,
    microseconds,
    to_record,
)
from clp_search.index.postings import BLOCK, Postings, PostingsWriter, TermInfo
from clp_search.index.term_merger import merged_terms

P = ParamSpec("P")
R = TypeVar("R")

_NAME: Final = "MAIN"
# Write so many documents in a step.
_STEP_DOCUMENTS: Final = 8

# Look up candidates one by one when they are rarer than the postings by this ratio.
_LOOKUP_RATIO: Final = 24

# One byte a name: they stand in every file name and in each stored document.
_RECORD, _TIME, _CHANNEL = "d", "k", "c"
_TERMS, _NUMBERS = ".trm", ".pst"

_COLUMN: Final = NumericColumn("Q")
_SCHEMA: Final = Schema(
    **{_RECORD: STORED(), _TIME: COLUMN(_COLUMN), _CHANNEL: COLUMN(_COLUMN)}
)


class _TermsWriter(FieldWriter):  # type: ignore[misc]
    """Writes the terms it is given, and ignores those that Whoosh collected."""

    is_closed = False

    def __init__(self, storage: Any, segment: Any, documents: int) -> None:
        self._files = [segment.create_file(storage, e) for e in (_TERMS, _NUMBERS)]
        terms, numbers = (file.raw_file() for file in self._files)
        self.postings = PostingsWriter(terms, numbers, documents=documents)

    @override
    def add_postings(self, schema: Any, lengths: Any, items: Any) -> None:
        self.postings.finish()

    @override
    def close(self) -> None:
        for file in self._files:
            file.close()
        self.is_closed = True


class _NoTerms:
    """Placeholder for Whoosh's terms reader, which is never used."""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class TermsCodec(W3Codec):  # type: ignore[misc]
    """Whoosh's format except for the terms. Its name is part of the files: keep it."""

    length_stats = False

    def __init__(self, documents: int = 0) -> None:
        super().__init__()
        self._documents = documents

    @override
    def new_segment(self, storage: Any, indexname: str) -> Any:
        segment = W3Segment(TermsCodec(), indexname)
        # Whoosh draws ids from the global random generator, which a program may have
        # seeded: two segments of one name would be one file.
        segment.segid = new_id()[:16]
        return segment

    @override
    def field_writer(self, storage: Any, segment: Any) -> _TermsWriter:
        return _TermsWriter(storage, segment, self._documents)

    @override
    def terms_reader(self, storage: Any, segment: Any) -> _NoTerms:
        return _NoTerms()


def _detect_corruption(method: Callable[P, R]) -> Callable[P, R]:
    """Translate errors: reading a torn file can raise anything."""

    @wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            raise _classified(error, method.__name__) from error

    return wrapper


def _classified(error: Exception, where: str) -> Exception:
    """Keep errors of the disk, which may pass; all others mean damage."""
    passes = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
    if passes or isinstance(error, IndexDamaged):
        return error
    return IndexDamaged(f"{where}: {type(error).__name__}")


class Segment:
    """Documents in the order of their sort keys, immutable except for deletions."""

    @_detect_corruption
    def __init__(self, reader: Any, folder: Path, name: str) -> None:
        self._reader = reader
        self._postings = Postings(
            folder / f"{name}{_TERMS}", folder / f"{name}{_NUMBERS}"
        )
        self.name = name
        try:
            self.size: int = reader.doc_count_all()
            self._times = _numbers(reader, _TIME, self.size)
            self.channels = _numbers(reader, _CHANNEL, self.size)
            self.distinct_channels = frozenset(self.channels)
        except BaseException:
            self._postings.close()
            raise
        self.newest = self.time(self.size - 1)
        self.deleted: frozenset[int] = frozenset()

    @_detect_corruption
    def term_info(self, term: str) -> TermInfo | None:
        """Look up a term."""
        return self._postings.term_info(term)

    @_detect_corruption
    def documents_of(self, info: TermInfo) -> Sequence[int]:
        """Return the postings of a term, deleted documents included."""
        return self._postings.numbers(info)

    @_detect_corruption
    def intersect(self, info: TermInfo, candidates: Sequence[int]) -> list[int]:
        """Return which of some documents have a term."""
        numbers = self._postings.numbers(info)
        if len(candidates) * _LOOKUP_RATIO > info.count:
            return sorted(set(candidates).intersection(numbers))
        last = info.count
        places = ((bisect_left(numbers, number), number) for number in candidates)
        return [n for at, n in places if at < last and numbers[at] == n]

    def locations_of(self, document: Document) -> Iterator[DocumentLocation]:
        """Locate a message among those posted at its time."""
        moment = microseconds(document.posted_at)
        if moment > self.newest:
            return
        for number in range(bisect_left(self._times, moment), self.size):
            if self._times[number] != moment:
                return
            if number in self.deleted:
                continue
            stored = self.load(number)
            if stored.message == document.message:
                yield DocumentLocation(self.name, number, stored.revision)

    @_detect_corruption
    def terms(self) -> Iterator[tuple[str, Sequence[int]]]:
        """Iterate all terms with their postings."""
        return self._postings.terms()

    def time(self, number: int) -> int:
        """Return the time of a document."""
        return self._times[number]

    @_detect_corruption
    def load(self, number: int) -> Document:
        """Load a stored document."""
        return from_record(self._reader.stored_fields(number)[_RECORD])

    @_detect_corruption
    def verify(self) -> None:
        """Read all terms and documents, to detect corruption."""
        for _ in self._postings.terms():
            pass
        for number in range(self.size):
            self.load(number)

    def close(self) -> None:
        """Close its files."""
        self._postings.close()
        self._reader.close()


def _numbers(reader: Any, column: str, count: int) -> "array[int]":
    """Load a column of numbers into memory and close its file."""
    read = reader.column_reader(column, translate=False)
    numbers: array[int] = read._dbfile.get_array(0, "Q", read._count)  # noqa: SLF001
    file, _, _ = reader._perdoc._colfiles.pop(column)  # noqa: SLF001
    file.close()
    # Whoosh omits zeros at the end of a column.
    numbers.extend([0] * (count - len(numbers)))
    return numbers


def generation_of(folder: Path) -> int:
    """Return the generation of a folder's table of contents; -1 without one."""
    generation: int = TOC._latest_generation(FileStorage(str(folder)), _NAME)  # noqa: SLF001
    return generation


class Segments:
    """All segments of a folder, oldest first as written."""

    @_detect_corruption
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._storage = FileStorage(str(folder))
        self._segments: dict[str, Segment] = {}
        self.generation = -1
        if generation_of(folder) < 0:
            folder.mkdir(parents=True, exist_ok=True)
            TOC.create(self._storage, _SCHEMA, _NAME)
        self._index = FileIndex(self._storage, _SCHEMA, _NAME)
        self._sweep()
        try:
            self._reopen()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments.values())

    def __getitem__(self, name: str) -> Segment:
        return self._segments[name]

    def locations_of(self, document: Document) -> Iterator[DocumentLocation]:
        """Locate a message, newest segment first."""
        for segment in reversed(self._segments.values()):
            yield from segment.locations_of(document)

    def write(self, write: SegmentWrite) -> Iterator[None]:
        """Write a segment in small steps; the last one makes it visible as a whole.

        ``deletions`` are read at the end, so documents may be superseded meanwhile.
        """
        try:
            codec = TermsCodec(len(write.documents))
            writer = self._index.writer(compound=False, codec=codec)
        except LockError as error:
            raise BlockingIOError("the folder is being written to") from error
        try:
            for at, indexed in enumerate(write.documents):
                _add(writer, indexed.document, at)
                if at % _STEP_DOCUMENTS == 0:
                    yield
            terms = merged_terms(write, lambda name: self._segments[name].terms())
            while block := list(islice(terms, BLOCK)):
                writer.fieldwriter.postings.add_block(block)
                yield
            self._commit(writer, write)
        except BaseException as error:
            with suppress(Exception):
                writer.cancel()
            if isinstance(error, Exception):
                raise _classified(error, "writing") from error
            raise

    @_detect_corruption
    def _commit(self, writer: Any, write: SegmentWrite) -> None:
        self._delete(writer, write.deletions)
        gone = write.replaces
        writer.commit(mergetype=lambda _, old: [s for s in old if _stays(s, gone)])
        known = set(self._segments)
        self._reopen()
        write.name = next((n for n in self._segments if n not in known), None)

    def files(self) -> set[str]:
        """Return the names of all files in use."""
        names = tuple(f"{name}." for name in self._segments)
        toc = TOC._filename(_NAME, self.generation)  # noqa: SLF001
        written = (path.name for path in self._folder.iterdir())
        return {name for name in written if name.startswith(names)} | {toc}

    def close(self) -> None:
        """Close all files."""
        for segment in self._segments.values():
            segment.close()
        self._segments = {}

    def _delete(self, writer: Any, places: Iterable[tuple[str, int]]) -> None:
        offsets: dict[str, int] = {}
        base = 0
        for segment in writer.segments:
            offsets[segment.segment_id()] = base
            base += segment.doc_count_all()
        for name, number in places:
            writer.delete_document(offsets[name] + number)

    def _reopen(self) -> None:
        """Open segments that are new in the table of contents; close removed ones."""
        toc = TOC.read(self._storage, _NAME, schema=_SCHEMA)
        opened: dict[str, Segment] = {}
        for listed in toc.segments:
            name = listed.segment_id()
            if name in self._segments:
                opened[name] = self._segments.pop(name)
            else:
                opened[name] = self._open(listed, opened)
            opened[name].deleted = frozenset(listed.deleted_docs())
        self.close()
        self._segments = opened
        self.generation = toc.generation

    def _open(self, listed: Any, opened: dict[str, Segment]) -> Segment:
        reader = SegmentReader(self._storage, _SCHEMA, listed)
        try:
            return Segment(reader, self._folder, listed.segment_id())
        except BaseException:
            reader.close()
            # Those that are open already are closed with the others.
            self._segments |= opened
            raise

    def _sweep(self) -> None:
        """Remove files of a killed writer; the next writer removes the rest."""
        for left in self._folder.iterdir():
            if left.is_dir():
                rmtree(left, ignore_errors=True)
            elif ".toc." in left.name:
                left.unlink(missing_ok=True)


def _stays(segment: Any, replaces: frozenset[str]) -> bool:
    empty = segment.deleted_count() == segment.doc_count_all()
    return not empty and segment.segment_id() not in replaces


def _add(writer: Any, document: Document, number: int) -> None:
    """Add a document as the writer itself does when no field is analysed."""
    perdoc = writer.perdocwriter
    perdoc.start_doc(number)
    perdoc.add_field(_RECORD, None, to_record(document), 0)
    perdoc.add_column_value(_TIME, _COLUMN, microseconds(document.posted_at))
    perdoc.add_column_value(_CHANNEL, _COLUMN, channel_number(document.channel))
    perdoc.finish_doc()
    writer.docnum = number + 1
    writer._added = True  # noqa: SLF001
