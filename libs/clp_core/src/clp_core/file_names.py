"""Names of attachments, made safe for every file system (rule 29)."""

import re
from typing import Final, NewType
from unicodedata import category

from clp_core.decisions import Decision, Reason
from clp_core.normalization import normalized
from clp_core.visible_text import INVISIBLE, code_point

AttachmentName = NewType("AttachmentName", str)

MAX_NAME_BYTES: Final = 255

# NUL truncates names, a surrogate or replacement character shows invalid UTF-8: the
# intended name is unknown. A colon after an extension names an NTFS stream.
_BEYOND_REPAIR: Final = re.compile(r"[\x00\ud800-\udfff\ufffd]|\.[A-Za-z]+:")
# Control characters, line separators, and everything that sets a direction.
_DROPPED: Final = re.compile(
    "[\x01-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_BLANK: Final = rf"\s{INVISIBLE}"
_FILLER: Final = re.compile(f"[{INVISIBLE}]")
_PATH_END: Final = re.compile(r"[/\\]\Z")
_LEADING: Final = re.compile(rf"\A[{_BLANK}]+")
_TRAILING: Final = re.compile(rf"[{_BLANK}.]+\Z")
_TO_TRIM: Final = re.compile(rf"[{_BLANK}]|(?s:.*)[{_BLANK}.]\Z")
_DOT_AND_BLANK_CHAIN: Final = re.compile(rf"\.([{_BLANK}])[{_BLANK}]*\.")
# Windows reserves these device names, with any extension.
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|(?:clock|conin|conout)\$|(?:com|lpt)[0-9\xb9\xb2\xb3])[ ]*"
    r"(?:\.|\Z)",
    re.IGNORECASE,
)
# Most names need nothing done: no character to drop, no blank or dot at an end.
_PLAIN: Final = rf"[^\s.\x00-\x20\x7f-\x9f\ud800-\udfff\ufffd{INVISIBLE}]"
_SAFE_AS_GIVEN: Final = re.compile(
    rf"(?!(?i:{_DEVICE.pattern})){_PLAIN}"
    rf"(?:{_PLAIN}++| |\.(?! |[A-Za-z]+:))*+(?<![ .])"
)


def safe_name(name: str) -> AttachmentName | Decision:
    r"""The safe name of an attachment, or a refusal (rule 29).

    The detail of a refusal has the ``character`` at fault as ``U+003A``, the
    ``reserved`` name, or the ``max_bytes`` that the extension alone exceeds; it is
    empty if nothing at all stands before the extension.

    >>> safe_name("C:\\fakepath\\cue\u202esheet.pdf ")
    'cuesheet.pdf'
    >>> safe_name("Mission: Impossible.pdf")
    'Mission: Impossible.pdf'
    >>> safe_name("setup.exe:a.pdf").detail
    {'character': 'U+003A'}
    """
    last_part = name.rpartition("/")[2].rpartition("\\")[2]
    composed = normalized("NFC", last_part)
    if _SAFE_AS_GIVEN.fullmatch(composed) and _fits(composed):
        return AttachmentName(composed)
    if found := _BEYOND_REPAIR.search(last_part):
        return _unsafe(character=code_point(found[0][-1]))
    return _made_safe(last_part) if last_part else _without_visible_stem(name)


def extension_of(name: str) -> str:
    """The text after the last dot, in lower case (rule 27).

    >>> extension_of("setup.exe.PDF")
    'pdf'
    """
    _, dot, extension = name.rpartition(".")
    return extension.lower() if dot else ""


def _made_safe(name: str) -> AttachmentName | Decision:
    """Drop and cut what may not stay; refuse what then is no safe name."""
    kept = _trimmed(normalized("NFC", _DROPPED.sub("", name)))
    if chain := _DOT_AND_BLANK_CHAIN.search(kept):
        return _unsafe(character=code_point(chain[1]))
    if not _trimmed(_stem_of(kept)):
        return _without_visible_stem(name)
    if not (fitting := _cut_to_fit(kept)):
        return _unsafe(max_bytes=MAX_NAME_BYTES)
    if device := _DEVICE.match(fitting):
        return _unsafe(reserved=device[0].rstrip(" ."))
    return AttachmentName(fitting)


def _unsafe(**detail: object) -> Decision:
    return Decision(Reason.ATTACHMENT_NAME_UNSAFE, detail=detail)


def _without_visible_stem(name: str) -> Decision:
    """Name the invisible character, or the end of a path, where a name should stand."""
    found = _FILLER.search(name) or _PATH_END.search(name)
    return _unsafe(character=code_point(found[0])) if found else _unsafe()


def _trimmed(name: str) -> str:
    return _TRAILING.sub("", _LEADING.sub("", name)) if _TO_TRIM.match(name) else name


def _stem_of(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem if dot else extension


def _fits(name: str) -> bool:
    return len(name.encode()) <= MAX_NAME_BYTES


def _cut_to_fit(name: str) -> str:
    """Cut the stem, not the extension, between grapheme clusters."""
    if _fits(name):
        return name
    extension = name[len(_stem_of(name)) :]
    room = MAX_NAME_BYTES - len(extension.encode())
    if room < 1:
        return ""
    stem = _stem_of(name).encode()[:room].decode(errors="ignore")
    kept = _without_torn_letter(stem, name)
    return kept + extension if kept else ""


def _without_torn_letter(stem: str, name: str) -> str:
    """Drop a trailing base letter with its marks and joined letters.

    One letter with more marks than fit is cut between them.
    """
    end = len(stem)
    while end and (_is_joined(name[end]) or name[end - 1] == "\u200d"):
        end -= 1
    return _TRAILING.sub("", stem[:end]) or _TRAILING.sub("", stem)


def _is_joined(letter: str) -> bool:
    return letter == "\u200d" or category(letter).startswith("M")
