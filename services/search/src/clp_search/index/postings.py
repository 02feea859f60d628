"""The terms and postings of a segment, in two files.

The posting of a term in a single document is stored in the term dictionary; all other
postings are arrays of two or four bytes a number in a file of their own, read without
decoding. Terms are sorted and compressed in blocks: a lookup reads one block. Files are
read and not mapped into memory, so a truncated file is an error and does not end the
process.

The byte order is the machine's: rebuild an index on another machine, never copy it.
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
# Not part of any UTF-8 text, so no term contains it.
_SEPARATOR: Final = b"\xff"
# Normalization leaves no control character, and no id has one.
_NUL: Final = "\0"
# Half the time of a higher level, for a few bytes a message.
_LEVEL: Final = 3
_HEADER: Final = Struct("=I")
_TRAILER: Final = Struct("=QIII4s")
_MAX_NARROW: Final = 1 << 16


class TornFile(Exception):
    """A file does not hold what was written."""


@dataclass(frozen=True, slots=True)
class TermInfo:
    """A term: its document frequency, and the offset of its postings.

    ``at`` is the number of the document itself where there is only one.
    """

    count: int
    at: int


class PostingsWriter:
    """Writes sorted terms with their postings.

    Terms are written in blocks, so memory does not grow with their number.
    """

    def __init__(
        self, terms_file: BinaryIO, numbers_file: BinaryIO, *, documents: int
    ) -> None:
        self._terms_file = terms_file
        self._numbers_file = numbers_file
        self._documents = documents
        self._array_type = _array_type(documents)
        self._firsts: list[bytes] = []
        self._starts, self._bases = array("Q", [0]), array("Q")
        self._base = 0

    def add_block(self, block: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Append the next `BLOCK` terms, or the last ones; their postings ascend."""
        lists = [numbers for _, numbers in block]
        several = array(
            self._array_type, chain.from_iterable(n for n in lists if len(n) > 1)
        )
        counts, places = array("I", map(len, lists)), array("I")
        written = 0
        for numbers in lists:
            if len(numbers) == 1:
                places.append(numbers[0])
            else:
                places.append(written)
                written += len(numbers) * several.itemsize
        self._numbers_file.write(several.tobytes())
        keys = _join([term for term, _ in block])
        figures = counts.tobytes() + places.tobytes()
        content = _HEADER.pack(len(keys)) + keys + figures
        self._firsts.append(block[0][0].encode())
        self._bases.append(self._base)
        packed = zlib.compress(content, _LEVEL)
        self._starts.append(self._starts[-1] + self._terms_file.write(packed))
        self._base += written

    def finish(self) -> None:
        """Write the directory of blocks and the trailer."""
        directory = zlib.compress(_SEPARATOR.join(self._firsts) + _SEPARATOR)
        tail = directory + zlib.compress(self._starts.tobytes() + self._bases.tobytes())
        self._terms_file.write(tail)
        self._terms_file.write(
            _TRAILER.pack(
                self._starts[-1], len(directory), len(tail), self._documents, _MAGIC
            )
        )


class Postings:
    """Reads the files of a `PostingsWriter`."""

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
        self._firsts = zlib.decompress(packed[:directory]).split(_SEPARATOR)[:-1]
        ends = array("Q", zlib.decompress(packed[directory:]))
        self._starts = ends[: len(self._firsts) + 1]
        self._bases = ends[len(self._firsts) + 1 :]
        self._array_type = _array_type(self._documents)

    def term_info(self, term: str) -> TermInfo | None:
        """Look up a term; one block is read whether it exists or not."""
        key = term.encode()
        block = bisect_right(self._firsts, key) - 1
        keys, counts, places, base = self._block(max(0, block))
        at = bisect_left(keys, key)
        if at == len(keys) or keys[at] != key:
            return None
        return TermInfo(counts[at], places[at] + (base if counts[at] > 1 else 0))

    def terms(self) -> Iterator[tuple[str, Sequence[int]]]:
        """Iterate all terms in order, with their postings."""
        for block in range(len(self._firsts)):
            keys, counts, places, base = self._block(block)
            for key, count, place in zip(keys, counts, places, strict=True):
                at = place + base if count > 1 else place
                yield key.decode(), self.numbers(TermInfo(count, at))

    def numbers(self, info: TermInfo) -> Sequence[int]:
        """Return the postings of a term: numbers of documents, ascending."""
        if info.count == 1:
            return (info.at,)
        numbers = array(self._array_type)
        size = info.count * numbers.itemsize
        numbers.frombytes(_read(self._numbers, info.at, size))
        if not numbers[0] < numbers[-1] < self._documents:
            raise TornFile("numbers of documents in no order")
        return numbers

    def close(self) -> None:
        """Close both files."""
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
        keys = content[_HEADER.size : end].split(_SEPARATOR)
        figures = array("I", content[end:])
        half = len(keys)
        return keys, figures[:half], figures[half:], self._bases[block]


def _join(terms: list[str]) -> bytes:
    """Join the terms of a block, encoded all at once, which is quick."""
    joined = _NUL.join(terms)
    if joined.count(_NUL) != len(terms) - 1:
        raise ValueError("a term holds a character that no term can hold")
    return joined.encode().replace(_NUL.encode(), _SEPARATOR)


def _array_type(documents: int) -> str:
    """Return the array type that fits the numbers of so many documents."""
    return "H" if documents <= _MAX_NARROW else "I"


def _read(handle: int, at: int, size: int) -> bytes:
    content = os.pread(handle, size, at) if at >= 0 else b""
    if len(content) != size:
        raise TornFile("a file ends early")
    return content
