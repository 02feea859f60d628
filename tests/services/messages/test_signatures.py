"""What the first bytes of a file say it is (rule 28)."""

import os
import random

import pytest

from clp_core.attachments import PUBLISHED_EXTENSIONS, DetectedKind, judge_content
from clp_messages.signatures import HEAD, detected_kind

K = DetectedKind
ZEROS = b"\x00" * 2048

# what                     | name      | first bytes                                  | kind          | accepted
FILES = [
    ("Illustrator, new", "a.ai", b"%PDF-1.5\n%\xe2\xe3\xcf\xd3", K.PDF, True),
    ("Illustrator, old", "a.ai", b"%!PS-Adobe-3.0\n%%Creator: A", K.POSTSCRIPT, True),
    ("bitmap", "a.bmp", b"BM" + ZEROS, K.BMP, True),
    ("table", "a.csv", b"a,b\n1,2\n", K.TEXT, True),
    ("table and zeros", "a.csv", b"a,b\n1,2\n" + ZEROS, K.UNKNOWN, True),
    ("table with a mark", "a.csv", b"\xef\xbb\xbfa,b\n", K.TEXT, True),
    ("table in wide letters", "a.csv", "a,ł\n".encode("utf-16"), K.TEXT, True),
    ("table of cars", "a.csv", b"BMW,cars\nMZ,x\n", K.TEXT, True),
    ("table that begins with MZ", "a.csv", b"MZ,cars\n1,2\n", K.TEXT, True),
    ("one letter", "a.csv", b"a", K.TEXT, True),
    ("formula", "a.csv", b"=cmd|'x'!A1", K.TEXT, True),
    ("table in an old encoding", "a.csv", b"Se\xf1or;1\n", K.UNKNOWN, True),
    ("EPS", "a.eps", b"%!PS-Adobe-3.0 EPSF", K.POSTSCRIPT, True),
    ("EPS with a preview", "a.eps", b"\xc5\xd0\xd3\xc6" + ZEROS, K.POSTSCRIPT, True),
    ("GIF", "a.gif", b"GIF89a" + ZEROS, K.GIF, True),
    ("HEIF", "a.heif", b"\x00\x00\x00\x18ftypmif1", K.HEIF, True),
    ("HEIC", "a.heif", b"\x00\x00\x00\x18ftypheic", K.HEIF, True),
    ("InDesign", "a.ind", bytes.fromhex("0606edf5d81d46e5bd31efe7fe74b71d"), K.INDESIGN, True),
    ("JPEG", "PHOTO.JPG", b"\xff\xd8\xff\xe0\x00\x10JFIF", K.JPEG, True),
    ("film", "a.mov", b"\x00\x00\x00\x14ftypqt  ", K.QUICKTIME, True),
    ("older film", "a.mov", b"\x00\x00\x04\x00moov\x00\x00", K.QUICKTIME, True),
    ("film of a phone", "a.mov", b"\x00\x00\x00\x18ftypmp42", K.ISO_MEDIA, True),
    ("music", "a.mxl", b"PK\x03\x04" + ZEROS, K.ZIP, True),
    ("PDF", "a.pdf", b"%PDF-1.7\n", K.PDF, True),
    ("PNG", "a.png", b"\x89PNG\r\n\x1a\n" + ZEROS, K.PNG, True),
    ("Photoshop", "a.psd", b"8BPS" + ZEROS, K.PSD, True),
    ("camera", "a.raw", b"II*\x00" + ZEROS, K.TIFF, True),
    ("sound without a head", "a.raw", b"\x00\x00\x01\x00" * 500, K.UNKNOWN, True),
    ("curly", "a.svj", b"{}" + ZEROS, K.UNKNOWN, True),
    ("WAV", "a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", K.WAV, True),
    ("long WAV", "a.wav", b"RF64\xff\xff\xff\xffWAVEds64", K.WAV, True),
    ("WebP", "a.webp", b"RIFF\x00\x00\x00\x00WEBP", K.WEBP, True),
    # in disguise
    ("program as a picture", "a.png", b"MZ\x90\x00" + ZEROS, K.PROGRAM, False),
    ("program as a table", "a.csv", b"MZ\x90\x00" + ZEROS, K.PROGRAM, False),
    ("program as anything", "a.raw", b"\x7fELF\x02\x01\x01" + ZEROS, K.PROGRAM, False),
    ("class as anything", "a.svj", b"\xca\xfe\xba\xbe\x00\x00\x00\x34", K.PROGRAM, False),
    ("shortcut", "a.ind", bytes.fromhex("4c0000000114020000000000c000000000000046"), K.PROGRAM, False),
    ("page as a document", "a.pdf", b"<html><script>" + ZEROS, K.MARKUP, False),
    ("page as a table", "a.csv", b"<html>" + ZEROS, K.MARKUP, False),
    ("page after blanks", "a.csv", b"\xef\xbb\xbf \n<!DOCTYPE html>", K.MARKUP, False),
    ("page in wide letters", "a.csv", "<svg>".encode("utf-16"), K.MARKUP, False),
    ("picture made of markup", "logo.png", b"<svg" + ZEROS, K.MARKUP, False),
    ("remark before a document", "a.pdf", b"<!-- %PDF-1.7" + ZEROS, K.MARKUP, False),
    ("script as a table", "a.csv", b"#!/bin/sh\nrm -rf /", K.SCRIPT, False),
    ("batch as a table", "a.csv", b"@ECHO off\r\ndel *", K.SCRIPT, False),
    ("PHP as anything", "a.raw", b"<?php system(1);", K.SCRIPT, False),
    ("link as a table", "a.csv", b"[InternetShortcut]\nURL=x", K.SCRIPT, False),
    ("archive as anything", "a.raw", b"PK\x03\x04" + ZEROS, K.ZIP, False),
    ("compressed", "a.csv", b"\x1f\x8b\x08\x00" + ZEROS, K.ARCHIVE, False),
    ("RAR", "a.raw", b"Rar!\x1a\x07\x00" + ZEROS, K.ARCHIVE, False),
    ("7z", "a.svj", b"7z\xbc\xaf\x27\x1c" + ZEROS, K.ARCHIVE, False),
    ("tape", "a.raw", b"x".ljust(257, b"\x00") + b"ustar\x0000", K.ARCHIVE, False),
    ("old office", "a.raw", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + ZEROS, K.ARCHIVE, False),
    # of another kind
    ("document as a picture", "a.png", b"%PDF-1.7", K.PDF, False),
    ("picture as a document", "a.pdf", b"GIF89a", K.GIF, False),
    ("sound as a picture", "a.webp", b"RIFF\x24\x00\x00\x00WAVE", K.WAV, False),
    ("PostScript as a table", "a.csv", b"%!PS\n(%pipe%id) (r) file\n", K.POSTSCRIPT, False),
    ("database", "a.raw", b"SQLite format 3\x00" + ZEROS, K.OTHER, False),
    ("film for the web", "a.raw", b"\x1aE\xdf\xa3" + ZEROS, K.OTHER, False),
    ("rich text", "a.svj", b"{\\rtf1\\ansi", K.OTHER, False),
    # too little
    ("one byte", "a.pdf", b"%", K.TEXT, False),
    ("two bytes", "a.raw", b"\x01\x02", K.TOO_SHORT, False),
    ("no signature", "a.pdf", b"\x01\x02\x03\x04\x05", K.UNKNOWN, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "head", "kind", "accepted"),
    [pytest.param(*row, id=what) for what, *row in FILES],
)
def test_what_a_file_is_and_whether_its_name_agrees(
    name: str, head: bytes, kind: DetectedKind, accepted: bool
) -> None:
    assert detected_kind(head) is kind
    assert bool(judge_content(name, kind)) is accepted


def test_every_published_extension_is_in_the_table() -> None:
    accepted = {row[1].rsplit(".", 1)[1].lower() for row in FILES if row[4]}
    # The same kind twice, under two extensions.
    assert accepted | {"jpeg"} == PUBLISHED_EXTENSIONS


def test_random_bytes_are_hardly_ever_anything() -> None:
    source = random.Random(28)
    kinds = [detected_kind(source.randbytes(600)) for _ in range(2000)]
    assert sum(kind is not K.UNKNOWN for kind in kinds) <= 4


@pytest.mark.parametrize("head", [b"<" * HEAD, b"\x00" * HEAD, b"@" * HEAD, os.urandom(HEAD)])
def test_a_hostile_head_is_judged_at_once(head: bytes) -> None:
    assert detected_kind(head * 100) is detected_kind(head)
