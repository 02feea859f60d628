"""File signatures as data: prefixes, offsets and extensions, each with its kind.

The tables hold the kinds that may be attached, those refused under any name, and raw
files of cameras. Everything else is left to a library, see `file_signatures`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from clp_core.attachments import DetectedKind

K = DetectedKind


class Signature(NamedTuple):
    """Bytes at an offset that prove a kind."""

    value: bytes
    kind: DetectedKind
    offset: int = 0


# Texts that prove a kind although every byte of theirs is printable.
TEXT_SIGNATURES: Final = (
    Signature(b"%PDF-", K.PDF),
    Signature(b"%!PS", K.POSTSCRIPT),
    Signature(b"\x04%!PS", K.POSTSCRIPT),
    Signature(b"GIF87a", K.GIF),
    Signature(b"GIF89a", K.GIF),
    Signature(b"{\\rtf", K.OTHER),
    Signature(b"!<arch>\n", K.ARCHIVE),
    Signature(b"(This file must be converted with BinHex", K.ARCHIVE),
    Signature(b"# Disk DescriptorFile", K.DISK_IMAGE),
    Signature(b"FasdUAS ", K.PROGRAM),
)

# Pictures and documents, whose signatures begin with bytes of no text.
PICTURE_SIGNATURES: Final = (
    Signature(b"\x89PNG\r\n\x1a\n", K.PNG),
    Signature(b"\xff\xd8\xff", K.JPEG),
    Signature(b"8BPS\x00\x01", K.PSD),
    Signature(b"8BPS\x00\x02", K.PSD),
    Signature(b"\xc5\xd0\xd3\xc6", K.POSTSCRIPT),
    Signature(b"II*\x00", K.TIFF),
    Signature(b"MM\x00*", K.TIFF),
    Signature(b"II+\x00", K.TIFF),
    Signature(b"MM\x00+", K.TIFF),
    Signature(bytes.fromhex("0606edf5d81d46e5bd31efe7fe74b71d"), K.INDESIGN),
)

BINARY_SIGNATURES: Final = (
    *TEXT_SIGNATURES,
    # raw files of Fujifilm, Olympus, Panasonic, Minolta, Sigma, Canon, ARRI and RED
    Signature(b"FUJIFILMCCD-RAW", K.CAMERA_RAW),
    Signature(b"IIRO", K.CAMERA_RAW),
    Signature(b"IIRS", K.CAMERA_RAW),
    Signature(b"MMOR", K.CAMERA_RAW),
    Signature(b"IIU\x00", K.CAMERA_RAW),
    Signature(b"\x00MRM", K.CAMERA_RAW),
    Signature(b"FOVb", K.CAMERA_RAW),
    Signature(b"HEAPCCDR", K.CAMERA_RAW, 6),
    Signature(b"IIIITwaR", K.CAMERA_RAW),
    Signature(b"ARRI\x12\x34\x56\x78", K.CAMERA_RAW),
    Signature(b"RED1", K.CAMERA_RAW, 4),
    Signature(b"RED2", K.CAMERA_RAW, 4),
    # films of other kinds
    Signature(bytes.fromhex("060e2b34020501010d010201"), K.OTHER),  # MXF
    # programs
    Signature(b"\x7fELF", K.PROGRAM),
    Signature(b"\xfe\xed\xfa\xce", K.PROGRAM),
    Signature(b"\xfe\xed\xfa\xcf", K.PROGRAM),
    Signature(b"\xce\xfa\xed\xfe", K.PROGRAM),
    Signature(b"\xcf\xfa\xed\xfe", K.PROGRAM),
    Signature(b"\xca\xfe\xba\xbe", K.PROGRAM),  # Java class, Mach-O for many processors
    Signature(b"\xca\xfe\xd0\x0d", K.PROGRAM),  # Java pack200
    Signature(b"dex\n", K.PROGRAM),
    Signature(b"\x00asm", K.PROGRAM),
    Signature(b"BC\xc0\xde", K.PROGRAM),  # LLVM
    Signature(b"\xde\xc0\x17\x0b", K.PROGRAM),
    Signature(b"\x1bLua", K.PROGRAM),
    Signature(b"\x1bLJ", K.PROGRAM),
    Signature(b";ELC", K.PROGRAM),
    Signature(b"Caml1999", K.PROGRAM),
    Signature(b"ITSF", K.PROGRAM),
    Signature(b"JM\x01\x00PK", K.PROGRAM),
    Signature(b"Microsoft C/C++ MSF 7.00", K.PROGRAM),
    Signature(b"ANDROID!", K.PROGRAM),
    Signature(b"\x27\x05\x19\x56", K.PROGRAM),  # U-Boot
    Signature(bytes.fromhex("4c0000000114020000000000c000000000000046"), K.PROGRAM),
    # archives, and documents that carry programs
    Signature(b"PK\x05\x06", K.ARCHIVE),
    Signature(b"PK\x07\x08", K.ARCHIVE),
    Signature(b"Rar!\x1a\x07", K.ARCHIVE),
    Signature(b"RE~^", K.ARCHIVE),
    Signature(b"7z\xbc\xaf\x27\x1c", K.ARCHIVE),
    Signature(b"\x1f\x8b\x08", K.ARCHIVE),
    Signature(b"\xfd7zXZ\x00", K.ARCHIVE),
    Signature(b"\x28\xb5\x2f\xfd", K.ARCHIVE),
    Signature(b"\x04\x22\x4d\x18", K.ARCHIVE),
    Signature(b"\x02\x21\x4c\x18", K.ARCHIVE),
    Signature(b"\x89LZO\x00\r\n\x1a\n", K.ARCHIVE),
    Signature(b"LZIP\x01", K.ARCHIVE),
    Signature(b"LRZI\x00", K.ARCHIVE),
    Signature(b"\x5d\x00\x00\x80\x00\xff\xff\xff\xff", K.ARCHIVE),  # LZMA
    Signature(b"\x5d\x00\x00\x00\x04\xff\xff\xff\xff", K.ARCHIVE),
    Signature(b"MSCF", K.ARCHIVE),
    Signature(b"ISc(", K.ARCHIVE),
    Signature(b"xar!", K.ARCHIVE),
    Signature(b"SIT!", K.ARCHIVE),
    Signature(b"StuffIt (c)", K.ARCHIVE),
    Signature(b"SZDD\x88\xf0\x27\x33", K.ARCHIVE),
    Signature(b"KWAJ\x88\xf0\x27\xd1", K.ARCHIVE),
    Signature(b"\xdc\xa7\xc4\xfd", K.ARCHIVE, 20),  # ZOO
    Signature(b"**ACE**", K.ARCHIVE, 7),
    Signature(b"ustar", K.ARCHIVE, 257),
    Signature(b"\xed\xab\xee\xdb", K.ARCHIVE),  # RPM
    Signature(b"MSWIM\x00\x00\x00", K.DISK_IMAGE),
    Signature(b"PAR2\x00PKT", K.ARCHIVE),
    Signature(b"Salted__", K.ARCHIVE),
    Signature(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", K.ARCHIVE),  # OLE
    # disk images
    Signature(b"CD001", K.DISK_IMAGE, 0x8001),
    Signature(b"CD001", K.DISK_IMAGE, 0x8801),
    Signature(b"BEA01", K.DISK_IMAGE, 0x8001),
    Signature(b"NSR0", K.DISK_IMAGE, 0x8801),
    Signature(b"CDROM", K.DISK_IMAGE, 0x8009),
    Signature(b"\x00" + b"\xff" * 10 + b"\x00", K.DISK_IMAGE),  # sectors of a CD
    Signature(b"EFI PART", K.DISK_IMAGE, 512),
    Signature(b"NTFS    ", K.DISK_IMAGE, 3),
    Signature(b"EXFAT   ", K.DISK_IMAGE, 3),
    Signature(b"FAT12   ", K.DISK_IMAGE, 54),
    Signature(b"FAT16   ", K.DISK_IMAGE, 54),
    Signature(b"FAT32   ", K.DISK_IMAGE, 82),
    Signature(b"H+\x00\x04", K.DISK_IMAGE, 1024),
    Signature(b"HX\x00\x05", K.DISK_IMAGE, 1024),
    Signature(b"ER\x02\x00", K.DISK_IMAGE),
    Signature(b"encrcdsa", K.DISK_IMAGE),
    Signature(b"hsqs", K.DISK_IMAGE),
    Signature(b"\x45\x3d\xcd\x28", K.DISK_IMAGE),
    Signature(b"-rom1fs-", K.DISK_IMAGE),
    Signature(b"conectix", K.DISK_IMAGE),
    Signature(b"vhdxfile", K.DISK_IMAGE),
    Signature(b"KDMV", K.DISK_IMAGE),
    Signature(b"COWD", K.DISK_IMAGE),
    Signature(b"QFI\xfb", K.DISK_IMAGE),
    Signature(b"\x7f\x10\xda\xbe", K.DISK_IMAGE, 64),  # VirtualBox
    Signature(b"MEDIA DESCRIPTOR", K.DISK_IMAGE),
)

# Headers with a form of their own.
PATTERNS: Final = (
    (re.compile(rb"0707(?:01|02)[0-9A-Fa-f]{104}|070707[0-7]{70}"), K.ARCHIVE),  # cpio
    (re.compile(rb"(?s:..)-l(?:h[0-9a-z]|z[0-9s])-"), K.ARCHIVE),  # LHA
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), K.ARCHIVE),
    (re.compile(rb"[\x50-\x5f]\*M\x18"), K.ARCHIVE),  # a frame that Zstandard skips
    (re.compile(rb"(?s:FOR1....BEAM)"), K.PROGRAM),  # Erlang
    (re.compile(rb"\x60\xea[\x22-\xff][\x00-\x0a]"), K.ARCHIVE),  # ARJ
    (re.compile(rb"\x1f[\x9d\xa0\x1e][\x80-\x9f]"), K.ARCHIVE),  # compress
    (re.compile(rb"\x1a[\x01-\x0b][ -~]{1,12}\x00"), K.ARCHIVE),  # ARC
    (re.compile(rb"[FCZ]WS[\x01-\x40](?s:..)[\x00-\x7f]\x00"), K.PROGRAM),  # Flash
    (re.compile(rb"DOS[\x00-\x07](?s:.{8})"), K.DISK_IMAGE),  # Amiga
)

RIFF: Final = (b"RIFF", b"RIFX", b"RF64", b"BW64")
RIFF_FORMS: Final = MappingProxyType({b"WAVE": K.WAV, b"WEBP": K.WEBP})

# ISO/IEC 23008-12 and its codecs: HEVC, AVC, JPEG, JPEG 2000, VVC, EVC and AV1.
HEIF_BRANDS: Final = frozenset(
    b"mif1 mif2 msf1 miaf MiHB MiHA MiHE MiAB MiAn MiPr MiCm MA1A MA1B 1pic heic heix"
    b" heim heis hevc hevx hevm hevs avci avcs jpeg jpgs j2ki j2is vvic vvis evbi evbs"
    b" avif avis avio tmap unif".split()
)
QUICKTIME_BRAND: Final = b"qt  "
CANON_RAW_BRAND: Final = b"crx "
# The first atom of a QuickTime file without a brand.
QUICKTIME_ATOMS: Final = frozenset(
    {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
)

# A script, whose first word or line says how it is run.
SCRIPT: Final = re.compile(
    rb"#![ \t]*/|#!python|@echo[ \t]+(?:off|on)\b|@(?:cls|setlocal)[ \t]*(?:[\r\n&]|\Z)"
    rb"|<\?(?:php\b|=)|<%@|#@~\^|windows registry editor|regedit4"
    rb"|\[(?:desktop entry|internetshortcut|autorun|version)\][ \t]*[\r\n]",
    re.IGNORECASE,
)
# Rule 28: what a web page begins with.
WEB_PAGE: Final = re.compile(
    rb"<!doctype\b|<(?:html|head|body|script|svg)(?![a-z0-9_-])", re.IGNORECASE
)
COMMENT: Final = re.compile(rb"(?s)<!--.*?-->\s*")
XML: Final = re.compile(rb"<\?xml\b", re.IGNORECASE)
PAGE_IN_XML: Final = re.compile(rb"<!doctype|<(?:\w+:)?(?:html|svg)\b", re.IGNORECASE)

# Extensions by which the library names refused kinds; its other matches are OTHER.
LIBRARY_KINDS: Final[Mapping[DetectedKind, frozenset[str]]] = MappingProxyType(
    {
        K.PROGRAM: frozenset({
            ".exe", ".dll", ".com", ".sys", ".scr", ".ocx", ".drv", ".so", ".class",
            ".dex", ".elc", ".pyc", ".luac", ".msi", ".appimage", ".swf", ".wasm",
            ".lnk", ".chm", ".hlp",
        }),
        K.ARCHIVE: frozenset({
            ".zip", ".jar", ".docx", ".xlsx", ".pptx", ".rar", ".7z", ".gz", ".tgz",
            ".tar", ".bz2", ".tbz2", ".xz", ".zst", ".lz", ".lz4", ".lzh", ".lha",
            ".arj", ".ace", ".cab", ".cpio", ".rpm", ".deb", ".ar", ".arc", ".zoo",
            ".z", ".doc", ".xls", ".ppt",
        }),
        K.DISK_IMAGE: frozenset({".iso", ".dmg", ".img", ".wim", ".vhd", ".vmdk"}),
    }
)  # fmt: skip
