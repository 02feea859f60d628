"""A header without a signature proves a kind by its fields, every one of them."""

import pytest

from clp_core.attachments import DetectedKind
from clp_messages.checked_headers import checked_kind
from tests.cases.files import partitions

K = DetectedKind
DOS = b"MZ\x03\x00\x0c\x00\x00\x00\x20\x00" + bytes(600)
LINKED = b"MZ\x90\x00" + bytes(600)
WINDOWS = b"MZ" + bytes(58) + b"\x40\x00\x00\x00PE\x00\x00" + bytes(600)
OBJECT = b"\x64\x86\x03\x00" + bytes(16) + b".text\x00" + bytes(600)
IMPORT = b"\x00\x00\xff\xff\x00\x00\x64\x86" + bytes(600)
AIX = b"\x01\xdf\x00\x03" + bytes(30) + b"\x00.text" + bytes(600)
DOS_OBJECT = b"\x80\x05\x00\x03a.c"
DOS_OBJECT += bytes([-sum(DOS_OBJECT) % 256]) + bytes(600)
CPIO = b"\xc7\x71" + bytes(4) + b"\xa4\x81" + bytes(12) + b"\x04\x00" + bytes(4)
CPIO += b"a.c\x00" + bytes(600)
BOOT = b"\xeb\x3c\x90" + bytes(8) + b"\x00\x02" + bytes(497) + b"\x55\xaa"
EXT = bytes(0x438) + b"\x53\xef\x01\x00\x01\x00" + bytes(600)
HFS = bytes(1024) + b"BD" + bytes(18) + b"\x00\x00\x02\x00" + bytes(12) + b"\x04name"
HFS += bytes(600)

# header, its kind, and fields that each would make it another's: an offset and bytes
HEADERS = {
    "DOS": (DOS, K.PROGRAM, [(3, b"\x02"), (4, b"\x00"), (8, b"\x01")]),
    "linked": (LINKED, K.PROGRAM, [(2, b"\x91")]),
    "Windows": (WINDOWS, K.PROGRAM, [(0x3C, b"\x41"), (0x40, b"M")]),
    "object file": (OBJECT, K.PROGRAM, [
        (0, b"\x65"), (2, b"\x00\x00"), (2, b"\x61\x00"), (16, b"\x10"), (20, b"-"), (21, b"1"),
    ]),
    "import": (IMPORT, K.PROGRAM, [(4, b"\x03"), (6, b"\x65")]),
    "object file of AIX": (AIX, K.PROGRAM, [(2, b"\x00\x00"), (2, b"\x00\x61"), (34, b"-")]),
    "object file of DOS": (DOS_OBJECT, K.PROGRAM, [
        (1, b"\x06"), (4, b"\xe1"), (4, b"\x01"), (7, b"\x00"),
    ]),
    "cpio": (CPIO, K.ARCHIVE, [(7, b"\x01"), (20, b"\x01"), (28, b"\x00"), (29, b"c")]),
    "boot sector": (BOOT, K.DISK_IMAGE, [(0, b"\xec"), (2, b"\x91"), (12, b"\x03")]),
    "partition": (partitions(), K.DISK_IMAGE, [(446, b"\x01"), (450, b"\x00"), (458, bytes(4))]),
    "ext4": (EXT, K.DISK_IMAGE, [(0x43A, b"\x08"), (0x43C, b"\x00"), (0x43C, b"\x04")]),
    "old Macintosh": (HFS, K.DISK_IMAGE, [(1044, bytes(4)), (1047, b"\x01"), (1060, b"\x1c")]),
}  # fmt: skip


@pytest.mark.parametrize("what", HEADERS)
def test_a_header_that_checks_out_proves_a_kind(what: str) -> None:
    head, kind, _ = HEADERS[what]

    assert checked_kind(head) is kind


@pytest.mark.parametrize(
    ("what", "at", "value"),
    [(what, at, value) for what, row in HEADERS.items() for at, value in row[2]],
)
def test_a_field_without_sense_proves_nothing(what: str, at: int, value: bytes) -> None:
    head = HEADERS[what][0]

    assert checked_kind(head[:at] + value + head[at + len(value) :]) is None
