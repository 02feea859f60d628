"""Heads of files as people send them, beyond those of ``field.json`` (rule 28).

Each row: what it is, the name, the first bytes, and whether it is taken.
"""

import io
import zipfile
from typing import Final

ZEROS: Final = bytes(2048)
BINARY: Final = bytes(range(256)) * 8


def at(offset: int, value: bytes) -> bytes:
    """A value after zeros."""
    return bytes(offset) + value + ZEROS


def ftyp(main: bytes, *compatible: bytes, after: bytes = ZEROS) -> bytes:
    """The first box of an ISO base media file."""
    brands = b"".join(compatible)
    size = (16 + len(brands)).to_bytes(4, "big")
    return size + b"ftyp" + main + bytes(4) + brands + after


def atom(kind: bytes, content: bytes = b"") -> bytes:
    """An atom of QuickTime."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def zipped(*names: str, stored: bytes = b"x", deflated: bool = False) -> bytes:
    """A ZIP with these entries."""
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in names:
            archive.writestr(name, stored)
    return buffer.getvalue()


def partitions(*, status: int = 0x80, kind: int = 0x83) -> bytes:
    """A master boot record with one partition."""
    entry = bytes([status, 0, 2, 0, kind, 0, 0, 0, 0, 8, 0, 0, 0, 16, 0, 0])
    return BINARY[:446] + entry + bytes(48) + b"\x55\xaa" + ZEROS


def omf(name: bytes) -> bytes:
    """The first record of an object file of DOS."""
    record = b"\x80" + (len(name) + 2).to_bytes(2, "little") + bytes([len(name)]) + name
    return record + bytes([-sum(record) % 256]) + BINARY


def old_cpio(magic: bytes, mode: bytes) -> bytes:
    """A header of the oldest cpio, of a file with the name ``reel``."""
    order = slice(None) if magic[0] == 0xC7 else slice(None, None, -1)
    head = magic + bytes(4) + mode[order] + bytes(12) + b"\x05\x00"[order] + bytes(4)
    return head + b"reel\x00" + BINARY


FILM: Final = atom(b"moov", BINARY)
METADATA: Final = atom(
    b"meta", bytes(4) + atom(b"hdlr", bytes(8) + b"pict" + bytes(13))
)
JPEG_2000: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + ftyp(b"jp2 ", b"jp2 ")
FAT: Final = b"\xeb\x3c\x90MSDOS5.0\x00\x02" + BINARY[:497] + b"\x55\xaa" + ZEROS
EXT: Final = at(0x438, b"\x53\xef\x01\x00\x01\x00")
HFS: Final = at(1024, b"BD" + bytes(18) + b"\x00\x00\x10\x00" + bytes(12) + b"\x04Reel")
KODAK: Final = b"MM\x00\x2a"[:2] + bytes(240) + b"EASTMAN KODAK COMPANY" + ZEROS

# what                         | name    | first bytes                              | taken
FILES: Final = [
    # a film is a film by its atoms, not by letters that might be some
    ("text as a film", "a.mov", b"Cast and crew of the second season, in order\n" * 9, False),
    ("list as a film", "a.mov", b"00:00:01:00,00:00:02:00,Hello\n" * 9, False),
    ("JPEG 2000 as a film", "a.mov", JPEG_2000, False),
    ("HEIF as a film", "a.mov", ftyp(b"heic", b"mif1", b"heic"), False),
    ("Canon raw as a film", "a.mov", ftyp(b"crx ", b"crx ", b"isom"), False),
    ("database as a film", "a.mov", b"SQLite format 3\x00\x10\x00" + ZEROS, False),
    ("GIMP picture as a film", "a.mov", b"gimp xcf v011\x00\x00\x00\x00\x40" + ZEROS, False),
    ("EPS as a film", "a.mov", b"%!PS-Adobe-3.0 EPSF-3.0\n" * 9, False),
    ("DjVu as a film", "a.mov", b"AT&TFORM\x00\x00\x10\x00DJVMDIRM" + ZEROS, False),
    ("portable pixmap as a film", "a.mov", b"P6\n# a comment\n20 20\n255\n" + BINARY, False),
    ("bare H.264 with another header", "a.mov", b"\x00\x00\x01\x67gd02" + BINARY, False),
    ("atom of no size", "a.mov", b"\x00\x00\x00\x04moov" + BINARY, False),
    ("letters before the word free", "a.mov", b"one free\x00\x01" + BINARY, False),
    ("the word free with a stray control", "a.csv", b"one free,skip\x01,wide\n", True),
    ("page after a long comment", "a.csv", b"<!--" + b"x" * 3000 + b"--> <!-- --> <html>", False),
    ("film, data first", "a.mov", b"\x00\x10\x00\x00mdat" + BINARY, True),
    ("film, data to the end", "a.mov", b"\x00\x00\x00\x00mdat" + BINARY, True),
    ("film, long data", "a.mov", b"\x00\x00\x00\x01mdat\x00\x00\x00\x02\x00\x00\x00\x00" + ZEROS, True),
    ("film after a wide atom", "a.mov", atom(b"wide") + atom(b"mdat", BINARY), True),
    ("film after free space", "a.mov", atom(b"free", bytes(24)) + FILM, True),
    ("film with a thumbnail", "a.mov", atom(b"thum", BINARY) + FILM, True),
    ("film in fragments", "a.mov", atom(b"styp", b"msdhmsdh") + atom(b"moof", BINARY), True),
    ("film of a phone", "a.mov", ftyp(b"3gp5", b"3gp5", b"isom"), True),
    ("ProRes", "a.mov", ftyp(b"qt  ", b"qt  ", after=atom(b"wide") + FILM), True),
    # pictures
    ("HEIF of low overhead", "a.heif", ftyp(b"mif3", b"heic"), True),
    ("HEIF of several codecs", "a.heif", ftyp(b"MiAC", b"abcd"), True),
    ("HEIF of unknown brands", "a.heif", ftyp(b"abcd", b"efgh", after=METADATA), True),
    ("film under the name of HEIF", "a.heif", ftyp(b"isom", b"iso2", after=FILM), False),
    ("JPEG 2000 as HEIF", "a.heif", JPEG_2000, False),
    ("text as a bitmap", "a.bmp", b"BMW,cars\n1,2\n", False),
    ("PNG that holds a line of PDF", "a.pdf", b"\x89PNG\r\n\x1a\n%PDF-1.4\n" + BINARY, False),
    ("GIF that holds a line of PDF", "a.pdf", b"GIF89a    \n%PDF-1.4\n" + BINARY, False),
    ("ZIP that holds a line of PDF", "a.pdf", b"PK\x03\x04\n%PDF-1.4\n" + BINARY, False),
    ("PDF after the end of a printer's job", "a.pdf", b"\x1b%-12345X%PDF-1.4\n" + BINARY, True),
    ("PDF after two ends", "a.pdf", b"\x1b%-12345X\x1b%-12345X%PDF-1.7\n" + BINARY, True),
    ("PDF after the head of a mail", "a.pdf", b"Content-Type: application/pdf\n\n%PDF-1.7\n" + BINARY, True),
    ("EPS after an end and blanks", "a.eps", b"\x1b%-12345X \r\n%!PS-Adobe-3.0\n", True),
    # cameras
    ("camera, Kodak", "a.raw", KODAK, True),
    ("camera, Phase One", "a.raw", b"IIIITwaR\x00\x10\x00\x00" + ZEROS, True),
    ("camera, Phase One, big-endian", "a.raw", b"MMMMRawT\x00\x00\x10\x00" + ZEROS, True),
    ("camera, Leaf and others", "a.raw", b"MM\x00*\x00\x00\x00\x08" + ZEROS, True),
    ("camera, ARRI", "a.raw", b"ARRI\x12\x34\x56\x78" + ZEROS, True),
    ("camera, Minolta, little-endian", "a.raw", b"\x00MRI\x00\x01" + ZEROS, True),
    ("camera, Panasonic and Leica", "a.raw", b"IIU\x00\x08\x00\x00\x00" + ZEROS, True),
    ("camera, Apple", "a.raw", b"qktk\x00\x00\x00\x04" + ZEROS, True),
    ("camera, Rollei", "a.raw", b"DSC-Image\x00\x00" + ZEROS, True),
    ("camera, of an unknown maker", "a.raw", b"ZCAM\x01\x00\x02\x00" + BINARY, True),
    ("camera as a film", "a.mov", b"IIRO\x08\x00\x00\x00" + ZEROS, False),
    ("16-bit samples like ARJ's letters", "a.raw", b"\x60\xea\x07\xff" * 300, True),
    ("16-bit samples like gzip's letters", "a.raw", b"\x1f\x8b\x07\xf0" * 300, True),
    ("16-bit samples like a boot mark", "a.raw", BINARY[:510] + b"\x55\xaa" + BINARY, True),
    ("samples like cpio's letters", "a.raw", b"\xc7\x71\xc6\x70" * 300, True),
    ("samples like DOS's objects", "a.raw", b"\x80\x05\x00\x09\x01" * 300, True),
    # tables whose first cell is like something
    ("formats", "a.csv", b"GIF89a,Animated\nGIF87a,Still\n", True),
    ("document numbers", "a.csv", b"%PDF-Nr,title\n1,x\n", True),
    ("printer's letters", "a.csv", b"%!PS\tx\n1\t2\n", True),
    ("versions in one column", "a.csv", b"[Version]\n1\n2\n", True),
    ("tool names", "a.csv", b"Windows Registry Editor,tool\n", True),
    ("another tool", "a.csv", b"REGEDIT4,tool\n", True),
    ("shouted hashes", "a.csv", b"#!important,1\n", True),
    ("credits with a stray control", "a.csv", b"Creative Director,\x01Ann\n", True),
    ("letters of archives with a stray control", "a.csv", b"SIT!,MSCF\x02,1\n", True),
    ("letters of cameras with a stray control", "a.csv", b"FOVb,IIRO\x01\n", True),
    ("letters of help with a stray control", "a.csv", b"ITSF,\x01\n", True),
    ("table of a mainframe", "a.csv", "ID,title\n1,Night Train\n".encode("cp500"), True),
    ("sample of one byte", "a.raw", b"\x01", True),
    ("sample of three bytes", "a.svj", b"\xff\x00\x01", True),
    ("PDF of three bytes", "a.pdf", b"\xff\x00\x01", False),
    ("alaw silence", "a.raw", b"\xd5" * 999, True),
    ("PDF after a warning of PHP", "a.pdf", b"<br />\n<b>Warning</b>: x in y\n%PDF-1.7\n" + BINARY, True),
    ("PDF after the head of a response", "a.pdf", b"HTTP/1.1 200 OK\r\n\r\n%PDF-1.4\n" + BINARY, True),
    ("PDF after 1,100 blanks", "a.pdf", b" " * 1100 + b"%PDF-1.4\n" + BINARY, False),
    ("page before a PDF", "a.pdf", b"<html><body>\n%PDF-1.4\n" + BINARY, False),
    ("transport stream of a disc", "a.mov", (bytes(4) + b"G@\x11\x10" + b"\xff" * 184) * 3, False),
    ("score after its folder", "a.mxl", zipped("META-INF/", "META-INF/container.xml", "楽譜.xml"), True),
    ("application of a telephone", "a.mxl", zipped("Payload/A.app/Info.plist"), False),
    ("XPS as a score", "a.mxl", zipped("FixedDocSeq.fdseq", "[Content_Types].xml"), False),
    ("cells like tags of a page", "a.csv", b"<title>x,<meta>,<header>\n1,2,3\n", True),
    # archives
    ("snappy", "a.raw", b"\xff\x06\x00\x00sNaPpY\x00\x10\x00\x00" + BINARY, False),
    ("ZIP in parts", "a.raw", b"PK00" + zipped("a.txt"), False),
    ("end of a ZIP in parts", "a.raw", b"PK\x01\x02\x1e\x03" + ZEROS, False),
    ("ZIP after something", "a.raw", b"\x01\x02" * 90 + zipped("a.txt"), False),
    ("table before a ZIP", "a.csv", b"a,b\n" + zipped("a.txt"), False),
    ("lzip of old", "a.raw", b"LZIP\x00\x14" + BINARY, False),
    ("LZMA of a known size", "a.raw", b"\x5d\x00\x00\x80\x00\xfe\x01" + bytes(7) + BINARY, False),
    ("Zstandard of old", "a.raw", b"\x27\xb5\x2f\xfd" + BINARY, False),
    ("cpio of old", "a.raw", old_cpio(b"\xc7\x71", b"\xa4\x81"), False),
    ("cpio of old, big-endian", "a.raw", old_cpio(b"\x71\xc7", b"\xa4\x81"), False),
    ("cpio of no file type", "a.raw", old_cpio(b"\xc7\x71", b"\xa4\x31"), True),
    ("ALZip", "a.raw", b"ALZ\x01\x0a\x00\x00\x00" + BINARY, False),
    ("ZPAQ", "a.raw", b"7kSt\xa0\x31\x83\xd3" + BINARY, False),
    ("StuffIt", "a.raw", b"SIT!\x00\x02\x00\x00\x10\x00rLau" + BINARY, False),
    ("squeezed file of CP/M", "a.raw", b"\x76\xff\x34\x12LETTER.TXT\x00" + BINARY, False),
    ("library of CP/M", "a.raw", b"\x00           \x00\x00\x02" + BINARY, False),
    ("pack", "a.raw", b"\x1f\x1e\x00\x00\x10\x00\x0c" + BINARY, False),
    ("Electron's archive", "a.raw", b'\x04\x00\x00\x00\x10\x00\x00\x00\x0c\x00\x00\x00\x09\x00\x00\x00{"files":{}}', False),
    ("thin archive of objects", "a.raw", b"!<thin>\n/               0" + BINARY, False),
    # disk images
    ("disk with partitions", "a.raw", partitions(), False),
    ("disk with a strange partition", "a.raw", partitions(status=0x17), True),
    ("disk with an empty partition", "a.raw", partitions(kind=0), True),
    ("floppy of DOS", "a.raw", FAT, False),
    ("disk of Linux", "a.raw", EXT, False),
    ("disk of an old Macintosh", "a.raw", HFS, False),
    ("compressed disk of a game", "a.raw", b"MComprHD\x00\x00\x00\x7c" + BINARY, False),
    ("squashed disk", "a.raw", b"hsqs\x10\x00\x00\x00" + bytes(20) + b"\x04\x00" + BINARY, False),
    ("disk of a virtual machine", "a.raw", b"QED\x00\x00\x00\x01\x00" + BINARY, False),
    ("encrypted disk", "a.raw", b"LUKS\xba\xbe\x00\x02" + BINARY, False),
    # compiled code
    ("Android", "a.raw", b"dex\n035\x00" + BINARY, False),
    ("Java runtime", "a.raw", b"\xca\xfe\xda\xda\x00\x00\x00\x01" + BINARY, False),
    ("Emacs", "a.raw", b";ELC\x1c\x00\x00\x00\n" + BINARY, False),
    ("OCaml", "a.raw", b"Caml1999X031" + BINARY, False),
    ("Guile", "a.raw", b"GOOF----LE-8-2.0" + BINARY, False),
    ("Ruby", "a.raw", b"YARB\x03\x00\x00\x00\x01" + BINARY, False),
    ("Go", "a.raw", b"go object linux amd64 go1.21\n\x00" + BINARY, False),
    ("JavaScript", "a.raw", b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f" + BINARY, False),
    ("shader", "a.raw", b"\x03\x02\x23\x07\x00\x00\x01\x00" + BINARY, False),
    ("object file of Windows for ARM", "a.raw", b"\x64\xaa\x03\x00" + bytes(16) + b".text\x00" + ZEROS, False),
    ("object file with many sections", "a.raw", b"\x00\x00\xff\xff\x02\x00\x64\x86" + BINARY, False),
    ("object file of DOS", "a.raw", omf(b"main.asm"), False),
    ("object file of AIX", "a.raw", b"\x01\xdf\x00\x03" + bytes(16) + b"\x00.text\x00\x00\x00" + ZEROS, False),
    ("Linux", "a.raw", BINARY[:510] + b"\x55\xaa\xeb\x66HdrS" + BINARY, False),
    ("Amiga", "a.raw", b"\x00\x00\x03\xf3" + bytes(7) + b"\x02" + bytes(7) + b"\x01" + BINARY, False),
    ("AppleScript", "a.csv", b"FasdUAS 1.101.10\x0e\x00" + BINARY, False),
    ("add-on of a browser", "a.raw", b"Cr24\x03\x00\x00\x00" + BINARY, False),
    ("script of another system", "a.csv", b"#! C:\\Python\\python.exe\r\n", False),
    ("script of a language", "a.csv", b"#!perl -w\n", False),
    ("registry", "a.csv", "\ufeffWindows Registry Editor Version 5.00\r\n".encode("utf-16-le"), False),
    ("old registry", "a.csv", b"REGEDIT4\r\n\r\n[HKEY_CURRENT_USER]\r\n", False),
    ("setup script", "a.csv", b'[Version]\r\n; by hand\r\nSignature="$CHICAGO$"\r\n', False),
    ("start menu entry", "a.csv", b"[Desktop Entry]\nName[fr]=x\nExec=rm\n", False),
]  # fmt: skip
