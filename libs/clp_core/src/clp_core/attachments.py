"""Names, types, sizes and contents of attachments (rules 26 to 29)."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NewType, Self

from clp_core.decisions import ALLOWED, Code, Decision, InvalidValue, Reason

AttachmentName = NewType("AttachmentName", str)

EXTENSION: Final = re.compile(r"[a-z0-9]{1,16}", re.ASCII)
MEBIBYTE: Final = 1024 * 1024
GIBIBYTE: Final = 1024 * MEBIBYTE
MAX_NAME_BYTES: Final = 255


class DetectedKind(Code):
    """The kind detected from the first bytes of a file, a fact given by the service."""

    UNKNOWN = "unknown"
    TEXT = "text"
    TOO_SHORT = "too_short"
    # Kinds that the published list admits.
    BMP = "bmp"
    GIF = "gif"
    HEIF = "heif"
    INDESIGN = "indesign"
    ISO_MEDIA = "iso_media"
    JPEG = "jpeg"
    PDF = "pdf"
    PNG = "png"
    POSTSCRIPT = "postscript"
    PSD = "psd"
    QUICKTIME = "quicktime"
    TIFF = "tiff"
    WAV = "wav"
    WEBP = "webp"
    ZIP = "zip"
    # Refused under any name.
    PROGRAM = "program"
    SCRIPT = "script"
    MARKUP = "markup"
    ARCHIVE = "archive"
    # A known signature that belongs to none of the above.
    OTHER = "other"


_UNSIGNED: Final = frozenset({DetectedKind.UNKNOWN, DetectedKind.TEXT})

# The kinds admitted under each extension. Without UNKNOWN, files of the type always
# have a signature.
ADMISSIBLE_KINDS: Final[Mapping[str, frozenset[DetectedKind]]] = {
    "ai": frozenset({DetectedKind.PDF, DetectedKind.POSTSCRIPT}),
    "bmp": frozenset({DetectedKind.BMP}),
    "csv": _UNSIGNED,
    "eps": frozenset({DetectedKind.POSTSCRIPT}),
    "gif": frozenset({DetectedKind.GIF}),
    "heif": frozenset({DetectedKind.HEIF}),
    "ind": _UNSIGNED | {DetectedKind.INDESIGN},
    "jpeg": frozenset({DetectedKind.JPEG}),
    "jpg": frozenset({DetectedKind.JPEG}),
    # Older films start with any atom: a missing signature proves nothing.
    "mov": frozenset(
        {DetectedKind.QUICKTIME, DetectedKind.ISO_MEDIA, DetectedKind.UNKNOWN}
    ),
    "mxl": frozenset({DetectedKind.ZIP}),
    "pdf": frozenset({DetectedKind.PDF}),
    "png": frozenset({DetectedKind.PNG}),
    "psd": frozenset({DetectedKind.PSD}),
    # Camera and recorder formats; many are TIFF.
    "raw": _UNSIGNED | {DetectedKind.TIFF, DetectedKind.ISO_MEDIA},
    "svj": _UNSIGNED,
    "wav": frozenset({DetectedKind.WAV}),
    "webp": frozenset({DetectedKind.WEBP}),
}

PUBLISHED_EXTENSIONS: Final = frozenset(ADMISSIBLE_KINDS)

# For extensions added by a deployment.
HARMLESS_KINDS: Final = frozenset(DetectedKind) - {
    DetectedKind.TOO_SHORT,
    DetectedKind.PROGRAM,
    DetectedKind.SCRIPT,
    DetectedKind.MARKUP,
    DetectedKind.ARCHIVE,
    DetectedKind.ZIP,
}


class QuotaScope(Code):
    """The scope of a daily quota.

    Never a project: one partner would notice the uploads of another (rule 6).
    """

    PERSON = "person"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentPolicy:
    """Limits on attachments; the defaults are the published ones (rules 26 and 27).

    The daily quotas are not published; they bound abuse, not work.
    """

    max_bytes: int = 10 * MEBIBYTE
    max_per_message: int = 10
    files_a_day_per_person: int = 500
    bytes_a_day_per_person: int = 2 * GIBIBYTE
    files_a_day_per_channel: int = 2_000
    bytes_a_day_per_channel: int = 8 * GIBIBYTE
    extensions: frozenset[str] = PUBLISHED_EXTENSIONS

    def __post_init__(self) -> None:
        """A limit that admits nothing, or an impossible extension, is a mistake."""
        for name in LIMITS:
            if getattr(self, name) < 1:
                raise InvalidValue(f"{name}: must be at least 1")
        for extension in sorted(self.extensions):
            if not EXTENSION.fullmatch(extension):
                raise InvalidValue(
                    f"extensions: {extension!r} is not written in"
                    " lower-case letters and digits without a dot"
                )

    def with_extension(self, extension: str) -> Self:
        """The same policy, one extension wider."""
        return replace(self, extensions=self.extensions | {extension})


LIMITS: Final = (
    "max_bytes",
    "max_per_message",
    "files_a_day_per_person",
    "bytes_a_day_per_person",
    "files_a_day_per_channel",
    "bytes_a_day_per_channel",
)
PUBLISHED_ATTACHMENTS: Final = AttachmentPolicy()

NAME_UNSAFE: Final = Decision(Reason.ATTACHMENT_NAME_UNSAFE)

# NUL truncates names, a surrogate or replacement character shows invalid UTF-8, and a
# colon names an NTFS stream: the intended name is unknown.
_BEYOND_REPAIR: Final = re.compile("[\x00\ud800-\udfff\ufffd:]")
_PATH_PARTS: Final = re.compile(r"[/\\]")
_CONTROLS: Final = re.compile(
    "[\x01-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_BLANK_OR_INVISIBLE: Final = (
    " \xa0\xad\u061c\u115f\u1160\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u202f\u205f\u2060\u2061"
    "\u2062\u2063\u2064\u2800\u3000\u3164\ufeff\uffa0"
)
_DOT_AND_BLANK_CHAIN: Final = re.compile(rf"\.[{_BLANK_OR_INVISIBLE}]+\.")
# Windows reserves these device names, with any extension.
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3])[ ]*(?:\.|\Z)",
    re.IGNORECASE,
)


def safe_name(name: str) -> AttachmentName | Decision:
    """The safe name of an attachment, or a refusal (rule 29).

    >>> safe_name("../cue\u202esheet.pdf ")
    'cuesheet.pdf'
    >>> safe_name(".pdf")
    Decision(reason=Reason.ATTACHMENT_NAME_UNSAFE)
    """
    if _BEYOND_REPAIR.search(name):
        return NAME_UNSAFE
    last_part = _PATH_PARTS.split(name)[-1]
    shown = unicodedata.normalize("NFC", _CONTROLS.sub("", last_part))
    kept = shown.lstrip(_BLANK_OR_INVISIBLE).rstrip(_BLANK_OR_INVISIBLE + ".")
    if _DOT_AND_BLANK_CHAIN.search(kept):
        return NAME_UNSAFE
    fitting = _cut_to_fit(kept)
    if not _stem_of(fitting).strip(_BLANK_OR_INVISIBLE + ".") or _DEVICE.match(fitting):
        return NAME_UNSAFE
    return AttachmentName(fitting)


def extension_of(name: str) -> str:
    """The text after the last dot, in lower case (rule 27).

    >>> extension_of("setup.exe.PDF")
    'pdf'
    """
    _, dot, extension = name.rpartition(".")
    return extension.lower() if dot else ""


def _stem_of(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem if dot else extension


def _cut_to_fit(name: str) -> str:
    """Cut the stem, not the extension, between grapheme clusters."""
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    extension = name[len(_stem_of(name)) :]
    room = MAX_NAME_BYTES - len(extension.encode())
    if room < 1:
        return ""
    stem = _stem_of(name).encode()[:room].decode(errors="ignore")
    return _without_torn_letter(stem, name) + extension


def _without_torn_letter(stem: str, name: str) -> str:
    """Drop a trailing base letter with its marks and joined letters."""
    end = len(stem)
    while end and (_is_joined(name[end]) or name[end - 1] == "\u200d"):
        end -= 1
    return stem[:end].rstrip(_BLANK_OR_INVISIBLE + ".")


def _is_joined(letter: str) -> bool:
    return letter == "\u200d" or unicodedata.category(letter).startswith("M")


def judge_name(name: str, policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS) -> Decision:
    """A name must be safe, and its last extension on the list (rules 27 and 29)."""
    safe = safe_name(name)
    if isinstance(safe, Decision):
        return safe
    if extension_of(safe) in policy.extensions:
        return ALLOWED
    return Decision(Reason.ATTACHMENT_TYPE_REFUSED)


def judge_size(size: int, policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS) -> Decision:
    """Require one byte to the limit, inclusive (rule 26)."""
    if size < 1:
        return Decision(Reason.ATTACHMENT_EMPTY)
    if size > policy.max_bytes:
        return Decision(Reason.ATTACHMENT_TOO_LARGE)
    return ALLOWED


def judge_count(
    count: int, policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS
) -> Decision:
    """Bound the attachments of a message (rule 26)."""
    if count > policy.max_per_message:
        return Decision(Reason.ATTACHMENT_TOO_MANY)
    return ALLOWED


def judge_daily_quota(
    scope: QuotaScope,
    *,
    files: int,
    size: int,
    policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS,
) -> Decision:
    """Bound the files and bytes of a day, the new file included.

    >>> judge_daily_quota(QuotaScope.PERSON, files=501, size=1)
    Decision(reason=Reason.ATTACHMENT_QUOTA_SPENT)
    """
    most_files, most_bytes = {
        QuotaScope.PERSON: (
            policy.files_a_day_per_person,
            policy.bytes_a_day_per_person,
        ),
        QuotaScope.CHANNEL: (
            policy.files_a_day_per_channel,
            policy.bytes_a_day_per_channel,
        ),
    }[scope]
    if files > most_files or size > most_bytes:
        return Decision(Reason.ATTACHMENT_QUOTA_SPENT)
    return ALLOWED


def judge_content(name: str, detected: DetectedKind) -> Decision:
    """The bytes must not contradict the name (rule 28)."""
    if detected in ADMISSIBLE_KINDS.get(extension_of(name), HARMLESS_KINDS):
        return ALLOWED
    return Decision(Reason.ATTACHMENT_CONTENT_MISMATCH)


def judge_attachment(
    name: str,
    size: int,
    detected: DetectedKind,
    *,
    policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS,
) -> Decision:
    """Judge name, size and content, in this order (rules 26 to 29).

    >>> judge_attachment("mix.pdf", 2048, DetectedKind.PDF)
    Decision(reason=Reason.ALLOWED)
    >>> judge_attachment("mix.pdf", 2048, DetectedKind.PROGRAM)
    Decision(reason=Reason.ATTACHMENT_CONTENT_MISMATCH)
    """
    if not (naming := judge_name(name, policy)):
        return naming
    if not (sizing := judge_size(size, policy)):
        return sizing
    return judge_content(str(safe_name(name)), detected)
