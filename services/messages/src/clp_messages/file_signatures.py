"""Detect the kind of a file by its first bytes (rule 28).

The tables below cover the kinds that may be attached and those that must not be
disguised as them; puremagic knows a few thousand further signatures.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import puremagic

from clp_core.attachments import DetectedKind

# Enough for every signature, including the one of a tar archive at offset 257.
HEAD_BYTES: Final = 4096
MIN_HEAD_BYTES: Final = 4

K = DetectedKind

SIGNATURES: Final[tuple[tuple[bytes, DetectedKind], ...]] = (
    (b"\x89PNG\r\n\x1a\n", K.PNG),
    (b"GIF87a", K.GIF),
    (b"GIF89a", K.GIF),
    (b"\xff\xd8\xff", K.JPEG),
    (b"8BPS", K.PSD),
    (b"%PDF-", K.PDF),
    (b"%!PS", K.POSTSCRIPT),
    (b"\x04%!PS", K.POSTSCRIPT),
    (b"\xc5\xd0\xd3\xc6", K.POSTSCRIPT),
    (b"II*\x00", K.TIFF),
    (b"MM\x00*", K.TIFF),
    (b"II+\x00", K.TIFF),
    (b"MM\x00+", K.TIFF),
    (bytes.fromhex("0606edf5d81d46e5bd31efe7fe74b71d"), K.INDESIGN),
    (b"PK\x03\x04", K.ZIP),
    # programs
    (b"\x7fELF", K.PROGRAM),
    (b"\xfe\xed\xfa\xce", K.PROGRAM),
    (b"\xfe\xed\xfa\xcf", K.PROGRAM),
    (b"\xce\xfa\xed\xfe", K.PROGRAM),
    (b"\xcf\xfa\xed\xfe", K.PROGRAM),
    (b"\xca\xfe\xba\xbe", K.PROGRAM),
    (b"dex\n", K.PROGRAM),
    (b"\x00asm", K.PROGRAM),
    (b"BC\xc0\xde", K.PROGRAM),
    (b"ITSF", K.PROGRAM),
    (bytes.fromhex("4c0000000114020000000000c000000000000046"), K.PROGRAM),
    # archives, and documents that carry programs
    (b"PK\x05\x06", K.ARCHIVE),
    (b"PK\x07\x08", K.ARCHIVE),
    (b"Rar!\x1a\x07", K.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", K.ARCHIVE),
    (b"\x1f\x8b", K.ARCHIVE),
    (b"BZh", K.ARCHIVE),
    (b"\xfd7zXZ\x00", K.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", K.ARCHIVE),
    (b"\x04\x22\x4d\x18", K.ARCHIVE),
    (b"MSCF", K.ARCHIVE),
    (b"!<arch>\n", K.ARCHIVE),
    (b"xar!", K.ARCHIVE),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", K.ARCHIVE),
    (b"{\\rtf", K.OTHER),
)
TAR: Final = (257, b"ustar")

# RIFF and its variants name their form after eight bytes.
RIFF: Final = (b"RIFF", b"RIFX", b"RF64", b"BW64")
RIFF_FORMS: Final = MappingProxyType({b"WAVE": K.WAV, b"WEBP": K.WEBP})

HEIF_BRANDS: Final = frozenset(
    {b"mif1", b"msf1", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
)
QUICKTIME_BRAND: Final = b"qt  "
# The first atom of a QuickTime file without a brand.
QUICKTIME_ATOMS: Final = frozenset(
    {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
)

SCRIPT_IN_TEXT: Final = re.compile(
    rb"#!|@(?:echo|cls|setlocal)\b|<\?(?:php|=)|<%|windows registry editor|regedit4"
    rb"|\[(?:desktop entry|internetshortcut|autorun|version)\]",
    re.IGNORECASE,
)
MARKUP_IN_TEXT: Final = re.compile(rb"<[a-z!?/]", re.IGNORECASE)
# In binary data two letters match by chance, so a whole word is needed.
SCRIPT_IN_BINARY: Final = re.compile(rb"#![ ]*/|<\?php", re.IGNORECASE)
MARKUP_IN_BINARY: Final = re.compile(
    rb"<!--|<(?:!doctype|\?xml|html|head|body|title|meta|link|script|style|svg|math"
    rb"|iframe|frameset|object|embed|form|img|table|div|font|a|p|br|h1)\b",
    re.IGNORECASE,
)
OPENING_BYTES: Final = 256
NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
BYTE_ORDER_MARKS: Final[Mapping[bytes, str]] = MappingProxyType(
    {
        codecs.BOM_UTF8: "utf-8",
        codecs.BOM_UTF16_LE: "utf-16-le",
        codecs.BOM_UTF16_BE: "utf-16-be",
    }
)

# Extensions by which puremagic names disguised kinds; its other matches are OTHER.
DISGUISES: Final[Mapping[DetectedKind, frozenset[str]]] = MappingProxyType(
    {
        K.PROGRAM: frozenset({
            ".exe", ".dll", ".com", ".sys", ".scr", ".ocx", ".drv", ".so", ".class",
            ".dex", ".elc", ".pyc", ".luac", ".msi", ".appimage", ".swf", ".wasm",
            ".lnk", ".chm", ".hlp",
        }),
        K.SCRIPT: frozenset({
            ".sh", ".py", ".pl", ".rb", ".php", ".bat", ".cmd", ".ps1", ".vbs", ".js",
        }),
        K.MARKUP: frozenset({
            ".html", ".htm", ".xhtml", ".xml", ".svg", ".xsl", ".mht", ".mhtml",
        }),
        K.ARCHIVE: frozenset({
            ".zip", ".jar", ".docx", ".xlsx", ".pptx", ".rar", ".7z", ".gz", ".tgz",
            ".tar", ".bz2", ".tbz2", ".xz", ".zst", ".lz", ".lz4", ".lzh", ".lha",
            ".arj", ".ace", ".cab", ".iso", ".dmg", ".img", ".cpio", ".rpm", ".deb",
            ".ar", ".arc", ".zoo", ".z", ".wim", ".vhd", ".vmdk", ".doc", ".xls",
            ".ppt",
        }),
    }
)  # fmt: skip
# A shorter signature is weak: text begins with any letters, audio with any bytes.
MIN_SIGNATURE_BYTES: Final = 3
MIN_SIGNATURE_BYTES_IN_TEXT: Final = 5


def detected_kind(head: bytes) -> DetectedKind:
    """Return the kind of a file by its first `HEAD_BYTES` bytes, or all if fewer."""
    head = head[:HEAD_BYTES]
    for detect in (_by_signature, _by_container, _by_disguise):
        if (kind := detect(head)) is not None:
            return kind
    is_text = _is_text(head)
    if (kind := _by_library(head, is_text=is_text)) is not None:
        return kind
    if is_text:
        return K.TEXT
    return K.TOO_SHORT if len(head) < MIN_HEAD_BYTES else K.UNKNOWN


def _by_signature(head: bytes) -> DetectedKind | None:
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            return kind
    offset, signature = TAR
    return K.ARCHIVE if head.startswith(signature, offset) else None


def _by_container(head: bytes) -> DetectedKind | None:
    if head.startswith(RIFF):
        return RIFF_FORMS.get(head[8:12], K.OTHER)
    atom, brand = head[4:8], head[8:12]
    if atom == b"ftyp":
        if brand == QUICKTIME_BRAND:
            return K.QUICKTIME
        return K.HEIF if brand in HEIF_BRANDS else K.ISO_MEDIA
    return K.QUICKTIME if atom in QUICKTIME_ATOMS else None


def _by_disguise(head: bytes) -> DetectedKind | None:
    # Blanks, byte order marks and the zeros of UTF-16 do not stop a program or browser
    # from running or showing a file.
    opening = (
        head[: 4 * OPENING_BYTES].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")
    )
    opening = opening.lstrip()[:OPENING_BYTES]
    text = _is_text(opening)
    if (SCRIPT_IN_TEXT if text else SCRIPT_IN_BINARY).match(opening):
        return K.SCRIPT
    if (MARKUP_IN_TEXT if text else MARKUP_IN_BINARY).match(opening):
        return K.MARKUP
    if _is_text(head):
        # Two-letter signatures match many texts.
        return None
    if head.startswith(b"MZ"):
        return K.PROGRAM
    return K.BMP if head.startswith(b"BM") else None


def _by_library(head: bytes, *, is_text: bool) -> DetectedKind | None:
    minimum = MIN_SIGNATURE_BYTES_IN_TEXT if is_text else MIN_SIGNATURE_BYTES
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    strong = [match for match in matches if _weight(match.byte_match) >= minimum]
    if not strong:
        return None
    extension = strong[0].extension.lower()
    for kind, extensions in DISGUISES.items():
        if extension in extensions:
            return kind
    return K.OTHER


def _weight(signature: object) -> int:
    """Count the bytes of a signature that are not zero."""
    return len(signature.replace(b"\x00", b"")) if isinstance(signature, bytes) else 0


def _is_text(head: bytes) -> bool:
    encoding, start = "utf-8", 0
    for mark, name in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            encoding, start = name, len(mark)
    decode: Callable[[bytes], str] = codecs.getincrementaldecoder(encoding)().decode
    try:
        # Not final: the head may end in the middle of a character.
        text = decode(head[start:])
    except UnicodeDecodeError:
        return False
    return NOT_TEXT.search(text) is None
