"""Types, sizes and contents of attachments (rules 26 to 28)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from clp_core.decisions import ALLOWED, Code, Decision, InvalidValue, Reason
from clp_core.file_names import extension_of, safe_name

EXTENSION: Final = re.compile(r"[a-z0-9]{1,16}", re.ASCII)
MEBIBYTE: Final = 1024 * 1024
GIBIBYTE: Final = 1024 * MEBIBYTE


class DetectedKind(Code):
    """The kind detected from the first bytes of a file, a fact given by the service."""

    UNKNOWN = "unknown"
    TEXT = "text"
    TOO_SHORT = "too_short"
    # Kinds that the published list admits.
    BMP = "bmp"
    CAMERA_RAW = "camera_raw"
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
    SCORE = "score"
    TIFF = "tiff"
    WAV = "wav"
    WEBP = "webp"
    ZIP = "zip"
    # Data of other kinds.
    ARCHIVE = "archive"
    OFFICE = "office"
    XML = "xml"
    # Refused under any name.
    DISK_IMAGE = "disk_image"
    MARKUP = "markup"
    PROGRAM = "program"
    SCRIPT = "script"
    # A known signature that belongs to none of the above.
    OTHER = "other"


# Nothing contradicts the name; a file of a few bytes is one as well.
_UNSIGNED: Final = frozenset(
    {DetectedKind.UNKNOWN, DetectedKind.TEXT, DetectedKind.TOO_SHORT}
)

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
    "mov": frozenset({DetectedKind.QUICKTIME, DetectedKind.ISO_MEDIA}),
    "mxl": frozenset({DetectedKind.SCORE}),
    "pdf": frozenset({DetectedKind.PDF}),
    "png": frozenset({DetectedKind.PNG}),
    "psd": frozenset({DetectedKind.PSD}),
    # Cameras write TIFF and their own kinds; headless samples begin with any bytes.
    "raw": _UNSIGNED | {DetectedKind.CAMERA_RAW, DetectedKind.TIFF},
    "svj": _UNSIGNED,
    "wav": frozenset({DetectedKind.WAV}),
    "webp": frozenset({DetectedKind.WEBP}),
}

PUBLISHED_EXTENSIONS: Final = frozenset(ADMISSIBLE_KINDS)

_TIMED_TEXT: Final = _UNSIGNED | {DetectedKind.XML}
_OFFICE: Final = frozenset({DetectedKind.OFFICE})
# The kinds of extensions that deployments often add.
KINDS_OF_EXTRA_EXTENSIONS: Final[Mapping[str, frozenset[DetectedKind]]] = {
    **dict.fromkeys(("dfxp", "itt", "ttml", "xml"), _TIMED_TEXT),
    **dict.fromkeys(("docx", "odp", "ods", "odt", "pptx", "xlsx"), _OFFICE),
    **dict.fromkeys(("m4a", "m4v", "mp4"), frozenset({DetectedKind.ISO_MEDIA})),
    **dict.fromkeys(("tif", "tiff"), frozenset({DetectedKind.TIFF})),
    "zip": frozenset({DetectedKind.ZIP, DetectedKind.SCORE, DetectedKind.OFFICE}),
}
_KNOWN_KINDS: Final = {**KINDS_OF_EXTRA_EXTENSIONS, **ADMISSIBLE_KINDS}

# Never admitted, whatever a policy says (rule 28).
REFUSED_KINDS: Final = frozenset(
    {
        DetectedKind.DISK_IMAGE,
        DetectedKind.MARKUP,
        DetectedKind.PROGRAM,
        DetectedKind.SCRIPT,
    }
)
# A weak likeness confirms a name only where no listed kind was proven.
UNPROVEN_KINDS: Final = frozenset(
    {DetectedKind.UNKNOWN, DetectedKind.TEXT, DetectedKind.OTHER, DetectedKind.ZIP}
)
# For any other extension that a deployment adds.
HARMLESS_KINDS: Final = (
    frozenset(DetectedKind)
    - REFUSED_KINDS
    - {
        DetectedKind.ARCHIVE,
        DetectedKind.OFFICE,
        DetectedKind.SCORE,
        DetectedKind.XML,
        DetectedKind.ZIP,
    }
)


class QuotaScope(Code):
    """The scope of a daily quota.

    Never a project: one partner would notice the uploads of another (rule 6).
    """

    PERSON = "person"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentPolicy:
    """Limits on attachments; the defaults are the published ones (rules 26 and 27).

    A deployment adds types as `extra_extensions`, and may say in `kinds` which contents
    an extension admits. Sizes are in bytes; the quotas are not published, they bound
    abuse, not work.

    Raises:
        InvalidValue: naming the field, if a limit is below 1, an extension is not
            written in lower-case letters and digits, or `kinds` admits what is refused
            under any name (rule 28).
    """

    max_bytes: int = 10 * MEBIBYTE
    max_per_message: int = 10
    files_a_day_per_person: int = 500
    bytes_a_day_per_person: int = 2 * GIBIBYTE
    files_a_day_per_channel: int = 2_000
    bytes_a_day_per_channel: int = 8 * GIBIBYTE
    bytes_held_per_partner: int = 100 * GIBIBYTE
    extensions: frozenset[str] = PUBLISHED_EXTENSIONS
    extra_extensions: frozenset[str] = frozenset()
    kinds: Mapping[str, frozenset[DetectedKind]] = field(
        default_factory=dict[str, frozenset[DetectedKind]], hash=False
    )

    def __post_init__(self) -> None:
        """A limit that admits nothing, or an impossible extension, is a mistake."""
        for name in LIMITS:
            if getattr(self, name) < 1:
                raise InvalidValue(f"{name}: must be at least 1")
        for name in ("extensions", "extra_extensions", "kinds"):
            for extension in sorted(getattr(self, name)):
                if not EXTENSION.fullmatch(extension):
                    raise InvalidValue(
                        f"{name}: {extension!r} is not written in"
                        " lower-case letters and digits without a dot"
                    )
        for extension, kinds in self.kinds.items():
            if refused := sorted(kinds & REFUSED_KINDS):
                raise InvalidValue(f"kinds: {extension} may not admit {refused[0]}")

    @property
    def accepted_extensions(self) -> frozenset[str]:
        """Every extension that may be attached."""
        return self.extensions | self.extra_extensions

    def admissible_kinds(self, extension: str) -> frozenset[DetectedKind]:
        """The kinds of content admitted under an extension (rule 28)."""
        known = self.kinds if extension in self.kinds else _KNOWN_KINDS
        return known.get(extension, HARMLESS_KINDS)

    def with_extension(self, extension: str) -> Self:
        """The same policy, one extension wider."""
        return replace(self, extra_extensions=self.extra_extensions | {extension})


LIMITS: Final = (
    "max_bytes",
    "max_per_message",
    "files_a_day_per_person",
    "bytes_a_day_per_person",
    "files_a_day_per_channel",
    "bytes_a_day_per_channel",
    "bytes_held_per_partner",
)
PUBLISHED_ATTACHMENTS: Final = AttachmentPolicy()


def judge_name(name: str, policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS) -> Decision:
    """A name must be safe, and its last extension on the list (rules 27 and 29).

    The detail of a refusal is that of `safe_name`, or has the ``extension`` and the
    list of ``extensions``.
    """
    safe = safe_name(name)
    if isinstance(safe, Decision):
        return safe
    if extension_of(safe) in policy.accepted_extensions:
        return ALLOWED
    detail = {
        "extension": extension_of(safe),
        "extensions": sorted(policy.accepted_extensions),
    }
    return Decision(Reason.ATTACHMENT_TYPE_REFUSED, detail=detail)


def judge_size(size: int, policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS) -> Decision:
    """Require one byte to the limit, inclusive (rule 26).

    The detail of a refusal of too large a file has ``max_bytes``.
    """
    if size < 1:
        return Decision(Reason.ATTACHMENT_EMPTY)
    if size > policy.max_bytes:
        detail = {"max_bytes": policy.max_bytes}
        return Decision(Reason.ATTACHMENT_TOO_LARGE, detail=detail)
    return ALLOWED


def judge_upload(
    name: str, size: int | None, policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS
) -> Decision:
    """Judge all that is known before the first byte of a file (rules 26, 27 and 29).

    `size` is the declared one in bytes, None if it was not declared.
    """
    if not (naming := judge_name(name, policy)) or size is None:
        return naming
    return judge_size(size, policy)


def judge_count(
    count: int, policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS
) -> Decision:
    """Bound the attachments of a message (rule 26).

    The detail of a refusal has ``max_files`` and the number of ``files``.
    """
    if count > policy.max_per_message:
        detail = {"max_files": policy.max_per_message, "files": count}
        return Decision(Reason.ATTACHMENT_TOO_MANY, detail=detail)
    return ALLOWED


def judge_daily_quota(
    scope: QuotaScope,
    *,
    files: int,
    size: int,
    policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS,
) -> Decision:
    """Bound the files and bytes of a day, the new file included (no published rule).

    `size` is in bytes. The detail of a refusal has the ``scope``, ``max_files`` and
    ``max_bytes``.

    >>> judge_daily_quota(QuotaScope.PERSON, files=501, size=1)
    Decision(reason=Reason.ATTACHMENT_QUOTA_SPENT)
    """
    max_files, max_bytes = {
        QuotaScope.PERSON: (
            policy.files_a_day_per_person,
            policy.bytes_a_day_per_person,
        ),
        QuotaScope.CHANNEL: (
            policy.files_a_day_per_channel,
            policy.bytes_a_day_per_channel,
        ),
    }[scope]
    if files > max_files or size > max_bytes:
        detail = {"scope": str(scope), "max_files": max_files, "max_bytes": max_bytes}
        return Decision(Reason.ATTACHMENT_QUOTA_SPENT, detail=detail)
    return ALLOWED


def judge_held_bytes(
    size: int, policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS
) -> Decision:
    """Bound what the people of one partner hold in the store, the new file included.

    `size` is in bytes, and so is ``max_bytes`` in the detail of a refusal. The studio
    is not bounded: nobody else pays for its files (no published rule).
    """
    if size > policy.bytes_held_per_partner:
        detail = {"max_bytes": policy.bytes_held_per_partner}
        return Decision(Reason.ATTACHMENT_PARTNER_QUOTA_SPENT, detail=detail)
    return ALLOWED


def judge_content(
    name: str,
    detected: DetectedKind,
    policy: AttachmentPolicy = PUBLISHED_ATTACHMENTS,
    *,
    likeness: frozenset[DetectedKind] = frozenset(),
) -> Decision:
    """The bytes must not contradict the name (rule 28).

    `name` is a safe one. `detected` is the kind of a strong signature. `likeness` are
    kinds that the bytes resemble weakly: they may confirm a name, and refuse nothing.
    The detail of a refusal has the kind that was ``detected``.

    >>> judge_content("list.csv", DetectedKind.PNG).detail
    {'detected': 'png'}
    """
    admitted = policy.admissible_kinds(extension_of(name))
    if detected in admitted:
        return ALLOWED
    if detected in UNPROVEN_KINDS and not likeness.isdisjoint(admitted):
        return ALLOWED
    detail = {"detected": str(detected)}
    return Decision(Reason.ATTACHMENT_CONTENT_MISMATCH, detail=detail)


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
    return judge_content(str(safe_name(name)), detected, policy)
