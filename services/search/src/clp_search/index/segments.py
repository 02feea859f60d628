"""The documents of one shard on disk. The only file that knows Whoosh.

Used are its writer, its table of contents and its segment readers, and nothing above
them: refreshing a searcher brings deleted documents back, readers shared by threads
read nonsense, and its own parser and collectors cannot be given a person's query.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from typing import Any, Final, ParamSpec, TypeVar

from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, STORED, FieldType, Schema
from whoosh.filedb.filestore import FileStorage
from whoosh.formats import Existence
from whoosh.index import TOC, FileIndex, LockError
from whoosh.reading import SegmentReader, TermNotFound

from clp_search.engine import Document, IndexDamaged
from clp_search.terms import MESSAGE

P = ParamSpec("P")
R = TypeVar("R")

_NAME: Final = "MAIN"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# One byte a name: they stand in every file name and in each stored document.
_TERMS, _RECORD, _TIME, _CHANNEL = "t", "d", "k", "c"


class TermSet(FieldType):  # type: ignore[misc]
    """A field that is given its terms and keeps neither counts nor places."""

    def __init__(self) -> None:
        self.format = Existence()
        self.scorable = False
        self.stored = False

    def index(self, value: Iterable[str], **_: Any) -> Iterator[tuple[Any, ...]]:
        """The terms as the writer wants them."""
        return ((term.encode(), 1, 1.0, b"") for term in value)


_SCHEMA: Final = Schema(
    **{
        _TERMS: TermSet(),
        _RECORD: STORED(),
        _TIME: COLUMN(NumericColumn("Q")),
        _CHANNEL: COLUMN(NumericColumn("Q")),
    }
)


def microseconds(instant: datetime) -> int:
    """A time as the index orders it."""
    return max(0, (instant - _EPOCH) // _MICROSECOND)


def channel_number(channel: str) -> int:
    """A channel as a column of numbers keeps it."""
    return int.from_bytes(blake2b(channel.encode(), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class Posted:
    """A term of a segment: in how many documents, and how to read them."""

    count: int
    info: Any


@dataclass(frozen=True, slots=True)
class Place:
    """A document on disk."""

    segment: str
    number: int
    revision: int


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document with its terms, to be written."""

    document: Document
    terms: frozenset[str]


def _whole(method: Callable[P, R]) -> Callable[P, R]:
    """Reading a torn file can raise anything: it all means that the file is torn."""

    @wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except IndexDamaged:
            raise
        except Exception as error:
            if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
                raise
            raise IndexDamaged(f"{method.__name__}: {type(error).__name__}") from error

    return guarded


class Segment:
    """Documents in the order of their keys, unchangeable but for deletions."""

    def __init__(self, reader: Any, name: str) -> None:
        self._reader = reader
        self._terms = reader._terms  # noqa: SLF001 - without the deletions' wrapper
        self._times = reader.column_reader(_TIME, translate=False)
        self._channels = reader.column_reader(_CHANNEL, translate=False)
        self.name = name
        self.size: int = reader.doc_count_all()
        self.newest = self.time(self.size - 1)
        self.deleted: frozenset[int] = frozenset()

    @_whole
    def posted(self, term: str) -> Posted | None:
        """A term, if any document has it."""
        try:
            info = self._terms.term_info(_TERMS, term.encode())
        except TermNotFound:
            return None
        return Posted(info.doc_frequency(), info)

    @_whole
    def posted_beginning(self, beginning: str) -> list[Posted]:
        """All terms that begin like this."""
        start = beginning.encode()
        found: list[Posted] = []
        for (field, term), info in self._terms.items_from(_TERMS, start):
            if field != _TERMS or not term.startswith(start):
                break
            found.append(Posted(info.doc_frequency(), info))
        return found

    @_whole
    def all_of(self, posted: Posted) -> list[int]:
        """The documents that have a term, deleted ones included."""
        found: list[int] = []
        for block in self._blocks(posted):
            found.extend(_ids(block))
        return found

    @_whole
    def those_of(self, posted: Posted, candidates: Sequence[int]) -> list[int]:
        """Which of some documents have a term; blocks without any are not unpacked."""
        found: list[int] = []
        at = 0
        for block in self._blocks(posted):
            if at == len(candidates):
                break
            last = block.block_max_id()
            if last < candidates[at]:
                continue
            end = bisect_left(candidates, last + 1, at)
            found.extend(set(candidates[at:end]).intersection(_ids(block)))
            at = end
        return sorted(found)

    def time(self, number: int) -> int:
        """The time of a document."""
        moment: int = self._times[number]
        return moment

    def channel(self, number: int) -> int:
        """The number of a document's channel."""
        channel: int = self._channels[number]
        return channel

    @_whole
    def load(self, number: int) -> Document:
        """A stored document."""
        return _document(self._reader.stored_fields(number)[_RECORD])

    @_whole
    def read_through(self) -> None:
        """Read everything there is."""
        for _, info in self._terms.items():  # noqa: PERF102 - it is no dictionary
            self.all_of(Posted(info.doc_frequency(), info))
        for number in range(self.size):
            self.load(number)

    def close(self) -> None:
        """Let go of its files."""
        self._reader.close()

    def _blocks(self, posted: Posted) -> Iterator[Any]:
        terms = self._terms
        matcher = terms._codec.postings_reader(  # noqa: SLF001 - as its own matcher()
            terms._postfile,  # noqa: SLF001
            posted.info,
            _SCHEMA[_TERMS].format,
        )
        while matcher.is_active():
            yield matcher
            matcher._next_block()  # noqa: SLF001 - the public way reads one by one


def _ids(block: Any) -> Sequence[int]:
    block.id()  # unpacks the block
    ids: Sequence[int] = block._ids  # noqa: SLF001
    return ids


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

    def places_of(self, message: str) -> Iterator[Place]:
        """Where a message is stored, newest first."""
        for segment in reversed(self._segments.values()):
            posted = segment.posted(MESSAGE + message)
            for number in segment.all_of(posted) if posted else ():
                if number not in segment.deleted:
                    revision = segment.load(number).revision
                    yield Place(segment.name, number, revision)

    @_whole
    def write(
        self,
        documents: Sequence[Indexed],
        *,
        without: Iterable[tuple[str, int]] = (),
        instead_of: frozenset[str] = frozenset(),
    ) -> None:
        """Add documents in the order of their keys as one segment, all or nothing.

        ``without`` are documents to delete, ``instead_of`` segments that go.
        """
        try:
            writer = self._index.writer(compound=False)
        except LockError as error:
            raise BlockingIOError("the folder is being written to") from error
        try:
            self._delete(writer, without)
            for indexed in documents:
                _add(writer, indexed)
            writer.commit(
                mergetype=lambda _, old: [s for s in old if _stays(s, instead_of)]
            )
        except BaseException:
            with suppress(Exception):
                writer.cancel()
            raise
        self._follow()

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
                opened[name] = Segment(reader, name)
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


def _add(writer: Any, indexed: Indexed) -> None:
    document = indexed.document
    writer.add_document(
        **{
            _TERMS: indexed.terms,
            _RECORD: _record(document),
            _TIME: microseconds(document.posted_at),
            _CHANNEL: channel_number(document.channel),
        }
    )


def _record(document: Document) -> tuple[Any, ...]:
    return (
        document.message,
        document.revision,
        document.channel,
        document.number,
        document.author,
        document.author_name,
        microseconds(document.posted_at),
        document.text,
        document.attachments,
        document.deleted,
    )


def _document(record: tuple[Any, ...]) -> Document:
    message, revision, channel, number, author, name, moment, *rest = record
    text, attachments, deleted = rest
    return Document(
        message=message,
        revision=revision,
        project=channel.split("/", 1)[0],
        channel=channel,
        number=number,
        author=author,
        author_name=name,
        posted_at=_EPOCH + timedelta(microseconds=moment),
        text=text,
        attachments=tuple(attachments),
        deleted=deleted,
    )
