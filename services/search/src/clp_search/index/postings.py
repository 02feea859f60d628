"""The terms of a segment and the documents that have them, in two files.

A term that stands in one document is kept beside that document's number; of all others
the numbers lie side by side in a file of their own, two or four bytes each, so that a
list is read without unpacking it. Terms are kept in order, packed by the block: a
lookup reads one block. Nothing is mapped into memory, so a file that was cut short is
an error and not the end of the process.

The files are in the byte order of the machine that wrote them: an index is rebuilt
elsewhere, and never copied there.
"""

import os
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

BLOCK: Final = 32
_MAGIC: Final = b"CLP1"
# UTF-8 knows no such byte, so no term holds it.
_BETWEEN: Final = b"\xff"
# Folding leaves no control character, and no id has one.
_NEVER: Final = "\0"
# Half the work of a higher one, for a few bytes a message.
_LEVEL: Final = 3
_HEADER: Final = Struct("=I")
_TRAILER: Final = Struct("=QIII4s")
_NARROW: Final = 1 << 16


class TornFile(Exception):
    """A file does not hold what was written."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A term: in how many documents, and where their numbers are.

    ``at`` is the number itself where there is only one.
    """

    count: int
    at: int


class PostingsWriter:
    """Writes terms in their order, each with the numbers of its documents.

    A block of terms is written at once, so memory does not grow with them.
    """

    def __init__(
        self, terms_file: BinaryIO, numbers_file: BinaryIO, *, documents: int
    ) -> None:
        self._terms_file = terms_file
        self._numbers_file = numbers_file
        self._documents = documents
        self._kind = _kind(documents)
        self._firsts: list[bytes] = []
        self._starts, self._bases = array("Q", [0]), array("Q")
        self._base = 0

    def add_block(self, block: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Add the next terms, `BLOCK` of them or the last; their documents ascend."""
        lists = [numbers for _, numbers in block]
        several = array(self._kind, chain.from_iterable(n for n in lists if len(n) > 1))
        counts, places = array("I", map(len, lists)), array("I")
        written = 0
        for numbers in lists:
            if len(numbers) == 1:
                places.append(numbers[0])
            else:
                places.append(written)
                written += len(numbers) * several.itemsize
        self._numbers_file.write(several.tobytes())
        keys = _joined([term for term, _ in block])
        figures = counts.tobytes() + places.tobytes()
        content = _HEADER.pack(len(keys)) + keys + figures
        self._firsts.append(block[0][0].encode())
        self._bases.append(self._base)
        packed = zlib.compress(content, _LEVEL)
        self._starts.append(self._starts[-1] + self._terms_file.write(packed))
        self._base += written

    def finish(self) -> None:
        """Write where everything is."""
        directory = zlib.compress(_BETWEEN.join(self._firsts) + _BETWEEN)
        tail = directory + zlib.compress(self._starts.tobytes() + self._bases.tobytes())
        self._terms_file.write(tail)
        self._terms_file.write(
            _TRAILER.pack(
                self._starts[-1], len(directory), len(tail), self._documents, _MAGIC
            )
        )


class Postings:
    """Reads what a `PostingsWriter` wrote."""

    def __init__(self, terms_file: Path, numbers_file: Path) -> None:
        self._terms = self._numbers = -1
        self._terms = os.open(terms_file, os.O_RDONLY)
        try:
            self._numbers = os.open(numbers_file, os.O_RDONLY)
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        end = os.fstat(self._terms).st_size - _TRAILER.size
        trailer = _read(self._terms, end, _TRAILER.size)
        at, directory, tail, self._documents, magic = _TRAILER.unpack(trailer)
        if magic != _MAGIC or at + tail != end:
            raise TornFile("no directory of terms")
        packed = _read(self._terms, at, tail)
        self._firsts = zlib.decompress(packed[:directory]).split(_BETWEEN)[:-1]
        ends = array("Q", zlib.decompress(packed[directory:]))
        self._starts = ends[: len(self._firsts) + 1]
        self._bases = ends[len(self._firsts) + 1 :]
        self._kind = _kind(self._documents)

    def posted(self, term: str) -> Posted | None:
        """A term, if any document has it; one block is read in either case."""
        key = term.encode()
        block = bisect_right(self._firsts, key) - 1
        keys, counts, places, base = self._block(max(0, block))
        at = bisect_left(keys, key)
        if at == len(keys) or keys[at] != key:
            return None
        return Posted(counts[at], places[at] + (base if counts[at] > 1 else 0))

    def beginning(self, beginning: str) -> Iterator[Posted]:
        """All terms that begin like this."""
        start = beginning.encode()
        for block in range(
            max(0, bisect_right(self._firsts, start) - 1), len(self._firsts)
        ):
            keys, counts, places, base = self._block(block)
            for at in range(bisect_left(keys, start), len(keys)):
                if not keys[at].startswith(start):
                    return
                yield Posted(counts[at], places[at] + (base if counts[at] > 1 else 0))

    def items(self) -> Iterator[tuple[str, Sequence[int]]]:
        """All terms in order, with their documents."""
        for block in range(len(self._firsts)):
            keys, counts, places, base = self._block(block)
            for key, count, place in zip(keys, counts, places, strict=True):
                at = place + base if count > 1 else place
                yield key.decode(), self.numbers(Posted(count, at))

    def numbers(self, posted: Posted) -> Sequence[int]:
        """The documents that have a term."""
        if posted.count == 1:
            return (posted.at,)
        numbers = array(self._kind)
        size = posted.count * numbers.itemsize
        numbers.frombytes(_read(self._numbers, posted.at, size))
        if not numbers[0] < numbers[-1] < self._documents:
            raise TornFile("numbers of documents in no order")
        return numbers

    def close(self) -> None:
        """Let go of both files."""
        for handle in (self._terms, self._numbers):
            if handle >= 0:
                os.close(handle)
        self._terms = self._numbers = -1

    def _block(self, block: int) -> tuple[list[bytes], "array[int]", "array[int]", int]:
        start = self._starts[block]
        packed = _read(self._terms, start, self._starts[block + 1] - start)
        content = zlib.decompress(packed)
        (length,) = _HEADER.unpack_from(content)
        end = _HEADER.size + length
        keys = content[_HEADER.size : end].split(_BETWEEN)
        figures = array("I", content[end:])
        half = len(keys)
        return keys, figures[:half], figures[half:], self._bases[block]


def _joined(terms: list[str]) -> bytes:
    """Terms as a block keeps them: encoded all at once, which is quick."""
    joined = _NEVER.join(terms)
    if joined.count(_NEVER) != len(terms) - 1:
        raise ValueError("a term holds a character that no term can hold")
    return joined.encode().replace(_NEVER.encode(), _BETWEEN)


def _kind(documents: int) -> str:
    """How the numbers of so many documents are kept."""
    return "H" if documents <= _NARROW else "I"


def _read(handle: int, at: int, size: int) -> bytes:
    content = os.pread(handle, size, at) if at >= 0 else b""
    if len(content) != size:
        raise TornFile("a file ends early")
    return content
