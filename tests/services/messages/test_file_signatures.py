"""What the first bytes of a file say it is (rule 28)."""

import os
import random

import pytest

from clp_core.attachments import PUBLISHED_EXTENSIONS, DetectedKind, judge_content
from clp_core.decisions import Reason
from clp_messages.file_signatures import HEAD_BYTES, detected_kind

K = DetectedKind
OK = Reason.ALLOWED
NO = Reason.ATTACHMENT_CONTENT_MISMATCH
ZEROS = b"\x00" * 2048

# what                     | name      | first bytes                                  | kind          | reason
FILES = [
    ("Illustrator, new", "a.ai", b"%PDF-1.5\n%\xe2\xe3\xcf\xd3", K.PDF, OK),
    ("Illustrator, old", "a.ai", b"%!PS-Adobe-3.0\n%%Creator: A", K.POSTSCRIPT, OK),
    ("bitmap", "a.bmp", b"BM" + ZEROS, K.BMP, OK),
    ("table", "a.csv", b"a,b\n1,2\n", K.TEXT, OK),
    ("table and zeros", "a.csv", b"a,b\n1,2\n" + ZEROS, K.UNKNOWN, OK),
    ("table with a mark", "a.csv", b"\xef\xbb\xbfa,b\n", K.TEXT, OK),
    ("table in wide letters", "a.csv", "a,ł\n".encode("utf-16"), K.TEXT, OK),
    ("table of cars", "a.csv", b"BMW,cars\nMZ,x\n", K.TEXT, OK),
    ("table that begins with MZ", "a.csv", b"MZ,cars\n1,2\n", K.TEXT, OK),
    ("one letter", "a.csv", b"a", K.TEXT, OK),
    ("formula", "a.csv", b"=cmd|'x'!A1", K.TEXT, OK),
    ("table in an old encoding", "a.csv", b"Se\xf1or;1\n", K.UNKNOWN, OK),
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
    ("Photoshop", "a.psd", b"8BPS" + ZEROS, K.PSD, OK),
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
    ("remark before a document", "a.pdf", b"<!-- %PDF-1.7" + ZEROS, K.MARKUP, NO),
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
    ("two bytes", "a.raw", b"\x01\x02", K.TOO_SHORT, NO),
    ("no signature", "a.pdf", b"\x01\x02\x03\x04\x05", K.UNKNOWN, NO),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "head", "kind", "reason"),
    [pytest.param(*row, id=what) for what, *row in FILES],
)
def test_the_kind_of_a_file_and_whether_its_name_agrees(
    name: str, head: bytes, kind: DetectedKind, reason: Reason
) -> None:
    assert detected_kind(head) is kind
    assert judge_content(name, kind).reason is reason


def test_every_published_extension_is_in_the_table() -> None:
    accepted = {row[1].rsplit(".", 1)[1].lower() for row in FILES if row[4] is OK}
    # The same kind twice, under two extensions.
    assert accepted | {"jpeg"} == PUBLISHED_EXTENSIONS


def test_random_bytes_hardly_ever_match_a_signature() -> None:
    source = random.Random(28)
    kinds = [detected_kind(source.randbytes(600)) for _ in range(2000)]
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
    assert detected_kind(head * 100) is detected_kind(head)
