"""Detect the kind of a file by its first bytes (rule 28).

A strong signature proves a kind. A weak likeness, such as a few printable letters at
the head of a table, refuses nothing: it only confirms the name of a file. puremagic
knows some thousand further signatures, of which the weak ones are left out.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import puremagic

from clp_core.attachments import UNPROVEN_KINDS, DetectedKind
from clp_messages.checked_headers import LATER_MARKS, checked_kind
from clp_messages.signature_index import PatternIndex, SignatureIndex, pattern_at
from clp_messages.signature_tables import (
    BINARY_SIGNATURES,
    BRAND,
    CANON_RAW_BRAND,
    COMMENT,
    HEAD_BYTES,
    HEIF_BRANDS,
    LIBRARY_KINDS,
    LIKENESSES,
    OPENING_PATTERNS,
    PAGE_IN_XML,
    PATTERNS,
    PICTURE_HANDLER,
    PICTURE_SIGNATURES,
    QUICKTIME_ATOMS,
    QUICKTIME_BRAND,
    SCRIPT,
    WEB_PAGE,
    XML,
    ZIP_ENTRY,
    Signature,
)
from clp_messages.zip_entries import has_readable_entry, kind_of_zip

MIN_HEAD_BYTES: Final = 4
# Readers accept this many bytes of lines, marks or blanks before the head.
PREAMBLE_BYTES: Final = 1024
OPENING_BYTES: Final = 1024

# What a signature of the library needs to be strong.
MIN_LETTERS: Final = 8
MIN_LETTERS_OF_WORD: Final = 10
MIN_TELLING_BYTES: Final = 4
MIN_DISTINCT: Final = 3
ATOM_HEADER: Final = 8
MAX_ATOM_BYTES: Final = 2**29
MAX_MEDIA_BYTES: Final = 2**48

K = DetectedKind
NONE: Final[frozenset[DetectedKind]] = frozenset()


@dataclass(frozen=True, slots=True)
class Detection:
    """The proven kind of a file, and the kinds that it resembles weakly."""

    kind: DetectedKind
    likeness: frozenset[DetectedKind] = NONE


# Bytes of no text in any encoding but UTF-16 and UTF-32. Escape, shift in and shift out
# switch the sets of ISO 2022.
NOT_TEXT: Final = re.compile(rb"[\x00-\x08\x0b\x10-\x19\x1c-\x1f\x7f]")
CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
BYTE_ORDER_MARKS: Final[Mapping[bytes, str]] = MappingProxyType(
    {
        codecs.BOM_UTF32_LE: "utf-32-le",
        codecs.BOM_UTF32_BE: "utf-32-be",
        codecs.BOM_UTF16_LE: "utf-16-le",
        codecs.BOM_UTF16_BE: "utf-16-be",
    }
)
FIRST_OF_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
# A control character, or what is none at all, among the first characters: most other
# data is told by it.
_CONTROL: Final = rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]"
UNMARKED: Final = (
    ("utf-16-le", re.compile(rb"(?s)(?:..){0,7}?" + _CONTROL + rb"\x00")),
    ("utf-16-be", re.compile(rb"(?s)(?:..){0,7}?\x00" + _CONTROL)),
    ("utf-32-le", re.compile(rb"(?s)(?:....){0,3}?(?:...[^\x00]|..[^\x00-\x10])")),
    ("utf-32-be", re.compile(rb"(?s)(?:....){0,3}?(?:[^\x00]|.[^\x00-\x10])")),
)

# What a script or a page begins with: see `SCRIPT`, `XML`, `COMMENT` and `WEB_PAGE`.
FIRST_OF_ACTIVE: Final = b"#@<[wWrR"
ZIP_HEADER: Final = b"PK\x03\x04"

# A head at the start of a line, or after nothing but marks and blanks.
_UEL: Final = rb"\x1b%-12345X"  # ends a language of printers
_BEFORE: Final = (
    rb"(?:\A(?:[\s\x00\x04\xef\xbb\xbf\xff\xfe]|"
    + _UEL
    + rb")*|[\r\n][ \t]*|"
    + _UEL
    + rb")"
)
PREAMBLES: Final = (
    (b"%PDF-", re.compile(_BEFORE + rb"%PDF-"), K.PDF),
    (b"%!", re.compile(_BEFORE + rb"\x04?%!"), K.POSTSCRIPT),
)
NOT_PREAMBLE: Final = re.compile(rb"[\x01-\x03\x05-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
BITMAP_HEADERS: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
TS_HEADER: Final = re.compile(rb"(?s)G[\x00-\x7f].[\x10-\x3f\x50-\x7f\x90-\xbf]")
TS_PACKETS: Final = ((0, 188), (4, 192))


def detect(head: bytes) -> Detection:
    """Detect the kind of a file by its first `HEAD_BYTES` bytes, or all if fewer.

    Cheap evidence comes first: most good files are proven by their first bytes.
    """
    if kind := OPENINGS.find(head):
        return PROVEN[kind]
    if (kind := _plain_binary(head)) is not None:
        return _detection(kind, head)
    if (kind := PICTURES.find(head)) and not is_text(head[:64]):
        return PROVEN[kind]
    head = head[:HEAD_BYTES]
    if (kind := _active_kind(head)) is not None:
        return PROVEN[kind]
    if is_text(head):
        return Detection(K.TEXT, _preambles(head))
    return _detection(_binary_kind(head), head)


def _detection(kind: DetectedKind, head: bytes) -> Detection:
    return Detection(kind, _alike(head)) if kind in UNPROVEN_KINDS else PROVEN[kind]


def is_text(head: bytes) -> bool:
    """Whether the bytes are a text in some encoding: no control characters."""
    if head.startswith(FIRST_OF_MARKS):
        for mark, encoding in BYTE_ORDER_MARKS.items():
            if head.startswith(mark):
                return _decodes(head, encoding)
    if NOT_TEXT.search(head) is None:
        return True
    if b"\x00" in head[:8]:
        for encoding, no_text in UNMARKED:
            if not no_text.match(head) and _decodes(head, encoding, min_ascii=0.3):
                return True
    return False


def _decodes(head: bytes, encoding: str, *, min_ascii: float = 0) -> bool:
    """Whether a text without control characters decodes; some of it has to be ASCII."""
    # The first characters of other data decide, so the rest is seldom decoded.
    if CONTROLS.search(head[:16].decode(encoding, "ignore")):
        return False
    width = 2 if "16" in encoding else 4
    # ASCII has a zero for its first byte; a character has four bytes at most.
    zeros = head[0 if encoding.endswith("be") else width - 1 :: width].count(0)
    if zeros < min_ascii * (len(head) // 4):
        return False
    try:
        text = head[: len(head) // width * width].decode(encoding)
    except UnicodeDecodeError:
        return False
    if CONTROLS.search(text):
        return False
    return len(text.encode("ascii", "ignore")) >= min_ascii * len(text)


def _opening_of(head: bytes) -> bytes:
    """From the first visible byte: marks, blanks and zeros of UTF-16 run a file too."""
    return head.translate(None, b"\x00").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\f\v")


def _active_kind(head: bytes) -> DetectedKind | None:
    """A script or a web page, which run wherever they are opened."""
    first = _opening_of(head[:64])[:1]
    if first and first not in FIRST_OF_ACTIVE:
        return None
    opening = _opening_of(head[: 8 * OPENING_BYTES])
    if SCRIPT.match(opening):
        return K.SCRIPT
    if XML.match(opening):
        return K.MARKUP if PAGE_IN_XML.search(opening, 0, OPENING_BYTES) else K.XML
    at = 0
    while comment := COMMENT.match(opening, at):
        at = comment.end()
    return K.MARKUP if WEB_PAGE.match(opening, at) else None


def _plain_binary(head: bytes) -> DetectedKind | None:
    """A container or a bitmap over which nothing else is laid."""
    if BINARY_OPENING.match(head) is None or BEHIND.match(head):
        return None
    return _container(head) or _bitmap(head)


def _binary_kind(head: bytes) -> DetectedKind:
    """The kind of what is no text, by its strongest evidence."""
    for recognize in (
        _binary_signature,
        _container,
        _bitmap,
        LIBRARY.find,
        _hidden_zip,
    ):
        if (kind := recognize(head)) is not None:
            return kind
    return K.TOO_SHORT if len(head) < MIN_HEAD_BYTES else K.UNKNOWN


def _binary_signature(head: bytes) -> DetectedKind | None:
    return BINARIES.find(head) or checked_kind(head) or HEADERS.find(head)


def _container(head: bytes) -> DetectedKind | None:
    if head.startswith(ZIP_HEADER):
        return kind_of_zip(head)
    if head[4:8] == b"ftyp":
        return _iso_kind(head)
    if _begins_with_atoms(head):
        return K.QUICKTIME
    return K.OTHER if _is_transport_stream(head) else None


def _iso_kind(head: bytes) -> DetectedKind:
    """The kind of an ISO base media file, by its main and its compatible brands."""
    if head.startswith(QUICKTIME_BRAND, 8):
        return K.QUICKTIME
    size = min(int.from_bytes(head[:4], "big"), 512)
    brands = [head[8:12], *BRAND.findall(head, 16, size)]
    if CANON_RAW_BRAND in brands:
        return K.CAMERA_RAW
    is_picture = PICTURE_HANDLER.search(head, 0, size + 64)
    if is_picture or not HEIF_BRANDS.isdisjoint(brands):
        return K.HEIF
    return K.ISO_MEDIA


def _is_transport_stream(head: bytes) -> bool:
    """Three MPEG packets: a sync byte, no transport error, a payload or adaptation."""
    return any(
        all(
            TS_HEADER.match(head, at) for at in range(start, start + 2 * size + 1, size)
        )
        for start, size in TS_PACKETS
    )


def _bitmap(head: bytes) -> DetectedKind | None:
    """Two letters prove nothing; a size that Windows or OS/2 gives its header does."""
    start = 14 if head.startswith(b"BA") else 0
    size = int.from_bytes(head[start + 14 : start + 18], "little")
    known = head.startswith(b"BM", start) and size in BITMAP_HEADERS
    return K.BMP if known else None


def _hidden_zip(head: bytes) -> DetectedKind | None:
    """An entry of a ZIP somewhere: programs that unpack it look for its end."""
    at = head.find(ZIP_HEADER)
    while at >= 0:
        if ZIP_ENTRY.match(head, at):
            return K.ARCHIVE
        at = head.find(ZIP_HEADER, at + 1)
    return None


def _strong_of_library() -> Iterator[Signature]:
    """The strong signatures of the library, the longest ones first."""
    for match in sorted(
        puremagic.magic_header_array, key=lambda match: -len(match.byte_match)
    ):
        if match.offset >= 0 and _is_strong(match.byte_match):
            kind = _library_kind(match.extension.lower())
            yield Signature(match.byte_match, kind, match.offset)


def _library_kind(extension: str) -> DetectedKind:
    kinds = LIBRARY_KINDS.items()
    return next((kind for kind, names in kinds if extension in names), K.OTHER)


def _is_strong(signature: bytes) -> bool:
    """Text begins with any letters, sound with zeros, ones and small numbers."""
    telling = signature.translate(None, b"\x00\x01\x02\xff\xfe ")
    if signature.isascii() and signature.decode().isprintable():
        wanted = MIN_LETTERS_OF_WORD if telling.isalpha() else MIN_LETTERS
        return len(telling) >= wanted
    return len(telling) >= MIN_TELLING_BYTES and len(set(telling)) >= MIN_DISTINCT


def _preambles(head: bytes) -> frozenset[DetectedKind]:
    """The kinds whose head stands after lines, marks or blanks."""
    kinds = set()
    for value, pattern, kind in PREAMBLES:
        if head.find(value, 0, PREAMBLE_BYTES + 8) < 0:
            continue
        found = pattern.search(head, 0, PREAMBLE_BYTES + 8)
        if found and NOT_PREAMBLE.search(head, 0, found.start()) is None:
            kinds.add(kind)
    return frozenset(kinds)


def _alike(head: bytes) -> frozenset[DetectedKind]:
    """The kinds that a binary head resembles weakly."""
    kinds = {kind for value, kind in LIKENESSES if head.startswith(value)}
    # Six letters are no proof of a GIF, but too many for a line before another head.
    if K.GIF not in kinds:
        kinds |= _preambles(head)
    if head.startswith(ZIP_HEADER) and not has_readable_entry(head):
        kinds.add(K.SCORE)
    return frozenset(kinds)


def _begins_with_atoms(head: bytes) -> bool:
    """Whether a known atom of QuickTime comes first, of a size it may have."""
    kind, size = head[4:8], int.from_bytes(head[:4], "big")
    # Letters in place of a size are those of a word before "free" or "skip".
    largest = MAX_MEDIA_BYTES if kind == b"mdat" else MAX_ATOM_BYTES
    if size == 1:
        size, largest = int.from_bytes(head[8:16], "big"), MAX_MEDIA_BYTES
    return kind in QUICKTIME_ATOMS and (size == 0 or ATOM_HEADER <= size < largest)


PROVEN: Final = {kind: Detection(kind) for kind in K}
PICTURES: Final = SignatureIndex(PICTURE_SIGNATURES)
BINARIES: Final = SignatureIndex(BINARY_SIGNATURES)
LIBRARY: Final = SignatureIndex(_strong_of_library())
OPENINGS: Final = PatternIndex(OPENING_PATTERNS)
# The header of an entry of a ZIP, an atom, or that of a bitmap: no text, script or
# program begins so. Other kinds may be laid over it, with signatures behind its start.
BINARY_OPENING: Final = re.compile(
    ZIP_ENTRY.pattern
    + rb"|\x00\x00(?s:..)(?:%b)" % b"|".join((b"ftyp", *QUICKTIME_ATOMS))
    + rb"|BM(?s:....)\x00{4}[\x11-\xff]"
)
BEHIND: Final = re.compile(
    b"|".join(
        (
            *LATER_MARKS,
            *(
                pattern_at(offset, re.escape(value))
                for value, _, offset in BINARY_SIGNATURES
                if offset
            ),
        )
    )
)
HEADERS: Final = PatternIndex(PATTERNS)
