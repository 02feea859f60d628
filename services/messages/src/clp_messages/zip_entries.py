"""Tell compressed scores, office documents and programs by the entries of a ZIP."""

import re
from collections.abc import Iterator
from typing import Final
from zlib import MAX_WBITS, decompressobj
from zlib import error as BadData  # noqa: N812  (an exception in small letters)

from clp_core.attachments import DetectedKind

LOCAL_HEADER: Final = b"PK\x03\x04"
HEADER_BYTES: Final = 30
MAX_ENTRIES: Final = 20
MAX_NAME: Final = 512
DATA_BYTES: Final = 256
DEFLATED: Final = 8
UNKNOWN_SIZES: Final = frozenset({0, 0xFFFFFFFF})

OFFICE: Final = re.compile(
    r"\[Content_Types\]\.xml|(?:word|xl|ppt|_rels|docProps)/|content\.xml\Z"
)
# In small letters, in which these names are compared.
PROGRAM: Final = re.compile(
    r"meta-inf/manifest\.mf\Z|androidmanifest\.xml\Z|classes\d*\.dex\Z|.*\.app/"
)
PROGRAM_EXTENSIONS: Final = (
    ".bat", ".class", ".cmd", ".com", ".dll", ".dylib", ".exe", ".jar", ".msi",
    ".ps1", ".scr", ".so", ".vbs",
)  # fmt: skip
SCORE: Final = re.compile(r"meta-inf/container\.xml\Z|[^/]*\.(?:musicxml|xml)\Z")
SCORE_TYPE: Final = b"application/vnd.recordare.musicxml"


# A name, and where the header and the data begin.
Entry = tuple[str, int, int]


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
    """Names and places of the entries whose headers lie in the head."""
    at = 0
    for _ in range(MAX_ENTRIES):
        at = head.find(LOCAL_HEADER, at)
        if at < 0 or at + HEADER_BYTES > len(head):
            return
        size = int.from_bytes(head[at + 18 : at + 22], "little")
        name_size = int.from_bytes(head[at + 26 : at + 28], "little")
        extra_size = int.from_bytes(head[at + 28 : at + 30], "little")
        start = at + HEADER_BYTES
        name = head[start : start + name_size]
        content = start + name_size + extra_size
        if 0 < name_size <= MAX_NAME and len(name) == name_size:
            yield name.decode("utf-8", "replace"), at, content
        # A size after the content, or in an extra field, is not known here; then the
        # next header is searched.
        at = content + (0 if size in UNKNOWN_SIZES else size)


def _kind_of(entry: Entry, head: bytes) -> DetectedKind | None:
    name, at, content = entry
    if name == "mimetype":
        data = head[content : content + DATA_BYTES]
        is_score = _inflated(data, head[at + 8]).startswith(SCORE_TYPE)
        return DetectedKind.SCORE if is_score else DetectedKind.OFFICE
    small = name.lower()
    if small.endswith(PROGRAM_EXTENSIONS) or PROGRAM.match(small):
        return DetectedKind.PROGRAM
    if OFFICE.match(name):
        return DetectedKind.OFFICE
    return DetectedKind.SCORE if SCORE.match(small) else None


def _inflated(data: bytes, method: int) -> bytes:
    """The first bytes of an entry as they were; empty if they cannot be inflated."""
    if method != DEFLATED:
        return data
    try:
        return decompressobj(-MAX_WBITS).decompress(data, DATA_BYTES)
    except BadData:
        return b""
