"""Tell compressed scores, office documents and programs by the entries of a ZIP."""

import re
from collections.abc import Iterator
from struct import Struct
from typing import Final
from zlib import MAX_WBITS, decompressobj
from zlib import error as BadData  # noqa: N812  (an exception in small letters)

from clp_core.attachments import DetectedKind
from clp_messages.signature_index import PatternIndex
from clp_messages.signature_tables import HEAD_BYTES

LOCAL_HEADER: Final = b"PK\x03\x04"
# The compressed size of the content, and the sizes of the name and the extra field.
SIZES: Final = Struct("<18xL4xHH")
MAX_ENTRIES: Final = 20
MAX_NAME: Final = 512
DATA_BYTES: Final = 256
DEFLATED: Final = 8
UNKNOWN_SIZES: Final = frozenset({0, 0xFFFFFFFF})

PROGRAM_EXTENSIONS: Final = (
    b".bat", b".class", b".cmd", b".com", b".cpl", b".dll", b".dylib", b".exe", b".hta",
    b".jar", b".js", b".jse", b".lnk", b".msi", b".pif", b".ps1", b".scr", b".sh",
    b".so", b".vbe", b".vbs", b".wsf",
)  # fmt: skip
# Names of other files by which these kinds are told; of several, the first one wins.
KNOWN_NAMES: Final = PatternIndex(
    (
        (
            re.compile(
                rb"(?i:meta-inf/manifest\.mf\Z|androidmanifest\.xml\Z|classes\d*\.dex\Z"
                rb"|.*\.app/)"
            ),
            DetectedKind.PROGRAM,
        ),
        (
            re.compile(
                rb"\[Content_Types\]\.xml|(?:word|xl|ppt|_rels|docProps)/|content\.xml\Z"
            ),
            DetectedKind.OFFICE,
        ),
        (
            re.compile(rb"(?i:meta-inf/container\.xml\Z|[^/]*\.(?:musicxml|xml)\Z)"),
            DetectedKind.SCORE,
        ),
    )
)
SCORE_TYPE: Final = b"application/vnd.recordare.musicxml"


# A name, and where the header and the data begin.
Entry = tuple[bytes, int, int]


def kind_of_zip(head: bytes) -> DetectedKind:
    """The kind of a ZIP by its first readable entries; ZIP if they are others."""
    kinds = [_kind_of(entry, head) for entry in entries(head)]
    for kind in (DetectedKind.PROGRAM, DetectedKind.OFFICE, DetectedKind.SCORE):
        if kind in kinds:
            return kind
    return DetectedKind.ZIP


def has_readable_entry(head: bytes) -> bool:
    """Whether the name of an entry can be read."""
    return next(entries(head), None) is not None


def entries(head: bytes) -> Iterator[Entry]:
    """Names and places of the entries whose headers lie in the first `HEAD_BYTES`."""
    end = min(len(head), HEAD_BYTES)
    at = 0
    for _ in range(MAX_ENTRIES):
        at = head.find(LOCAL_HEADER, at, end)
        if at < 0 or at + SIZES.size > end:
            return
        size, name_size, extra_size = SIZES.unpack_from(head, at)
        start = at + SIZES.size
        content = start + name_size + extra_size
        if 0 < name_size <= MAX_NAME and start + name_size <= end:
            yield head[start : start + name_size], at, content
        # A size after the content, or in an extra field, is not known here; then the
        # next header is searched.
        at = content + (0 if size in UNKNOWN_SIZES else size)


def _kind_of(entry: Entry, head: bytes) -> DetectedKind | None:
    name, at, content = entry
    if name == b"mimetype":
        data = head[content : content + DATA_BYTES]
        is_score = _inflated(data, head[at + 8]).startswith(SCORE_TYPE)
        return DetectedKind.SCORE if is_score else DetectedKind.OFFICE
    if name.lower().endswith(PROGRAM_EXTENSIONS):
        return DetectedKind.PROGRAM
    return KNOWN_NAMES.find(name)


def _inflated(data: bytes, method: int) -> bytes:
    """The first bytes of an entry as they were; empty if they cannot be inflated."""
    if method != DEFLATED:
        return data
    try:
        return decompressobj(-MAX_WBITS).decompress(data, DATA_BYTES)
    except BadData:
        return b""
