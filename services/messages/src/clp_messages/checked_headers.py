"""Kinds with a short signature or none, proven by the fields of their header.

Two letters are no evidence: a table or a sound may begin with them. Sizes, versions and
sums that fit together are.
"""

import re
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from clp_core.attachments import DetectedKind
from clp_messages.signature_index import pattern_at

WINDOWS_HEADERS: Final = (b"PE\x00\x00", b"NE", b"LE", b"LX")
# Machines of COFF: 386, x86-64, ARM, ARM64, RISC-V, LoongArch, Itanium.
COFF_MACHINES: Final = frozenset(
    {0x14C, 0x8664, 0x1C0, 0x1C2, 0x1C4, 0xAA64, 0xA641, 0x5032, 0x5064, 0x6264, 0x200}
)
COFF_EXTENDED: Final = b"\x00\x00\xff\xff"  # an import, or many sections
COFF_VERSIONS: Final = range(3)
# A DOS header: bytes in the last page, pages, and paragraphs of the header itself.
PAGE: Final = 512
LINKER_BYTES: Final = 0x90  # what most linkers write
PAGES: Final = range(1, 0x801)
PARAGRAPHS: Final = range(2, 0x201)
MAX_SECTIONS: Final = 96
# Magic numbers of Python's bytecode, before "\r\n".
PYTHON_3: Final = range(3000, 4000)
PYTHON_2: Final = range(50000, 63000)

SECTOR: Final = 512
SECTOR_SIZES: Final = frozenset({512, 1024, 2048, 4096})
PARTITIONS: Final = range(446, 510, 16)
BOOT_MARK: Final = re.compile(rb"\x55\xaa")
TAR_SUM: Final = slice(148, 156)
OCTAL_FIELD: Final = re.compile(rb"(?!\x00{8}| {8})[\x00 0-7]{8}")
CPIO_HEADER: Final = 26
FILE_TYPES: Final = frozenset({0o01, 0o02, 0o04, 0o06, 0o10, 0o12, 0o14})
HFS_NAME_LENGTHS: Final = frozenset(bytes([n]) for n in range(1, 28))
EXT_STATES: Final = range(8)
EXT_ON_ERRORS: Final = range(1, 4)


def checked_kind(head: bytes) -> DetectedKind | None:
    """The kind whose header checks out, if there is one."""
    if _ANY_MARK.match(head):
        for check in _CHECKS:
            if check.mark.match(head, check.offset) and check.proves(head):
                return check.kind
    return None


class _Check(NamedTuple):
    """A check of a header, and a mark without which it need not be made."""

    kind: DetectedKind
    offset: int
    mark: re.Pattern[bytes]
    proves: Callable[[bytes], bool]

    def pattern(self) -> bytes:
        """The pattern of a head that has the mark."""
        return pattern_at(self.offset, self.mark.pattern)


def _number(head: bytes, at: int, size: int = 2) -> int:
    return int.from_bytes(head[at : at + size], "little")


def _is_dos(head: bytes) -> bool:
    """``MZ`` and a header whose fields have sense: sizes of pages and paragraphs."""
    if head.startswith(WINDOWS_HEADERS, _number(head, 0x3C, 4)):
        return True
    bytes_in_page, pages, paragraphs = (_number(head, at) for at in (2, 4, 8))
    if bytes_in_page == LINKER_BYTES:
        return True
    return bytes_in_page < PAGE and pages in PAGES and paragraphs in PARAGRAPHS


def _is_coff(head: bytes) -> bool:
    """An object file of a known machine: few sections, the first with a dot."""
    if head.startswith(COFF_EXTENDED):
        return _number(head, 4) in COFF_VERSIONS and _number(head, 6) in COFF_MACHINES
    sections, optional = _number(head, 2), _number(head, 16)
    return (
        1 <= sections <= MAX_SECTIONS
        and optional == 0
        and head[20:21] == b"."
        and head[21:22].isalpha()
    )


def _is_xcoff(head: bytes) -> bool:
    """An object file of AIX: few sections, and a time in big-endian."""
    sections = int.from_bytes(head[2:4], "big")
    return 1 <= sections <= MAX_SECTIONS and b"\x00.text" in head[:256]


def _is_omf(head: bytes) -> bool:
    """An object file of DOS: a record that holds one name of exactly its length."""
    length, size = _number(head, 1), _number(head, 3, 1)
    name = head[4 : 4 + size]
    return (
        len(name) == size == length - 2 > 0
        and name.isascii()
        and name.decode().isprintable()
        and sum(head[: length + 3]) % 256 == 0
    )


def _is_python(head: bytes) -> bool:
    magic = _number(head, 0)
    return magic in PYTHON_3 or magic in PYTHON_2


def _is_linux(head: bytes) -> bool:
    return head[514:518] == b"HdrS"


def _is_old_tar(head: bytes) -> bool:
    """A tar header of Unix V7, which has no signature but a sum of its bytes."""
    header = head[:SECTOR]
    stored = header[TAR_SUM].strip(b" \x00")
    if len(header) < SECTOR or not stored or stored.translate(None, b"01234567"):
        return False
    blank = b" " * len(header[TAR_SUM])
    return int(stored, 8) == sum(
        header[: TAR_SUM.start] + blank + header[TAR_SUM.stop :]
    )


def _is_binary_cpio(head: bytes) -> bool:
    """The oldest cpio, in either byte order: a file type, a name that ends in NUL."""
    order: Literal["little", "big"] = "little" if head.startswith(b"\xc7") else "big"
    mode, size = (int.from_bytes(head[at : at + 2], order) for at in (6, 20))
    name = head[CPIO_HEADER : CPIO_HEADER + size]
    return (
        mode >> 12 in FILE_TYPES and len(name) == size > 1 and name.find(0) == size - 1
    )


def _is_boot_sector(head: bytes) -> bool:
    """The boot mark, and parameters of FAT or a table of partitions."""
    jumps = head[:1] == b"\xe9" or (head[:1] == b"\xeb" and head[2:3] == b"\x90")
    if jumps and _number(head, 11) in SECTOR_SIZES:
        return True
    entries = [head[at : at + 16] for at in PARTITIONS]
    used = [entry for entry in entries if any(entry)]
    return bool(used) and all(_is_partition(entry) for entry in used)


def _is_partition(entry: bytes) -> bool:
    return entry[0] in {0, 0x80} and entry[4] != 0 and any(entry[12:16])


def _is_ext(head: bytes) -> bool:
    """A superblock of ext2 to ext4: its state, and what to do on errors."""
    return _number(head, 0x43A) in EXT_STATES and _number(head, 0x43C) in EXT_ON_ERRORS


def _is_hfs(head: bytes) -> bool:
    """The volume of an old Macintosh: blocks of whole sectors, and a name."""
    block, length = int.from_bytes(head[1044:1048], "big"), head[1060:1061]
    is_named = length in HFS_NAME_LENGTHS
    return is_named and block % SECTOR == 0 < block


K = DetectedKind
_COFF: Final = re.compile(
    b"|".join(re.escape(number.to_bytes(2, "little")) for number in COFF_MACHINES)
    + b"|"
    + COFF_EXTENDED
)
_CHECKS: Final = (
    _Check(K.PROGRAM, 0, re.compile(rb"MZ|ZM"), _is_dos),
    _Check(K.PROGRAM, 0, _COFF, _is_coff),
    _Check(K.PROGRAM, 0, re.compile(rb"\x01[\xdf\xf7]"), _is_xcoff),
    _Check(K.PROGRAM, 0, re.compile(rb"\x80"), _is_omf),
    _Check(K.PROGRAM, 2, re.compile(rb"\r\n"), _is_python),
    _Check(K.PROGRAM, 510, BOOT_MARK, _is_linux),
    _Check(K.ARCHIVE, TAR_SUM.start, OCTAL_FIELD, _is_old_tar),
    _Check(K.ARCHIVE, 0, re.compile(rb"\xc7\x71|\x71\xc7"), _is_binary_cpio),
    _Check(K.DISK_IMAGE, 510, BOOT_MARK, _is_boot_sector),
    _Check(K.DISK_IMAGE, 0x438, re.compile(rb"\x53\xef"), _is_ext),
    _Check(K.DISK_IMAGE, 1024, re.compile(rb"BD"), _is_hfs),
)
_ANY_MARK: Final = re.compile(b"|".join(check.pattern() for check in _CHECKS))
# The marks behind the first bytes, which may be laid over a file of another kind.
LATER_MARKS: Final = tuple(check.pattern() for check in _CHECKS if check.offset)
