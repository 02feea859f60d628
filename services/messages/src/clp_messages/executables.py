"""Compiled programs with a short signature, checked by the fields of their header."""

from typing import Final

WINDOWS_HEADERS: Final = (b"PE\x00\x00", b"NE", b"LE", b"LX")
# Machines of COFF: 386, x86-64, ARM, ARM64, Itanium.
COFF_MACHINES: Final = frozenset({0x14C, 0x8664, 0x1C0, 0x1C4, 0xAA64, 0x200})
# A DOS header: bytes in the last page, pages, and paragraphs of the header itself.
PAGE: Final = 512
LINKER_BYTES: Final = 0x90  # what most linkers write
PAGES: Final = range(1, 0x801)
PARAGRAPHS: Final = range(2, 0x201)
MAX_SECTIONS: Final = 96
# Magic numbers of Python's bytecode, before "\r\n".
PYTHON_3: Final = range(3000, 4000)
PYTHON_2: Final = range(50000, 63000)


def is_program(head: bytes) -> bool:
    """Whether the head is that of a DOS, Windows, COFF or Python program."""
    return _is_dos(head) or _is_coff(head) or _is_python(head)


def _number(head: bytes, at: int, size: int = 2) -> int:
    return int.from_bytes(head[at : at + size], "little")


def _is_dos(head: bytes) -> bool:
    """``MZ`` and a header whose fields have sense: sizes of pages and paragraphs."""
    if head[:2] not in {b"MZ", b"ZM"}:
        return False
    if head.startswith(WINDOWS_HEADERS, _number(head, 0x3C, 4)):
        return True
    bytes_in_page, pages, paragraphs = (_number(head, at) for at in (2, 4, 8))
    if bytes_in_page == LINKER_BYTES:
        return True
    return bytes_in_page < PAGE and pages in PAGES and paragraphs in PARAGRAPHS


def _is_coff(head: bytes) -> bool:
    """An object file: a known machine, few sections, the first with a dot."""
    sections, optional = _number(head, 2), _number(head, 16)
    return (
        _number(head, 0) in COFF_MACHINES
        and 1 <= sections <= MAX_SECTIONS
        and optional == 0
        and head[20:21] == b"."
        and head[21:22].isalpha()
    )


def _is_python(head: bytes) -> bool:
    magic = _number(head, 0)
    return head[2:4] == b"\r\n" and (magic in PYTHON_3 or magic in PYTHON_2)
