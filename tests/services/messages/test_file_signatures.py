"""The kind of a file by its first bytes (rule 28)."""

import os
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clp_core.attachments import PUBLISHED_EXTENSIONS, DetectedKind, judge_content
from clp_core.decisions import Decision, Reason
from clp_messages.file_signatures import detect
from clp_messages.signature_tables import HEAD_BYTES, SCRIPT, WEB_PAGE
from tests.cases.files import BINARY, ZEROS, at, ftyp, zipped
from tests.cases.files import FILES as MORE_FILES
from tests.cases.loading import FieldCase, field_cases

K = DetectedKind
OK = Reason.ALLOWED
NO = Reason.ATTACHMENT_CONTENT_MISMATCH

# what                     | name      | first bytes                                  | kind          | reason
FILES = [
    ("Illustrator, new", "a.ai", b"%PDF-1.5\n%\xe2\xe3\xcf\xd3", K.PDF, OK),
    ("Illustrator, old", "a.ai", b"%!PS-Adobe-3.0\n%%Creator: A", K.POSTSCRIPT, OK),
    ("bitmap", "a.bmp", b"BM" + ZEROS, K.UNKNOWN, OK),
    ("table", "a.csv", b"a,b\n1,2\n", K.TEXT, OK),
    ("table and zeros", "a.csv", b"a,b\n1,2\n" + ZEROS, K.UNKNOWN, OK),
    ("table with a mark", "a.csv", b"\xef\xbb\xbfa,b\n", K.TEXT, OK),
    ("table in wide letters", "a.csv", "a,ł\n".encode("utf-16"), K.TEXT, OK),
    ("table of cars", "a.csv", b"BMW,cars\nMZ,x\n", K.TEXT, OK),
    ("table that begins with MZ", "a.csv", b"MZ,cars\n1,2\n", K.TEXT, OK),
    ("one letter", "a.csv", b"a", K.TEXT, OK),
    ("formula", "a.csv", b"=cmd|'x'!A1", K.TEXT, OK),
    ("table in an old encoding", "a.csv", b"Se\xf1or;1\n", K.TEXT, OK),
    ("EPS", "a.eps", b"%!PS-Adobe-3.0 EPSF", K.POSTSCRIPT, OK),
    ("EPS with a preview", "a.eps", b"\xc5\xd0\xd3\xc6" + ZEROS, K.POSTSCRIPT, OK),
    ("GIF", "a.gif", b"GIF89a" + ZEROS, K.GIF, OK),
    ("HEIF", "a.heif", b"\x00\x00\x00\x18ftypmif1", K.HEIF, OK),
    ("HEIC", "a.heif", b"\x00\x00\x00\x18ftypheic", K.HEIF, OK),
    ("InDesign", "a.ind", bytes.fromhex("0606edf5d81d46e5bd31efe7fe74b71d"), K.INDESIGN, OK),
    ("JPEG", "PHOTO.JPG", b"\xff\xd8\xff\xe0\x00\x10JFIF", K.JPEG, OK),
    ("film", "a.mov", b"\x00\x00\x00\x14ftypqt  ", K.QUICKTIME, OK),
    ("older film", "a.mov", b"\x00\x00\x04\x00moov\x00\x00", K.QUICKTIME, OK),
    ("film of a phone", "a.mov", b"\x00\x00\x00\x18ftypmp42", K.ISO_MEDIA, OK),
    ("music", "a.mxl", b"PK\x03\x04" + ZEROS, K.ZIP, OK),
    ("PDF", "a.pdf", b"%PDF-1.7\n", K.PDF, OK),
    ("PNG", "a.png", b"\x89PNG\r\n\x1a\n" + ZEROS, K.PNG, OK),
    ("Photoshop", "a.psd", b"8BPS" + ZEROS, K.UNKNOWN, OK),
    ("camera", "a.raw", b"II*\x00" + ZEROS, K.TIFF, OK),
    ("sound without a head", "a.raw", b"\x00\x00\x01\x00" * 500, K.UNKNOWN, OK),
    ("curly", "a.svj", b"{}" + ZEROS, K.UNKNOWN, OK),
    ("WAV", "a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", K.WAV, OK),
    ("long WAV", "a.wav", b"RF64\xff\xff\xff\xffWAVEds64", K.WAV, OK),
    ("WebP", "a.webp", b"RIFF\x00\x00\x00\x00WEBP", K.WEBP, OK),
    # in disguise
    ("program as a picture", "a.png", b"MZ\x90\x00" + ZEROS, K.PROGRAM, NO),
    ("program as a table", "a.csv", b"MZ\x90\x00" + ZEROS, K.PROGRAM, NO),
    ("program as anything", "a.raw", b"\x7fELF\x02\x01\x01" + ZEROS, K.PROGRAM, NO),
    ("class as anything", "a.svj", b"\xca\xfe\xba\xbe\x00\x00\x00\x34", K.PROGRAM, NO),
    ("shortcut", "a.ind", bytes.fromhex("4c0000000114020000000000c000000000000046"), K.PROGRAM, NO),
    ("page as a document", "a.pdf", b"<html><script>" + ZEROS, K.MARKUP, NO),
    ("page as a table", "a.csv", b"<html>" + ZEROS, K.MARKUP, NO),
    ("page after blanks", "a.csv", b"\xef\xbb\xbf \n<!DOCTYPE html>", K.MARKUP, NO),
    ("page in wide letters", "a.csv", "<svg>".encode("utf-16"), K.MARKUP, NO),
    ("picture made of markup", "logo.png", b"<svg" + ZEROS, K.MARKUP, NO),
    ("remark before a document", "a.pdf", b"<!-- %PDF-1.7" + ZEROS, K.UNKNOWN, NO),
    ("script as a table", "a.csv", b"#!/bin/sh\nrm -rf /", K.SCRIPT, NO),
    ("batch as a table", "a.csv", b"@ECHO off\r\ndel *", K.SCRIPT, NO),
    ("PHP as anything", "a.raw", b"<?php system(1);", K.SCRIPT, NO),
    ("link as a table", "a.csv", b"[InternetShortcut]\nURL=x", K.SCRIPT, NO),
    ("archive as anything", "a.raw", b"PK\x03\x04" + ZEROS, K.ZIP, NO),
    ("compressed", "a.csv", b"\x1f\x8b\x08\x00" + ZEROS, K.ARCHIVE, NO),
    ("RAR", "a.raw", b"Rar!\x1a\x07\x00" + ZEROS, K.ARCHIVE, NO),
    ("7z", "a.svj", b"7z\xbc\xaf\x27\x1c" + ZEROS, K.ARCHIVE, NO),
    ("tape", "a.raw", b"x".ljust(257, b"\x00") + b"ustar\x0000", K.ARCHIVE, NO),
    ("old office", "a.raw", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + ZEROS, K.ARCHIVE, NO),
    # of another kind
    ("document as a picture", "a.png", b"%PDF-1.7", K.PDF, NO),
    ("picture as a document", "a.pdf", b"GIF89a", K.GIF, NO),
    ("sound as a picture", "a.webp", b"RIFF\x24\x00\x00\x00WAVE", K.WAV, NO),
    ("PostScript as a table", "a.csv", b"%!PS\n(%pipe%id) (r) file\n", K.POSTSCRIPT, NO),
    ("database", "a.raw", b"SQLite format 3\x00" + ZEROS, K.OTHER, NO),
    ("film for the web", "a.raw", b"\x1aE\xdf\xa3" + ZEROS, K.OTHER, NO),
    ("rich text", "a.svj", b"{\\rtf1\\ansi", K.OTHER, NO),
    # too little
    ("one byte", "a.pdf", b"%", K.TEXT, NO),
    ("two bytes", "a.raw", b"\x01\x02", K.TOO_SHORT, OK),
    ("no signature", "a.pdf", b"\x01\x02\x03\x04\x05", K.UNKNOWN, NO),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "head", "kind", "reason"),
    [pytest.param(*row, id=what) for what, *row in FILES],
)
def test_the_kind_of_a_file_and_whether_its_name_agrees(
    name: str, head: bytes, kind: DetectedKind, reason: Reason
) -> None:
    assert detect(head).kind is kind
    likeness = detect(head).likeness
    assert judge_content(name, kind, likeness=likeness).reason is reason


def _dos(pages: int, paragraphs: int) -> bytes:
    fields = (3, pages, 0, paragraphs, 0, 0xFFFF)
    return b"MZ" + b"".join(f.to_bytes(2, "little") for f in fields) + ZEROS


def _tape() -> bytes:
    header = bytearray(b"reel.raw".ljust(512, b"\x00"))
    header[100:108], header[148:156] = b"0000644\x00", b" " * 8
    header[148:156] = b"%06o\x00 " % sum(header)
    return bytes(header) + BINARY


DICTIONARY = b"%!PS-Adobe-3.0 EPSF-3.0\n"
LINES = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n"
# what                     | name      | first bytes                                  | reason
SHARPENED = [
    # good files of each kind, as their readers take them
    ("PDF after lines", "a.pdf", LINES + b"%PDF-1.4\n" + BINARY, OK),
    ("PDF after a mark", "a.pdf", b"\xef\xbb\xbf%PDF-1.4\n" + BINARY, OK),
    ("PDF after blanks and zeros", "a.pdf", b" \x00\n \t%PDF-1.4\n" + BINARY, OK),
    ("PDF after 1,000 bytes", "a.pdf", b"x" * 1000 + b"\n%PDF-1.4\n" + BINARY, OK),
    ("PDF after 1,100 bytes", "a.pdf", b"x" * 1100 + b"\n%PDF-1.4\n" + BINARY, NO),
    ("PDF in the middle of a line", "a.pdf", b"see %PDF-1.4\n" + BINARY, NO),
    ("PDF after binary", "a.pdf", b"\x01\x02\n%PDF-1.4\n" + BINARY, NO),
    ("PDF after a script", "a.pdf", b"#!/bin/sh\n%PDF-1.4\n" + BINARY, NO),
    ("PDF after a page", "a.pdf", b"<html>\n%PDF-1.4\n" + BINARY, NO),
    ("PDF after a program", "a.pdf", b"MZ\x90\x00\n%PDF-1.4\n" + BINARY, NO),
    ("EPS for a printer", "a.eps", b"\x1b%-12345X@PJL\r\n" + DICTIONARY, OK),
    ("EPS after the end of a job", "a.eps", b"\x04" + DICTIONARY, OK),
    ("EPS of an old program", "a.eps", b"%!\n%%Creator: A\n", OK),
    ("Illustrator after a mark", "a.ai", b"\xef\xbb\xbf%PDF-1.5\n" + BINARY, OK),
    ("table that speaks of PDF", "a.csv", b"kind,head\n%PDF-1.4,document\n", OK),
    ("Windows bitmap", "a.bmp", b"BM" + bytes(12) + b"\x28\x00\x00\x00" + ZEROS, OK),
    ("OS/2 bitmaps", "a.bmp", b"BA" + bytes(12) + b"BM" + bytes(12) + b"\x0c" + ZEROS, OK),
    ("samples that begin with BM", "a.raw", b"BM" + BINARY, OK),
    ("samples that begin with MZ", "a.raw", b"MZ\xf3\x7f" + b"\xf1\x7e" * 900, OK),
    ("samples that are loud", "a.raw", b"\xff\x7f\x00\x80" * 900, OK),
    ("silence", "a.raw", ZEROS * 20, OK),
    ("large Photoshop", "a.psd", b"8BPS\x00\x02" + ZEROS, OK),
    ("HEIF of a newer brand", "a.heif", ftyp(b"mif2", b"mif2", b"heic"), OK),
    ("HEIF by a compatible brand", "a.heif", ftyp(b"abcd", b"isom", b"mif1"), OK),
    ("AVIF", "a.heif", ftyp(b"avif", b"mif1", b"miaf"), OK),
    ("film as a picture", "a.heif", ftyp(b"mp42", b"isom", b"mp42"), NO),
    ("camera, Canon of today", "a.raw", ftyp(b"crx ", b"crx ", b"isom"), OK),
    ("camera, Olympus", "a.raw", b"IIRO\x08\x00" + ZEROS, OK),
    ("camera, Minolta", "a.raw", b"\x00MRM\x00\x01" + ZEROS, OK),
    ("camera, Sigma", "a.raw", b"FOVb\x01\x00" + ZEROS, OK),
    ("camera, RED", "a.raw", b"\x00\x00\x01\x00RED2" + ZEROS, OK),
    ("film with another first atom", "a.mov", at(0, b"\x00\x00\x00\x10PICT12345678\x00\x00\x00\x08moov"), OK),
    ("film with a long atom", "a.mov", b"\x00\x00\x00\x01uuid\x00\x00\x00\x01\x00\x00\x00\x00" + ZEROS, OK),
    ("bare H.264", "a.mov", b"\x00\x00\x00\x01\x67\x64\x00\x1f" + BINARY, NO),
    ("bare H.265", "a.mov", b"\x00\x00\x00\x01\x40\x01\x0c\x01" + BINARY, NO),
    ("MPEG programme", "a.mov", b"\x00\x00\x01\xba\x44\x00\x04" + BINARY, NO),
    ("transport stream of discs", "a.mov", (b"\x00\x00\x00\x00G@\x11\x10" + bytes(184)) * 4, NO),
    ("AVI", "a.mov", b"RIFF\x24\x00\x00\x00AVI LIST", NO),
    ("Matroska", "a.mov", b"\x1aE\xdf\xa3\x01\x00matroska" + ZEROS, NO),
    ("picture that begins with a remark", "a.jpg", b"\xff\xd8\xff\xfe" + b'""' + b"plain words " * 20 + b"\xff\xdb" + BINARY, OK),
    ("picture 32 pixels wide", "a.gif", b"GIF89a\x20\x00\x20\x00\xf7\x00\x00" + BINARY, OK),
    ("picture 2,592 pixels wide", "a.gif", b"GIF89a\x20\x0a\x20\x0a\xf7\x00\x00" + BINARY, OK),
    ("small picture as a table", "a.csv", b"GIF89a\x20\x0a\x20\x00\xf7\x00\x00" + BINARY, NO),
    ("table of GIF with a NUL", "a.csv", b"GIF89a,b\n1,2\n\x00", OK),
    ("table of RIFF with a NUL", "a.csv", b"RIFF,WAVE\n1,2\n\x00", OK),
    ("AVI as a table", "a.csv", b"RIFF\x24\x20\x20\x00AVI LIST" + BINARY, NO),
    ("AVI without a size", "a.raw", b"RIFF\xff\xff\xff\xffAVI LIST" + BINARY, NO),
    ("score with a script", "a.mxl", zipped("a.xml", "run.js"), NO),
    ("score with a shortcut", "a.mxl", zipped("a.xml", "Open me.LNK"), NO),
    ("samples of the letter G", "a.raw", b"G" * 2000, OK),
    ("score", "a.mxl", zipped("META-INF/container.xml", "score.xml"), OK),
    ("score with its type", "a.mxl", zipped("mimetype", stored=b"application/vnd.recordare.musicxml"), OK),
    ("score with its type deflated", "a.mxl", zipped("mimetype", "a/b", stored=b"application/vnd.recordare.musicxml", deflated=True), OK),
    ("open document with its type deflated", "a.mxl", zipped("mimetype", "META-INF/container.xml", stored=b"application/epub+zip", deflated=True), NO),
    ("type that cannot be inflated", "a.mxl", bytes.fromhex("504b0304 0a00 0000 0800 00000000 00000000 02000000 02000000 0800 0000") + b"mimetype\xff\xff", NO),
    ("score in a long entry with a program", "a.mxl", zipped("a.xml", "a.exe", stored=ZEROS * 10), NO),
    ("score that outlasts the head", "a.mxl", zipped("a.xml", "a.exe", stored=ZEROS * 30), OK),
    ("sizes after the content", "a.mxl", zipped("a.xml", "a.exe").replace(b"\x01\0\0\0\x01\0\0\0", bytes(8)), NO),
    ("sizes in an extra field", "a.mxl", zipped("a.xml", "a.exe").replace(b"\x01\0\0\0\x01\0\0\0", b"\xff" * 8), NO),
    ("score before its container", "a.mxl", zipped("music.musicxml", "META-INF/container.xml"), OK),
    ("office document", "a.mxl", zipped("[Content_Types].xml", "word/document.xml"), NO),
    ("another office document", "a.mxl", zipped("docProps/app.xml", "xl/workbook.xml"), NO),
    ("open document", "a.mxl", zipped("mimetype", "content.xml", stored=b"application/vnd.oasis.opendocument.text"), NO),
    ("Java", "a.mxl", zipped("META-INF/", "META-INF/MANIFEST.MF", "A.class"), NO),
    ("Android", "a.mxl", zipped("AndroidManifest.xml", "classes.dex"), NO),
    ("program in a ZIP", "a.mxl", zipped("readme.xml", "setup.exe"), NO),
    ("pictures in a ZIP", "a.mxl", zipped("a/1.png", "a/2.png"), NO),
    ("tag in a cell", "a.csv", b"<i>Previously</i>,1\n", OK),
    ("placeholder in a cell", "a.csv", b"<header>,<html5>,<script_no>\n", OK),
    ("comment in a cell", "a.csv", b"<!-- take 2 -->,1\n", OK),
    ("handle in a cell", "a.csv", b"@echo,@cls_studio\n", OK),
    ("section in a cell", "a.csv", b"[Version],[autorun]\n", OK),
    ("ISO 2022", "a.csv", "字幕,確認\n".encode("iso2022_jp"), OK),
    ("UTF-16 without a mark", "a.csv", "PK,MZ\n1,2\n".encode("utf-16-le"), OK),
    ("UTF-32", "a.csv", "ID,b\n1,2\n".encode("utf-32"), OK),
    # in disguise
    ("page after a comment", "a.csv", b"<!-- x --> <BODY onload=x>", NO),
    ("page in UTF-16 without a mark", "a.csv", "<script>x".encode("utf-16-be"), NO),
    ("XML", "a.csv", b"<?xml version='1.0'?><tt>", NO),
    ("batch with a blank line", "a.csv", b"\r\n@echo  OFF\r\n", NO),
    ("ISO image", "a.raw", at(0x8001, b"CD001\x01"), NO),
    ("UDF image", "a.raw", at(0x8001, b"BEA01\x01"), NO),
    ("ISO image over a film", "a.mov", ftyp(b"qt  ", b"qt  ").ljust(0x8001, b"\x00") + b"CD001\x01", NO),
    ("tape over a film", "a.mov", b"\x00\x00\x02\x00free".ljust(257, b"\x00") + b"ustar\x00", NO),
    ("file system over a bitmap", "a.bmp", b"BM" + bytes(8) + b"\x36\x00\x00\x00\x28".ljust(1070, b"\x00") + b"\x53\xef\x01\x00\x01\x00" + ZEROS, NO),
    ("partitions", "a.raw", at(512, b"EFI PART"), NO),
    ("file system", "a.raw", b"\xeb\x58\x90NTFS    " + ZEROS, NO),
    ("CD sectors", "a.raw", b"\x00" + b"\xff" * 10 + b"\x00" + ZEROS, NO),
    ("LHA", "a.raw", b"\x1f\x5e-lh5-" + BINARY, NO),
    ("ARC", "a.raw", b"\x1a\x08PROGRAM.EXE\x00" + BINARY, NO),
    ("ZOO", "a.raw", b"ZOO 2.10 Archive.\x1a\x00\x00\xdc\xa7\xc4\xfd" + BINARY, NO),
    ("ARJ", "a.raw", b"\x60\xea\x2c\x00\x22" + BINARY, NO),
    ("compress", "a.raw", b"\x1f\x9d\x90" + BINARY, NO),
    ("frame to skip", "a.raw", b"P*M\x18\x04\x00\x00\x00abcd\x28\xb5\x2f\xfd" + BINARY, NO),
    ("tape of Unix V7", "a.raw", _tape(), NO),
    ("tape with a wrong sum", "a.raw", _tape().replace(b"reel", b"real", 1), OK),
    ("cpio", "a.raw", b"070701" + b"0" * 104 + b".\x00", NO),
    ("date that looks like cpio", "a.csv", b"070701,0\n", OK),
    ("bzip2", "a.raw", b"BZh91AY&SY" + BINARY, NO),
    ("object file", "a.raw", b"\x64\x86\x03\x00" + bytes(16) + b".text\x00" + ZEROS, NO),
    ("Windows program", "a.raw", b"MZ" + bytes(58) + b"\x40\x00\x00\x00PE\x00\x00" + ZEROS, NO),
    ("DOS program", "a.raw", _dos(12, 32), NO),
    ("nothing of DOS", "a.raw", _dos(0, 0), OK),
    ("bytecode of Python", "a.raw", b"\xa7\x0d\x0d\x0a" + ZEROS, NO),
    ("old bytecode of Python", "a.raw", b"\x03\xf3\x0d\x0a" + ZEROS, NO),
    ("Lua", "a.raw", b"\x1bLuaQ" + ZEROS, NO),
    ("Erlang", "a.raw", b"FOR1\x00\x00\x10\x00BEAM" + ZEROS, NO),
    ("Flash", "a.raw", b"CWS\x09\x10\x20\x00\x00" + BINARY, NO),
    ("jar", "a.raw", zipped("META-INF/MANIFEST.MF"), NO),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [pytest.param(*row, id=what) for what, *row in SHARPENED],
)
def test_evidence_refuses_and_chance_does_not(
    name: str, content: bytes, reason: Reason
) -> None:
    assert judged(name, content).reason is reason


@pytest.mark.parametrize(
    ("name", "content", "taken"),
    [pytest.param(*row, id=what) for what, *row in MORE_FILES],
)
def test_more_files_people_send(name: str, content: bytes, *, taken: bool) -> None:
    assert bool(judged(name, content)) is taken


@pytest.mark.parametrize(
    "case", field_cases("attachment-content"), ids=lambda case: case.id
)
def test_files_people_send(case: FieldCase) -> None:
    assert judged(case.input["name"], case.content()).reason == case.wanted, case.why


def judged(name: str, content: bytes) -> Decision:
    found = detect(content)
    return judge_content(name, found.kind, likeness=found.likeness)


ENCODINGS = [
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1250", "cp1251",
    "cp1252", "cp932", "euc_jp", "iso2022_jp", "gb18030", "big5", "euc_kr", "koi8_r",
    "mac_roman", "cp437",
]  # fmt: skip
# Cells that begin like the signature of something else.
CHANCE = [
    "ID", "FILE", "begin", "From", "Version", "import", "record_id", "BM", "MZ", "PK", "II*",
    "MM", "RIFF", "free", "the moov", "8BPS", "FWS", "Rar!", "BZh", "SIT!", "xar!", "FOR1",
    "<i>", "<b>x", "<heading>", "#!", "#", "@echo", "%", "070707", "-lh5-", "DOS", "ER", "dex",
    "KDMV", "ARRI", "FOVb", "IIRO", "mimetype", "$Id", "P6", "BEGIN", "def", "<?", "//", "/*",
]  # fmt: skip
cells = st.one_of(
    st.sampled_from(CHANCE),
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12),
    st.integers().map(str),
)


@pytest.mark.property
@given(
    st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(ENCODINGS),
)
def test_no_table_is_refused_in_any_encoding(
    rows: list[list[str]], separator: str, line_end: str, encoding: str
) -> None:
    text = line_end.join(separator.join(row) for row in rows) + line_end
    assume(
        not SCRIPT.match(text.strip().encode()) and not WEB_PAGE.match(text.encode())
    )

    assert judged("table.csv", text.encode(encoding, "replace"))


def test_every_published_extension_is_in_the_table() -> None:
    accepted = {row[1].rsplit(".", 1)[1].lower() for row in FILES if row[4] is OK}
    # The same kind twice, under two extensions.
    assert accepted | {"jpeg"} == PUBLISHED_EXTENSIONS


def test_random_bytes_hardly_ever_match_a_signature() -> None:
    source = random.Random(28)
    kinds = [detect(source.randbytes(600)).kind for _ in range(2000)]
    assert sum(kind is not K.UNKNOWN for kind in kinds) <= 4


@pytest.mark.parametrize(
    "head",
    [
        b"<" * HEAD_BYTES,
        b"\x00" * HEAD_BYTES,
        b"@" * HEAD_BYTES,
        os.urandom(HEAD_BYTES),
    ],
)
def test_a_hostile_head_is_judged_at_once(head: bytes) -> None:
    assert detect(head * 100) == detect(head)
