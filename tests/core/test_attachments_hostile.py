"""Every attachment row of the case file that a rule, rather than a service, decides."""

from dataclasses import replace

import pytest

from clp_core.attachments import (
    PUBLISHED_ATTACHMENTS,
    DetectedKind,
    judge_attachment,
    judge_count,
    judge_held_bytes,
    judge_size,
)
from clp_core.decisions import Decision, Reason
from clp_core.file_names import safe_name
from tests.cases.attachments import reason_for
from tests.cases.loading import HostileCase, hostile_cases

MAX = PUBLISHED_ATTACHMENTS.max_bytes

# The kinds a detector finds in these contents; the service has a real one.
SIGNATURES = {
    b"BM": DetectedKind.BMP,
    b"%!PS": DetectedKind.POSTSCRIPT,
    b"%PDF": DetectedKind.PDF,
    b"GIF8": DetectedKind.GIF,
    b"\0\0\0\x18ftypmif1": DetectedKind.HEIF,
    b"\0\0\0\x14ftypqt": DetectedKind.QUICKTIME,
    b"\xff\xd8\xff": DetectedKind.JPEG,
    b"PK\x03\x04": DetectedKind.SCORE,
    b"8BPS": DetectedKind.PSD,
    b"II*\0": DetectedKind.TIFF,
    b"RIFF\0\0\0\0WEBP": DetectedKind.WEBP,
    b"\x89PNG": DetectedKind.PNG,
    b"MZ": DetectedKind.PROGRAM,
    b"<!--": DetectedKind.MARKUP,
    b"<html": DetectedKind.MARKUP,
    b"<svg": DetectedKind.MARKUP,
}

# Scenarios, which are told of the services that act them out.
ACTED_OUT = {
    "attach_foreign_upload",
    "download_range",
    "guess_download",
    "reuse_signed_url_after_removal",
}

ROWS = [case for case in hostile_cases("attachment") if "filename" in str(case.facts)]


def detected_in(content: bytes) -> DetectedKind:
    for head, kind in SIGNATURES.items():
        if content.startswith(head):
            return kind
    return (
        DetectedKind.TEXT
        if content.isascii() and 0 not in content
        else DetectedKind.UNKNOWN
    )


def judged(case: HostileCase) -> Decision:
    if not (counting := judge_count(case.facts.get("count", 1))):
        return counting
    if case.facts["content"].get("endless"):
        return judge_size(MAX + 1)  # wherever it ends, it has passed the limit
    content = case.content(MAX)
    return judge_attachment(case.filename, len(content), detected_in(content))


@pytest.mark.parametrize("case", ROWS, ids=lambda case: f"{case.id} {case.name}")
def test_the_rules_answer_as_the_case_expects(case: HostileCase) -> None:
    assert judged(case).reason is reason_for(case), case.why


def test_every_other_row_is_a_scenario() -> None:
    others = [case for case in hostile_cases("attachment") if case not in ROWS]
    assert {case.facts["op"] for case in others} == ACTED_OUT
    assert len(ROWS) + len(others) == 63


SHOWN_AS = {
    # row                what readers see
    "attachment-032": "passwd.pdf",
    "attachment-037": "script.pdf",
    "attachment-044": "annexegpj.pdf",
    "attachment-048": "script.pdf",
    "attachment-031": "setup.exe%00.pdf",
    "attachment-051": "n" * 251 + ".pdf",
    "attachment-052": "字" * 83 + ".pdf",
}


@pytest.mark.parametrize(
    "case", [case for case in ROWS if case.id in SHOWN_AS], ids=lambda case: case.id
)
def test_what_is_accepted_is_shown_as(case: HostileCase) -> None:
    assert safe_name(case.filename) == SHOWN_AS[case.id]


@pytest.mark.parametrize(
    "case",
    [c for c in ROWS if c.expect.startswith("accept") and c.id not in SHOWN_AS],
    ids=lambda case: case.id,
)
def test_any_other_accepted_name_is_shown_as_given(case: HostileCase) -> None:
    assert safe_name(case.filename) == case.filename


def test_what_a_partner_holds_is_bounded() -> None:
    limit = PUBLISHED_ATTACHMENTS.bytes_held_per_partner
    assert limit == 100 * 1024**3
    assert judge_held_bytes(limit)
    refused = judge_held_bytes(limit + 1)
    assert refused.reason is Reason.ATTACHMENT_PARTNER_QUOTA_SPENT
    assert refused.detail == {"max_bytes": limit}
    narrow = replace(PUBLISHED_ATTACHMENTS, bytes_held_per_partner=9)
    assert judge_held_bytes(9, narrow)
    assert not judge_held_bytes(10, narrow)
