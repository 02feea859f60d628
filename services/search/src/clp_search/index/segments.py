"""The documents of one shard on disk. The only file that knows Whoosh.

Whoosh keeps the segments: its writer adds and deletes documents, its table of contents
is the commit, its columns and stored fields hold what is not searched. The terms are in
a format of ours (`postings`), which its writer is given as a codec: its own takes a
hundred bytes and more for each word that stands in one message. Nothing above the
segments is used: refreshing a searcher brings deleted documents back, readers shared by
threads read nonsense, and its parser and collectors cannot be given a person's query.
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
    Place,
    Write,
    channel_number,
    document_in,
    microseconds,
    record_of,
)
from clp_search.index.postings import BLOCK, Posted, Postings, PostingsWriter
from clp_search.index.term_merger import terms_of

P = ParamSpec("P")
R = TypeVar("R")

_NAME: Final = "MAIN"
# So many documents are written before others get their turn.
_AT_ONCE: Final = 8

# So much rarer are documents to be looked up one by one in a list of others.
_RARER: Final = 24

# One byte a name: they stand in every file name and in each stored document.
_RECORD, _TIME, _CHANNEL = "d", "k", "c"
_TERMS, _NUMBERS = ".trm", ".pst"

_COLUMN: Final = NumericColumn("Q")
_SCHEMA: Final = Schema(
    **{_RECORD: STORED(), _TIME: COLUMN(_COLUMN), _CHANNEL: COLUMN(_COLUMN)}
)


class _TermsWriter(FieldWriter):  # type: ignore[misc]
    """Writes the terms it is given, whatever Whoosh has gathered itself."""

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
    """What Whoosh's reader is given for terms: it is never asked for any."""

    def close(self) -> None:
        """There is nothing to close."""


class TermsCodec(W3Codec):  # type: ignore[misc]
    """Whoosh's format but for the terms. Its name is part of the files: keep it."""

    length_stats = False

    def __init__(self, documents: int = 0) -> None:
        super().__init__()
        self._documents = documents

    @override
    def new_segment(self, storage: Any, indexname: str) -> Any:
        segment = W3Segment(TermsCodec(), indexname)
        # Whoosh would ask the random numbers of a program that may have seeded them:
        # two segments of one name are one file.
        segment.segid = new_id()[:16]
        return segment

    @override
    def field_writer(self, storage: Any, segment: Any) -> _TermsWriter:
        return _TermsWriter(storage, segment, self._documents)

    @override
    def terms_reader(self, storage: Any, segment: Any) -> _NoTerms:
        return _NoTerms()


def _whole(method: Callable[P, R]) -> Callable[P, R]:
    """Reading a torn file can raise anything: it all means that the file is torn."""

    @wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            raise _meant(error, method.__name__) from error

    return guarded


def _meant(error: Exception, where: str) -> Exception:
    """The trouble of a disk passes; anything else is damage."""
    passes = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
    if passes or isinstance(error, IndexDamaged):
        return error
    return IndexDamaged(f"{where}: {type(error).__name__}")


class Segment:
    """Documents in the order of their keys, unchangeable but for deletions."""

    @_whole
    def __init__(self, reader: Any, folder: Path, name: str) -> None:
        self._reader = reader
        self._postings = Postings(
            folder / f"{name}{_TERMS}", folder / f"{name}{_NUMBERS}"
        )
        self.name = name
        self.size: int = reader.doc_count_all()
        self._times = _numbers(reader, _TIME, self.size)
        self._channels = _numbers(reader, _CHANNEL, self.size)
        self.newest = self.time(self.size - 1)
        self.deleted: frozenset[int] = frozenset()

    @_whole
    def posted(self, term: str) -> Posted | None:
        """A term, if any document has it."""
        return self._postings.posted(term)

    @_whole
    def posted_beginning(self, beginning: str) -> list[Posted]:
        """All terms that begin like this."""
        return list(self._postings.beginning(beginning))

    @_whole
    def all_of(self, posted: Posted) -> Sequence[int]:
        """The documents that have a term, deleted ones included."""
        return self._postings.numbers(posted)

    @_whole
    def those_of(self, posted: Posted, candidates: Sequence[int]) -> list[int]:
        """Which of some documents have a term."""
        numbers = self._postings.numbers(posted)
        if len(candidates) * _RARER > posted.count:
            return sorted(set(candidates).intersection(numbers))
        last = posted.count
        places = ((bisect_left(numbers, number), number) for number in candidates)
        return [n for at, n in places if at < last and numbers[at] == n]

    def places_of(self, document: Document) -> Iterator[Place]:
        """Where a message is stored: among those posted at its moment."""
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
                yield Place(self.name, number, stored.revision)

    @_whole
    def items(self) -> Iterator[tuple[str, Sequence[int]]]:
        """All terms with their documents."""
        return self._postings.items()

    def time(self, number: int) -> int:
        """The time of a document."""
        return self._times[number]

    def channel(self, number: int) -> int:
        """The number of a document's channel."""
        return self._channels[number]

    @_whole
    def load(self, number: int) -> Document:
        """A stored document."""
        return document_in(self._reader.stored_fields(number)[_RECORD])

    @_whole
    def read_through(self) -> None:
        """Read everything there is."""
        for _ in self._postings.items():
            pass
        for number in range(self.size):
            self.load(number)

    def close(self) -> None:
        """Let go of its files."""
        self._postings.close()
        self._reader.close()


def _numbers(reader: Any, column: str, count: int) -> "array[int]":
    """A column of numbers, read at once and kept; its file is let go of."""
    read = reader.column_reader(column, translate=False)
    numbers: array[int] = read._dbfile.get_array(0, "Q", read._count)  # noqa: SLF001
    file, _, _ = reader._perdoc._colfiles.pop(column)  # noqa: SLF001
    file.close()
    # What Whoosh leaves away at the end of a column are zeros.
    numbers.extend([0] * (count - len(numbers)))
    return numbers


def generation_of(folder: Path) -> int:
    """How often the table of contents of a folder was written; -1 without one."""
    generation: int = TOC._latest_generation(FileStorage(str(folder)), _NAME)  # noqa: SLF001
    return generation


class Segments:
    """All segments of a folder, oldest first as written."""

    @_whole
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
        self._follow()

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments.values())

    def __getitem__(self, name: str) -> Segment:
        return self._segments[name]

    def places_of(self, document: Document) -> Iterator[Place]:
        """Where a message is stored, newest segment first."""
        for segment in reversed(self._segments.values()):
            yield from segment.places_of(document)

    def writing(self, write: Write) -> Iterator[None]:
        """Write in small steps; on disk is all or nothing, when the last one is done.

        What is taken to be ``gone`` is looked up then, so deletions may come meanwhile.
        """
        try:
            codec = TermsCodec(len(write.documents))
            writer = self._index.writer(compound=False, codec=codec)
        except LockError as error:
            raise BlockingIOError("the folder is being written to") from error
        try:
            for at, indexed in enumerate(write.documents):
                _add(writer, indexed.document, at)
                if at % _AT_ONCE == 0:
                    yield
            terms = terms_of(write, lambda name: self._segments[name].items())
            while block := list(islice(terms, BLOCK)):
                writer.fieldwriter.postings.add_block(block)
                yield
            self._commit(writer, write)
        except BaseException as error:
            with suppress(Exception):
                writer.cancel()
            if isinstance(error, Exception):
                raise _meant(error, "writing") from error
            raise

    @_whole
    def _commit(self, writer: Any, write: Write) -> None:
        self._delete(writer, write.without)
        gone = write.instead_of
        writer.commit(mergetype=lambda _, old: [s for s in old if _stays(s, gone)])
        known = set(self._segments)
        self._follow()
        write.name = next((n for n in self._segments if n not in known), None)

    def files(self) -> set[str]:
        """The names of all files that matter."""
        names = tuple(f"{name}." for name in self._segments)
        toc = TOC._filename(_NAME, self.generation)  # noqa: SLF001
        written = (path.name for path in self._folder.iterdir())
        return {name for name in written if name.startswith(names)} | {toc}

    def close(self) -> None:
        """Let go of all files."""
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

    def _follow(self) -> None:
        """Open what is new in the table of contents, close what is gone."""
        toc = TOC.read(self._storage, _NAME, schema=_SCHEMA)
        opened: dict[str, Segment] = {}
        for listed in toc.segments:
            name = listed.segment_id()
            if name in self._segments:
                opened[name] = self._segments.pop(name)
            else:
                reader = SegmentReader(self._storage, _SCHEMA, listed)
                opened[name] = Segment(reader, self._folder, name)
            opened[name].deleted = frozenset(listed.deleted_docs())
        self.close()
        self._segments = opened
        self.generation = toc.generation

    def _sweep(self) -> None:
        """Remove what a killed writer left; the writer itself removes the rest."""
        for left in self._folder.iterdir():
            if left.is_dir():
                rmtree(left, ignore_errors=True)
            elif ".toc." in left.name:
                left.unlink(missing_ok=True)


def _stays(segment: Any, instead_of: frozenset[str]) -> bool:
    empty = segment.deleted_count() == segment.doc_count_all()
    return not empty and segment.segment_id() not in instead_of


def _add(writer: Any, document: Document, number: int) -> None:
    """What the writer itself does with a document that has no field to be analysed."""
    perdoc = writer.perdocwriter
    perdoc.start_doc(number)
    perdoc.add_field(_RECORD, None, record_of(document), 0)
    perdoc.add_column_value(_TIME, _COLUMN, microseconds(document.posted_at))
    perdoc.add_column_value(_CHANNEL, _COLUMN, channel_number(document.channel))
    perdoc.finish_doc()
    writer.docnum = number + 1
    writer._added = True  # noqa: SLF001
