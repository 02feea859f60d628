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


# Enough for every signature, including those of disk images after 32 KiB.
HEAD_BYTES: Final = 40 * 1024

Pattern = tuple[re.Pattern[bytes], DetectedKind]


class Signature(NamedTuple):
    """Bytes at an offset that prove a kind."""

    value: bytes
    kind: DetectedKind
    offset: int = 0


_INDESIGN: Final = bytes.fromhex("0606edf5d81d46e5bd31efe7fe74b71d")
_RIFF: Final = rb"(?:RIFF|RIFX|RF64|BW64)(?s:....)"

# What proves a kind however the file goes on, the most usual kinds first. It has bytes
# of no text in any encoding, or is a text with a form of its own.
OPENING_PATTERNS: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n\x00"), K.PNG),
    (re.compile(rb"\xff\xd8\xff[\xe0\xee]\x00[\x0e-\x14]"), K.JPEG),
    (re.compile(rb"\xff\xd8\xff\xe1(?s:..)Exif\x00\x00"), K.JPEG),
    (re.compile(rb"%PDF-\d"), K.PDF),
    (re.compile(rb"GIF8[79]a(?![\s,;:|\"')])"), K.GIF),
    (re.compile(_RIFF + rb"WAVE"), K.WAV),
    (re.compile(_RIFF + rb"WEBP"), K.WEBP),
    (re.compile(rb"8BPS\x00[\x01\x02]\x00{6}"), K.PSD),
    (re.compile(rb"\x04?%!PS(?:-Adobe| ?[\r\n])"), K.POSTSCRIPT),
    (re.compile(rb"\xc5\xd0\xd3\xc6(?s:..)\x00\x00"), K.POSTSCRIPT),
    (re.compile(rb"II\*\x00[\x08\x10]\x00\x00\x00|MM\x00\*\x00\x00"), K.TIFF),
    (re.compile(re.escape(_INDESIGN)), K.INDESIGN),
    (re.compile(rb"\{\\rtf\d"), K.OTHER),
    (re.compile(rb"!<(?:arch|thin)>\n"), K.ARCHIVE),
    (re.compile(rb"\(This file must be converted with BinHex"), K.ARCHIVE),
    (re.compile(rb"ZOO \d\.\d\d Archive\.\x1a"), K.ARCHIVE),
    (re.compile(rb"WARC/\d\.\d\r\n"), K.ARCHIVE),
    (re.compile(rb"# Disk DescriptorFile"), K.DISK_IMAGE),
    (re.compile(rb"(?:FasdUAS 1\.|JsOsaDAS1\.)"), K.PROGRAM),
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
    Signature(_INDESIGN, K.INDESIGN),
)

# No signature here is of fewer than eight letters alone: see `PATTERNS` for those.
BINARY_SIGNATURES: Final = (
    # raw files of Fujifilm, Minolta, Canon, Phase One, ARRI, Kodak, Apple and others
    Signature(b"FUJIFILMCCD-RAW", K.CAMERA_RAW),
    Signature(b"\x00MRM", K.CAMERA_RAW),
    Signature(b"\x00MRI", K.CAMERA_RAW),
    Signature(b"HEAPCCDR", K.CAMERA_RAW, 6),
    Signature(b"IIIITwaR", K.CAMERA_RAW),
    Signature(b"MMMMRawT", K.CAMERA_RAW),
    Signature(b"ARRI\x12\x34\x56\x78", K.CAMERA_RAW),
    Signature(b"ARRI\x78\x56\x34\x12", K.CAMERA_RAW),
    Signature(b"EASTMAN KODAK", K.CAMERA_RAW, 242),
    Signature(b"qktk\x00\x00\x00\x04", K.CAMERA_RAW),
    Signature(b"qktn\x00\x00\x00\x04", K.CAMERA_RAW),
    Signature(b"NOKIARAW", K.CAMERA_RAW),
    Signature(b"DSC-Image", K.CAMERA_RAW),
    # programs
    Signature(b"\x7fELF", K.PROGRAM),
    Signature(b"\xfe\xed\xfa\xce", K.PROGRAM),
    Signature(b"\xfe\xed\xfa\xcf", K.PROGRAM),
    Signature(b"\xce\xfa\xed\xfe", K.PROGRAM),
    Signature(b"\xcf\xfa\xed\xfe", K.PROGRAM),
    Signature(b"\xca\xfe\xba\xbe", K.PROGRAM),  # Java class, Mach-O for many processors
    Signature(b"\xca\xfe\xba\xbf", K.PROGRAM),
    Signature(b"\xca\xfe\xd0\x0d", K.PROGRAM),  # Java pack200
    Signature(b"\xca\xfe\xda\xda", K.PROGRAM),  # Java runtime images
    Signature(b"\xda\xda\xfe\xca", K.PROGRAM),
    Signature(b"JM\x01\x00PK", K.PROGRAM),
    Signature(b"\x00asm", K.PROGRAM),
    Signature(b"BC\xc0\xde", K.PROGRAM),  # LLVM
    Signature(b"\xde\xc0\x17\x0b", K.PROGRAM),
    Signature(b"\x03\x02\x23\x07", K.PROGRAM),  # SPIR-V
    Signature(b"\x07\x23\x02\x03", K.PROGRAM),
    Signature(b"\x50\xed\x55\xba", K.PROGRAM),  # CUDA
    Signature(b"\x1bLua", K.PROGRAM),
    Signature(b"\x1bLJ", K.PROGRAM),
    Signature(b"\xfa\xfaRIQS", K.PROGRAM),  # Squirrel
    Signature(b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f", K.PROGRAM),  # Hermes
    Signature(b"\x90\xab\xcd\xef", K.PROGRAM),  # Dart
    Signature(b"\xf5\xf5\xdc\xdc", K.PROGRAM),
    Signature(b"\x01\xfa\xce\x64", K.PROGRAM),  # Haskell
    Signature(b"\xe2\x9c\xa8\x0e", K.PROGRAM),  # Swift
    Signature(b"GOOF----", K.PROGRAM),  # Guile
    Signature(b"go object ", K.PROGRAM),
    Signature(b"Microsoft C/C++ ", K.PROGRAM),
    Signature(b"PS-X EXE", K.PROGRAM),
    Signature(b"ANDROID!", K.PROGRAM),
    Signature(b"\x27\x05\x19\x56", K.PROGRAM),  # U-Boot
    Signature(b"\x18\x28\x6f\x01", K.PROGRAM, 0x24),  # Linux for ARM
    Signature(b"ARM\x64\x00\x00\x00\x00", K.PROGRAM, 0x38),
    Signature(b"\x3f\x5f\x03\x00", K.PROGRAM),  # Windows help, which runs macros
    Signature(bytes.fromhex("4c0000000114020000000000c000000000000046"), K.PROGRAM),
    # archives, and documents that carry programs
    Signature(b"PK\x01\x02", K.ARCHIVE),
    Signature(b"PK\x05\x06", K.ARCHIVE),
    Signature(b"PK\x06\x06", K.ARCHIVE),
    Signature(b"PK\x07\x08", K.ARCHIVE),
    Signature(b"PK00PK\x03\x04", K.ARCHIVE),
    Signature(b"Rar!\x1a\x07", K.ARCHIVE),
    Signature(b"7z\xbc\xaf\x27\x1c", K.ARCHIVE),
    Signature(b"\xfd7zXZ\x00", K.ARCHIVE),
    Signature(b"\x04\x22\x4d\x18", K.ARCHIVE),
    Signature(b"\x02\x21\x4c\x18", K.ARCHIVE),
    Signature(b"\x03\x21\x4c\x18", K.ARCHIVE),
    Signature(b"\x89LZO\x00\r\n\x1a\n", K.ARCHIVE),
    Signature(b"\xff\x06\x00\x00sNaPpY", K.ARCHIVE),
    Signature(b"LRZI\x00", K.ARCHIVE),
    Signature(b"RZIP\x02", K.ARCHIVE),
    Signature(b"GRZipII\x00", K.ARCHIVE),
    Signature(b"7kSt\xa0\x31\x83\xd3", K.ARCHIVE),  # ZPAQ
    Signature(b"zPQ\x01", K.ARCHIVE),
    Signature(b"zPQ\x02", K.ARCHIVE),
    Signature(b"MSCF\x00\x00\x00\x00", K.ARCHIVE),
    Signature(b"\x13\x5d\x65\x8c", K.ARCHIVE),  # InstallShield
    Signature(b"xar!\x00\x1c", K.ARCHIVE),
    Signature(b"StuffIt (c)", K.ARCHIVE),
    Signature(b"StuffIt!", K.ARCHIVE),
    Signature(b"SZDD\x88\xf0\x27\x33", K.ARCHIVE),
    Signature(b"KWAJ\x88\xf0\x27\xd1", K.ARCHIVE),
    Signature(b"SZ \x88\xf0\x27\x33\xd1", K.ARCHIVE),
    Signature(b"\xdc\xa7\xc4\xfd", K.ARCHIVE, 20),  # ZOO
    Signature(b"**ACE**", K.ARCHIVE, 7),
    Signature(b"ustar", K.ARCHIVE, 257),
    Signature(b"\xed\xab\xee\xdb", K.ARCHIVE),  # RPM
    Signature(b"PAR2\x00PKT", K.ARCHIVE),
    Signature(b"MAR1\x00", K.ARCHIVE),
    Signature(b"ALZ\x01\x0a\x00", K.ARCHIVE),
    Signature(b"EGGA\x00\x01", K.ARCHIVE),
    Signature(b"UC2\x1a", K.ARCHIVE),
    Signature(b"LIM\x1a", K.ARCHIVE),
    Signature(b"BH\x05\x07", K.ARCHIVE),
    Signature(b"\x1aarchive", K.ARCHIVE),
    Signature(b"Archive\x00", K.ARCHIVE),
    Signature(b"\x1f\x9f\x4a\x10\x0a", K.ARCHIVE),
    Signature(b"\x00" + b" " * 11 + b"\x00\x00", K.ARCHIVE),  # LBR
    Signature(b"RNC\x01\x00", K.ARCHIVE),
    Signature(b"RNC\x02\x00", K.ARCHIVE),
    Signature(b"flatpak\x00", K.ARCHIVE),
    Signature(b"xdg-app\x00", K.ARCHIVE),
    Signature(b"ZIM\x04", K.ARCHIVE),
    Signature(b"\x78\x9f\x3e\x22", K.ARCHIVE),  # attachments of a mail
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
    Signature(b"LABELONE", K.DISK_IMAGE, 512),
    Signature(b"SWAPSPACE2", K.DISK_IMAGE, 4086),
    Signature(b"NTFS    ", K.DISK_IMAGE, 3),
    Signature(b"EXFAT   ", K.DISK_IMAGE, 3),
    Signature(b"FAT12   ", K.DISK_IMAGE, 54),
    Signature(b"FAT16   ", K.DISK_IMAGE, 54),
    Signature(b"FAT32   ", K.DISK_IMAGE, 82),
    Signature(b"H+\x00\x04", K.DISK_IMAGE, 1024),
    Signature(b"HX\x00\x05", K.DISK_IMAGE, 1024),
    Signature(b"\xe2\xe1\xf5\xe0", K.DISK_IMAGE, 1024),  # EROFS
    Signature(b"\x10\x20\xf5\xf2", K.DISK_IMAGE, 1024),  # F2FS
    Signature(b"ER\x02\x00", K.DISK_IMAGE),
    Signature(b"encrcdsa", K.DISK_IMAGE),
    Signature(b"cdsaencr", K.DISK_IMAGE),
    Signature(b"LUKS\xba\xbe", K.DISK_IMAGE),
    Signature(b"\x45\x3d\xcd\x28", K.DISK_IMAGE),
    Signature(b"\x28\xcd\x3d\x45", K.DISK_IMAGE),
    Signature(b"-rom1fs-", K.DISK_IMAGE),
    Signature(b"UBI#\x01", K.DISK_IMAGE),
    Signature(b"\x31\x18\x10\x06", K.DISK_IMAGE),  # UBIFS
    Signature(b"XFSB\x00\x00", K.DISK_IMAGE),
    Signature(b"MSWIM\x00\x00\x00", K.DISK_IMAGE),
    Signature(b"conectix", K.DISK_IMAGE),
    Signature(b"vhdxfile", K.DISK_IMAGE),
    Signature(b"QFI\xfb", K.DISK_IMAGE),
    Signature(b"QED\x00", K.DISK_IMAGE),
    Signature(b"\x7f\x10\xda\xbe", K.DISK_IMAGE, 64),  # VirtualBox
    Signature(b"WithoutFreeSpace", K.DISK_IMAGE),
    Signature(b"WithouFreSpacExt", K.DISK_IMAGE),
    Signature(b"MEDIA DESCRIPTOR", K.DISK_IMAGE),
    Signature(b"MComprHD", K.DISK_IMAGE),
    Signature(b"EVF\x09\x0d\x0a\xff\x00", K.DISK_IMAGE),
    Signature(b"HXCPICFE", K.DISK_IMAGE),
    Signature(b"$SDI0001", K.DISK_IMAGE),
    Signature(b"CAPS\x00\x00\x00\x0c", K.DISK_IMAGE),
)

# Headers with a form of their own: the letters of these alone would be too weak.
PATTERNS: Final = (
    # GIF and RIFF, whose sizes have a byte of no text
    (
        re.compile(
            rb"GIF8[79]a(?s:.)(?:[\x00-\x08\x0e-\x1f]|(?s:..)[\x00-\x08\x0e-\x1f])"
        ),
        K.GIF,
    ),
    (re.compile(rb"(?:RIFF|RIFX|RF64|BW64)(?s:.){0,3}[\x00-\x08\xff]"), K.OTHER),
    # raw files of Olympus, Panasonic, Sigma, Phantom and RED
    (re.compile(rb"IIR[OS]\x08\x00|MMOR\x00\x00"), K.CAMERA_RAW),
    (re.compile(rb"IIU\x00[\x08-\x20]\x00\x00\x00"), K.CAMERA_RAW),
    (re.compile(rb"FOVb[\x00-\x0f]\x00"), K.CAMERA_RAW),
    (re.compile(rb"CI\x2c\x00[\x00-\x02]\x00[\x00\x01]\x00"), K.CAMERA_RAW),
    (re.compile(rb"\x00\x00(?s:..)RED[1-9]"), K.CAMERA_RAW),
    # films of other kinds: MXF
    (re.compile(rb"\x06\x0e\x2b\x34[\x01\x02](?s:.)\x01[\x01-\x0f]\x0d"), K.OTHER),
    # programs
    (re.compile(rb"de[xy]\n0\d\d\x00|cdex0\d\d\x00|vdex0\d\d\x00"), K.PROGRAM),
    (re.compile(rb"(?s:FOR1....BEAM)"), K.PROGRAM),  # Erlang
    (re.compile(rb";ELC[\x13-\x2f]\x00\x00\x00"), K.PROGRAM),  # Emacs
    (re.compile(rb"Caml1999[A-Za-z]\d\d\d"), K.PROGRAM),
    (re.compile(rb"PPU\d\d\d(?s:.)[\x00-\x04](?s:.)\x00"), K.PROGRAM),  # Pascal
    (re.compile(rb"YARB[\x01-\x09]\x00\x00\x00|RITE0\d\d\d[\x00-\x7f]"), K.PROGRAM),
    (re.compile(rb"NEKO(?s:.)\x00|HLB[\x01-\x09][\x00-\x03]"), K.PROGRAM),
    (re.compile(rb"rust\x00\x00\x00[\x01-\x20]"), K.PROGRAM),
    (re.compile(rb"ITSF[\x02-\x04]\x00\x00\x00"), K.PROGRAM),  # compiled help
    (re.compile(rb"[FCZ]WS[\x01-\x40](?s:..)[\x00-\x7f]\x00"), K.PROGRAM),  # Flash
    (re.compile(rb"Cr24[\x02\x03]\x00\x00\x00"), K.PROGRAM),  # a browser's add-on
    (re.compile(rb"bFLT\x00\x00\x00[\x02-\x05]"), K.PROGRAM),
    (re.compile(rb"XBEH(?s:.)|XEX[12]\x00|NSO0\x00|3DSX\x20\x00"), K.PROGRAM),
    (re.compile(rb"\x00\x00\x03\xf3\x00{7}[\x01-\xff]\x00{7}"), K.PROGRAM),  # Amiga
    # archives: cpio, LHA, bzip, Zstandard, gzip, lzip, LZMA, ARJ
    (re.compile(rb"0707(?:01|02)[0-9A-Fa-f]{104}|070707[0-7]{70}"), K.ARCHIVE),
    (re.compile(rb"(?s:..)-(?:l(?:h[0-9a-z]|z[0-9s])|pm[0-9s])-"), K.ARCHIVE),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)|BZ3v1(?s:...)\x00"), K.ARCHIVE),
    (re.compile(rb"[\x50-\x5f]\*M\x18|[\x1e\x22-\x28]\xb5\x2f\xfd"), K.ARCHIVE),
    (re.compile(rb"\x1f\x8b\x08[\x00-\x1f]|LZIP[\x00\x01][\x0c-\xfd]"), K.ARCHIVE),
    (
        re.compile(
            rb"\x5d\x00\x00[\x00-\x80][\x00-\x08]"
            rb"(?:\xff{8}|(?s:.{5})\x00{3})\x00"
        ),
        K.ARCHIVE,
    ),
    (re.compile(rb"\x60\xea[\x22-\xff][\x00-\x0a]"), K.ARCHIVE),
    # compress and its forerunners; ARC; squeezed files of CP/M; RAR before 1.5
    (re.compile(rb"\x1f[\x9d\xa0\x1e][\x80-\x9f]"), K.ARCHIVE),
    (re.compile(rb"\x1f\x1e\x00(?s:...)[\x01-\x18]"), K.ARCHIVE),
    (re.compile(rb"\x1a[\x01-\x0b][ -~]{1,12}\x00"), K.ARCHIVE),
    (re.compile(rb"\x76(?:\xff(?s:..)|\xfe)[!-~]{3,12}\x00"), K.ARCHIVE),
    (re.compile(rb"RE~\^[\x07-\xff]\x00"), K.ARCHIVE),
    # StuffIt, InstallShield, Electron, Amiga
    (re.compile(rb"S(?:IT!|T[4-6][05]|Tin|Ti[2-9])[\x00-\x0f]"), K.ARCHIVE),
    (re.compile(rb"ISc\((?s:...)[\x00-\x04]"), K.ARCHIVE),
    (re.compile(rb"\x04\x00\x00\x00(?s:.{12})\{\"files\""), K.ARCHIVE),
    (re.compile(rb"DMS!(?s:....)\x00\x00"), K.ARCHIVE),
    # disk images: Amiga, squashfs, VMware, compressed ISO, JFFS2
    (re.compile(rb"DOS[\x00-\x07](?s:.{8})"), K.DISK_IMAGE),
    (re.compile(rb"(?:hsqs|shsq)(?s:..)[\x00-\x0f]\x00|sqsh\x00"), K.DISK_IMAGE),
    (re.compile(rb"(?:KDMV[\x01-\x04]|COWD\x01)\x00\x00\x00"), K.DISK_IMAGE),
    (re.compile(rb"CISO(?s:.{12})\x00\x08\x00\x00"), K.DISK_IMAGE),
    (re.compile(rb"IsZ![\x30\x40]\x01|IM[DQ] 1\.\d\d: "), K.DISK_IMAGE),
    (re.compile(rb"\x85\x19[\x01-\x06][\x20\xe0]"), K.DISK_IMAGE),
)

# What a binary file may begin with by chance: it confirms a name, no more.
LIKENESSES: Final = (
    (b"BM", K.BMP),
    (b"8BPS", K.PSD),
    (b"GIF87a", K.GIF),
    (b"GIF89a", K.GIF),
    (b"\xff\xd8\xff", K.JPEG),
)

# An entry of a ZIP: its version, flags, method, and a short name.
ZIP_ENTRY: Final = re.compile(
    rb"PK\x03\x04[\x0a-\x3f]\x00(?s:.)[\x00-\x08][\x00-\x63]\x00(?s:.{16})"
    rb"(?s:.)[\x00\x01](?s:.)[\x00-\x0f]"
)
# ISO/IEC 23008-12, MIAF and their codecs: HEVC, AVC, JPEG, JPEG 2000, VVC, EVC and AV1.
HEIF_BRANDS: Final = frozenset(
    b"mif1 mif2 mif3 msf1 miaf MiHB MiHA MiHE MiAB MiAC MiAn MiBu MiPr MiCm MA1A MA1B"
    b" 1pic pred geo1 heic heix heim heis hevc hevx hevm hevs avci avcs jpeg jpgs j2ki"
    b" j2is jxsi vvic vvis evbi evbs evmi evms avif avis avio tmap unif".split()
)
# The handler of a still picture, whatever the brands.
PICTURE_HANDLER: Final = re.compile(rb"(?s)meta.{8}hdlr.{8}pict")
BRAND: Final = re.compile(rb"(?s)....")
QUICKTIME_BRAND: Final = b"qt  "
CANON_RAW_BRAND: Final = b"crx "
# The first atom of a QuickTime or fragmented MP4 file without a brand.
QUICKTIME_ATOMS: Final = frozenset(
    b"moov mdat wide free skip pnot PICT pict udta uuid junk prfl thum frea styp sidx"
    b" moof".split()
)

# A script, whose first word or line says how it is run.
SCRIPT: Final = re.compile(
    rb"#![ \t]*(?:~?/|[A-Za-z]:\\|(?:env|perl|python|ruby|node|php|bash|sh|pwsh)\b)"
    rb"|@echo[ \t]+(?:off|on)\b|@(?:cls|setlocal)[ \t]*(?:[\r\n&]|\Z)"
    rb"|<\?(?:php\b|=)|<%@|#@~\^"
    rb"|windows registry editor version |regedit4\s*(?:[;\[]|\Z)"
    rb"|\[(?:desktop entry|internetshortcut|autorun|version)\][ \t]*[\r\n]+"
    rb"(?:[ \t]*[;#][^\r\n]*[\r\n]+)*[ \t]*[\w$\\-]+(?:\[\w+\])?[ \t]*=",
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
        K.CAMERA_RAW: frozenset({
            ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff",
            ".iiq", ".k25", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf",
            ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
        }),
        K.DISK_IMAGE: frozenset({".iso", ".dmg", ".img", ".wim", ".vhd", ".vmdk"}),
    }
)  # fmt: skip
