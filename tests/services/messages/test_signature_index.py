"""Signatures are found by a few of their bytes, and the first of the table wins."""

import re

import pytest

from clp_core.attachments import DetectedKind
from clp_messages.file_signatures import BINARIES, LIBRARY, PICTURES
from clp_messages.signature_index import KEY_BYTES, PatternIndex, SignatureIndex
from clp_messages.signature_tables import (
    BINARY_SIGNATURES,
    PICTURE_SIGNATURES,
    Signature,
)

K = DetectedKind
INDEX = SignatureIndex(
    (
        Signature(b"AAAAZZ", K.PDF),
        Signature(b"LATER", K.ARCHIVE, 8),
        Signature(b"AAAA", K.PNG),
        Signature(b"AAA", K.GIF),
    )
)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"AAAAZZ--", K.PDF),
        (b"AAAA----", K.PNG),
        (b"AAA", K.GIF),
        (b"AA", None),
        (b"", None),
        (b"-AAAA", None),
        (b"AAAAZZ--LATER", K.PDF),
        (b"AAAA----LATER", K.ARCHIVE),
        (b"AAAA----LATE", K.PNG),
    ],
)
def test_of_several_signatures_the_first_one_wins(
    head: bytes, kind: DetectedKind | None
) -> None:
    assert INDEX.find(head) is kind


@pytest.mark.parametrize(
    ("index", "signatures"),
    [(PICTURES, PICTURE_SIGNATURES), (BINARIES, BINARY_SIGNATURES)],
    ids=["pictures", "others"],
)
def test_every_signature_of_a_table_is_found(
    index: SignatureIndex, signatures: tuple[Signature, ...]
) -> None:
    assert min(len(signature.value) for signature in signatures) >= KEY_BYTES
    for value, kind, offset in signatures:
        assert index.find(b"-" * offset + value) is kind


def test_the_longest_signature_of_the_library_wins() -> None:
    assert LIBRARY.find(b"PK\x03\x04----") is K.ARCHIVE
    assert LIBRARY.find(b"PK\x03\x04\n\x00\x02\x00") is K.OTHER  # a book


def test_of_several_patterns_the_first_one_wins() -> None:
    index = PatternIndex(((re.compile(rb"a."), K.PDF), (re.compile(rb"ab|c"), K.PNG)))

    assert index.find(b"abc") is K.PDF
    assert index.find(b"c") is K.PNG
    assert index.find(b"-c") is None
