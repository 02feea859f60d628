"""Rules 26 to 29: names, sizes, extensions, and bytes that contradict them."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from clp_core.attachments import (
    ADMISSIBLE_KINDS,
    GIBIBYTE,
    HARMLESS_KINDS,
    KINDS_OF_EXTRA_EXTENSIONS,
    LIMITS,
    PUBLISHED_ATTACHMENTS,
    PUBLISHED_EXTENSIONS,
    AttachmentPolicy,
    DetectedKind,
    QuotaScope,
    judge_attachment,
    judge_content,
    judge_count,
    judge_daily_quota,
    judge_name,
    judge_size,
    judge_upload,
)
from clp_core.decisions import Decision, InvalidValue, Reason
from clp_core.file_names import extension_of

UNSAFE = Decision(Reason.ATTACHMENT_NAME_UNSAFE)

EXTENSIONS = [
    # name              the extension that decides
    ("a.pdf", "pdf"),
    ("PHOTO.JPG", "jpg"),
    ("photo.JpEg", "jpeg"),
    ("a.pdf.exe", "exe"),
    ("a.exe.pdf", "pdf"),
    ("a", ""),
    ("a.", ""),
    ("script.\u0440df", "\u0440df"),
    ("script.pdf\uff0eexe", "pdf\uff0eexe"),
    ("script\u2024pdf", ""),
    ("a.\u017fvj", "\u017fvj"),
]


@pytest.mark.parametrize(("name", "extension"), EXTENSIONS)
def test_the_last_extension_decides_whatever_its_case(
    name: str, extension: str
) -> None:
    assert extension_of(name) == extension
    admitted = extension in PUBLISHED_EXTENSIONS
    expected = Reason.ALLOWED if admitted else Reason.ATTACHMENT_TYPE_REFUSED
    assert judge_name(name).reason is expected


def test_the_published_list_has_eighteen_extensions() -> None:
    published = (
        "ai bmp csv eps gif heif ind jpeg jpg mov mxl pdf png psd raw svj wav webp"
    )
    assert sorted(PUBLISHED_EXTENSIONS) == published.split()
    assert len(PUBLISHED_EXTENSIONS) == 18
    for extension in PUBLISHED_EXTENSIONS:
        assert judge_name(f"file.{extension}")
        assert judge_name(f"FILE.{extension.upper()}")


@pytest.mark.parametrize(
    "extension", ["exe", "svg", "html", "zip", "heic", "tiff", "txt"]
)
def test_what_is_not_on_the_list_is_refused(extension: str) -> None:
    assert judge_name(f"file.{extension}").reason is Reason.ATTACHMENT_TYPE_REFUSED


SIZES = [
    # bytes           decision
    (-1, Reason.ATTACHMENT_EMPTY),
    (0, Reason.ATTACHMENT_EMPTY),
    (1, Reason.ALLOWED),
    (10_485_760, Reason.ALLOWED),
    (10_485_761, Reason.ATTACHMENT_TOO_LARGE),
]


@pytest.mark.parametrize(("size", "reason"), SIZES)
def test_a_file_has_one_byte_to_ten_mebibytes(size: int, reason: Reason) -> None:
    assert judge_size(size).reason is reason
    assert judge_attachment("a.pdf", size, DetectedKind.PDF).reason is reason


def test_a_message_carries_ten_files_at_most() -> None:
    assert judge_count(0)
    assert judge_count(10)
    assert judge_count(11).reason is Reason.ATTACHMENT_TOO_MANY


K = DetectedKind
FREE = {K.UNKNOWN, K.TEXT, K.TOO_SHORT}
# Written from rule 28: the kinds of file that each published extension stands for.
SHOWN_UNDER = {
    "ai": {K.PDF, K.POSTSCRIPT}, "bmp": {K.BMP}, "csv": FREE, "eps": {K.POSTSCRIPT},
    "gif": {K.GIF}, "heif": {K.HEIF}, "ind": FREE | {K.INDESIGN}, "jpeg": {K.JPEG},
    "jpg": {K.JPEG}, "mov": {K.QUICKTIME, K.ISO_MEDIA}, "mxl": {K.SCORE},
    "pdf": {K.PDF}, "png": {K.PNG}, "psd": {K.PSD}, "svj": FREE, "wav": {K.WAV},
    "raw": FREE | {K.TIFF, K.CAMERA_RAW}, "webp": {K.WEBP},
}  # fmt: skip


@pytest.mark.parametrize("extension", sorted(PUBLISHED_EXTENSIONS))
@pytest.mark.parametrize("detected", DetectedKind)
def test_the_bytes_must_not_contradict_the_name(
    extension: str, detected: DetectedKind
) -> None:
    name = f"File.{extension.upper()}"
    fits = detected in SHOWN_UNDER[extension]
    expected = Reason.ALLOWED if fits else Reason.ATTACHMENT_CONTENT_MISMATCH
    assert judge_content(name, detected).reason is expected
    assert judge_attachment(name, 9, detected).reason is expected


DISGUISES = {K.PROGRAM, K.SCRIPT, K.MARKUP, K.DISK_IMAGE}


def test_nothing_comes_in_disguise_under_any_name() -> None:
    for extension, kinds in ADMISSIBLE_KINDS.items():
        assert not kinds & DISGUISES, extension
        assert K.ZIP not in kinds, extension
    packed = {K.ZIP, K.SCORE, K.OFFICE, K.ARCHIVE, K.XML}
    assert set(DetectedKind) - HARMLESS_KINDS == DISGUISES | packed
    for extension, kinds in KINDS_OF_EXTRA_EXTENSIONS.items():
        assert not kinds & (DISGUISES | {K.ARCHIVE}), extension


def test_the_judgement_looks_at_the_safe_name() -> None:
    assert judge_attachment("art.exe/cover.PNG. ", 9, K.PNG)
    assert (
        judge_attachment("a.png/x.pdf", 9, K.PNG).reason
        is Reason.ATTACHMENT_CONTENT_MISMATCH
    )


def test_the_name_is_judged_first_then_the_size_then_the_content() -> None:
    assert (
        judge_attachment("a.exe", 0, K.PROGRAM).reason is Reason.ATTACHMENT_TYPE_REFUSED
    )
    assert judge_attachment("a.pdf", 0, K.PROGRAM).reason is Reason.ATTACHMENT_EMPTY


def test_limits_and_extensions_are_policy() -> None:
    narrow = AttachmentPolicy(
        max_bytes=4, max_per_message=1, extensions=frozenset({"pdf"})
    )
    assert judge_size(4, narrow)
    assert not judge_size(5, narrow)
    assert judge_count(1, narrow)
    assert not judge_count(2, narrow)
    assert not judge_name("a.png", narrow)
    assert judge_attachment("a.pdf", 4, K.PDF, policy=narrow)
    assert not judge_attachment("a.pdf", 5, K.PDF, policy=narrow)
    assert not judge_attachment("a.png", 4, K.PNG, policy=narrow)


def test_a_deployment_adds_an_extension_and_no_disguise_with_it() -> None:
    wider = PUBLISHED_ATTACHMENTS.with_extension("srt")
    assert wider.accepted_extensions == PUBLISHED_EXTENSIONS | {"srt"}
    assert wider.max_bytes == PUBLISHED_ATTACHMENTS.max_bytes
    assert judge_attachment("subs.srt", 9, K.TEXT, policy=wider)
    assert judge_attachment("subs.srt", 9, K.OTHER, policy=wider)
    for disguise in DISGUISES | {K.ZIP}:
        assert not judge_attachment("subs.srt", 9, disguise, policy=wider)
    assert not judge_name("subs.srt"), "the published policy is untouched"


def test_the_published_attachment_policy() -> None:
    assert AttachmentPolicy() == PUBLISHED_ATTACHMENTS
    assert PUBLISHED_ATTACHMENTS.max_bytes == 10_485_760
    assert PUBLISHED_ATTACHMENTS.max_per_message == 10
    assert PUBLISHED_ATTACHMENTS.extensions == PUBLISHED_EXTENSIONS


# scope                | files | bytes             | allowed
DAYS = [
    (QuotaScope.PERSON, 500, 2 * GIBIBYTE, True),
    (QuotaScope.PERSON, 501, 1, False),
    (QuotaScope.PERSON, 1, 2 * GIBIBYTE + 1, False),
    (QuotaScope.CHANNEL, 2_000, 8 * GIBIBYTE, True),
    (QuotaScope.CHANNEL, 2_001, 1, False),
    (QuotaScope.CHANNEL, 1, 8 * GIBIBYTE + 1, False),
]


@pytest.mark.parametrize(("scope", "files", "size", "allowed"), DAYS)
def test_what_a_day_brings_is_bounded(
    scope: QuotaScope, files: int, size: int, *, allowed: bool
) -> None:
    decision = judge_daily_quota(scope, files=files, size=size)
    assert bool(decision) is allowed
    assert allowed or decision.reason is Reason.ATTACHMENT_QUOTA_SPENT


def test_a_days_limits_are_policy() -> None:
    for scope in QuotaScope:
        narrow = replace(
            PUBLISHED_ATTACHMENTS,
            **{f"files_a_day_per_{scope}": 1, f"bytes_a_day_per_{scope}": 9},
        )
        assert judge_daily_quota(scope, files=1, size=9, policy=narrow)
        assert not judge_daily_quota(scope, files=2, size=9, policy=narrow)
        assert not judge_daily_quota(scope, files=1, size=10, policy=narrow)
        (other,) = set(QuotaScope) - {scope}
        assert judge_daily_quota(other, files=2, size=10, policy=narrow)


def test_every_number_of_the_policy_is_a_limit() -> None:
    numbers = {
        f.name for f in fields(AttachmentPolicy) if f.type == "int" or f.type is int
    }
    assert set(LIMITS) == numbers


def with_limit(field: str, limit: int) -> AttachmentPolicy:
    limits: dict[str, Any] = {field: limit}
    return replace(PUBLISHED_ATTACHMENTS, **limits)


@pytest.mark.parametrize("field", LIMITS)
def test_a_limit_that_admits_nothing_is_a_mistake(field: str) -> None:
    assert getattr(with_limit(field, 1), field) == 1
    with pytest.raises(InvalidValue, match=rf"^{field}: must be at least 1$"):
        with_limit(field, 0)


@pytest.mark.parametrize(
    "extension", ["", ".pdf", "PDF", "p df", "p/f", "é", "x" * 17, "pdf\n"]
)
def test_an_extension_nobody_can_have_is_a_mistake(extension: str) -> None:
    with pytest.raises(InvalidValue) as problem:
        PUBLISHED_ATTACHMENTS.with_extension(extension)
    assert str(problem.value) == (
        f"extra_extensions: {extension!r} is not written in"
        " lower-case letters and digits without a dot"
    )


def test_an_extension_may_be_long_or_a_digit() -> None:
    for extension in ("x" * 16, "7"):
        wider = PUBLISHED_ATTACHMENTS.with_extension(extension)
        assert extension in wider.accepted_extensions


def test_a_weak_likeness_confirms_a_name_and_refuses_nothing() -> None:
    likeness = frozenset({K.PDF})

    assert judge_content("a.pdf", K.UNKNOWN, likeness=likeness)
    assert judge_content("a.pdf", K.TEXT, likeness=likeness)
    assert judge_content("a.csv", K.TEXT, likeness=likeness)
    assert not judge_content("a.png", K.UNKNOWN, likeness=likeness)
    assert not judge_content("a.pdf", K.PROGRAM, likeness=likeness)


UNPROVEN = {K.UNKNOWN, K.TEXT, K.OTHER, K.ZIP}


@pytest.mark.parametrize("detected", sorted(set(DetectedKind) - {K.PDF}))
def test_a_weak_likeness_never_outweighs_proof(detected: DetectedKind) -> None:
    judgement = judge_content("a.pdf", detected, likeness=frozenset({K.PDF}))

    assert bool(judgement) is (detected in UNPROVEN)


def test_what_is_known_before_the_first_byte_is_judged_by_the_policy() -> None:
    policy = AttachmentPolicy(max_bytes=3).with_extension("srt")

    assert judge_upload("a.srt", 3, policy)
    assert judge_upload("a.srt", 4, policy).reason is Reason.ATTACHMENT_TOO_LARGE


def test_what_is_known_before_the_first_byte_is_judged_at_once() -> None:
    assert judge_upload("a.pdf", None)
    assert judge_upload("a.pdf", 1)
    assert judge_upload("a.exe", 1).reason is Reason.ATTACHMENT_TYPE_REFUSED
    assert judge_upload("a.exe", None).reason is Reason.ATTACHMENT_TYPE_REFUSED
    assert judge_upload("a.pdf", 0).reason is Reason.ATTACHMENT_EMPTY


EXTRA = [
    # extension, kind, admitted
    ("srt", K.TEXT, True),
    ("ttml", K.XML, True),
    ("ttml", K.MARKUP, False),
    ("docx", K.OFFICE, True),
    ("docx", K.ZIP, False),
    ("zip", K.ZIP, True),
    ("zip", K.PROGRAM, False),
    ("mp4", K.ISO_MEDIA, True),
    ("unheard", K.OTHER, True),
    ("unheard", K.ARCHIVE, False),
    ("pdf", K.PDF, True),
]


@pytest.mark.parametrize(("extension", "kind", "admitted"), EXTRA)
def test_a_policy_that_adds_extensions_admits_their_kinds(
    extension: str, kind: DetectedKind, *, admitted: bool
) -> None:
    policy = PUBLISHED_ATTACHMENTS.with_extension(extension)

    assert judge_name(f"a.{extension}", policy)
    assert bool(judge_content(f"a.{extension}", kind, policy)) is admitted
    assert bool(judge_attachment(f"a.{extension}", 9, kind, policy=policy)) is admitted


def test_a_policy_says_which_contents_an_extension_admits() -> None:
    policy = replace(
        PUBLISHED_ATTACHMENTS,
        extra_extensions=frozenset({"aaf"}),
        kinds={"aaf": frozenset({K.ARCHIVE}), "csv": frozenset({K.TEXT})},
    )

    assert judge_content("a.aaf", K.ARCHIVE, policy)
    assert judge_attachment("a.aaf", 9, K.ARCHIVE, policy=policy)
    assert not judge_attachment("a.csv", 9, K.UNKNOWN, policy=policy)
    assert not judge_content("a.aaf", K.TEXT, policy)
    assert not judge_content("a.csv", K.UNKNOWN, policy)
    assert isinstance(hash(policy), int)


@pytest.mark.parametrize("kind", sorted(DISGUISES))
def test_no_policy_admits_a_disguise(kind: DetectedKind) -> None:
    with pytest.raises(InvalidValue, match=rf"^kinds: aaf may not admit {kind}$"):
        replace(PUBLISHED_ATTACHMENTS, kinds={"aaf": frozenset({K.TEXT, kind})})


DETAILS = [
    (lambda: judge_name("a.exe"), {"extension": "exe", "extensions": sorted(PUBLISHED_EXTENSIONS)}),
    (lambda: judge_size(10_485_761), {"max_bytes": 10_485_760}),
    (lambda: judge_count(11), {"max_files": 10, "files": 11}),
    (lambda: judge_content("a.png", K.PDF), {"detected": "pdf"}),
    (
        lambda: judge_daily_quota(QuotaScope.PERSON, files=501, size=1),
        {"scope": "person", "max_files": 500, "max_bytes": 2 * GIBIBYTE},
    ),
    (lambda: judge_name("a\x00.pdf"), {"character": "U+0000"}),
    (lambda: judge_name("\ud800.pdf"), {"character": "U+D800"}),
    (lambda: judge_name("a.exe:b.pdf"), {"character": "U+003A"}),
    (lambda: judge_name(".exe:b.pdf"), {"character": "U+003A"}),
    (lambda: judge_name("a.\u200b.pdf"), {"character": "U+200B"}),
    (lambda: judge_name("x/CON .pdf"), {"reserved": "CON"}),
    (lambda: judge_name(".pdf"), {}),
]  # fmt: skip


@pytest.mark.parametrize(("judge", "detail"), DETAILS)
def test_a_refusal_names_its_limit_or_the_character_at_fault(
    judge: Callable[[], Decision], detail: dict[str, object]
) -> None:
    decision = judge()
    assert not decision
    assert decision.detail == detail
