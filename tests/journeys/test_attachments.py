"""Files with messages (rules 26 to 30), as the partner's and the studio's people see it."""

import json
from collections.abc import Callable

import pytest

from clp_contracts.errors import Refused
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from tests.journeys.scenario import Stage

MOST = PUBLISHED_ATTACHMENTS.max_bytes
PDF = b"%PDF-1.7\n"
MISSING = "attachment.missing"


def upload(stage: Stage, person: str, name: str, body: bytes = PDF) -> str:
    channel = stage.direct("north")
    return stage.suite.files(person).upload(channel=channel, name=name, body=body)


def told(stage: Stage, person: str, file: str) -> str:
    """What a download brings: the code of a refusal, or the word got."""
    answer = stage.suite.files(person).download(file)
    return "got" if answer.status == 200 else str(json.loads(answer.body)["code"])


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


# rule | name         | body                     | answer
LIMITS = [
    (26, "a.pdf", PDF.ljust(MOST, b"\n"), ""),
    (26, "a.pdf", PDF.ljust(MOST + 1, b"\n"), "attachment.too_large"),
    (26, "a.pdf", b"", "attachment.empty"),
    (27, "a.PDF", PDF, ""),
    (27, "a.pdf.exe", PDF, "attachment.type_refused"),
    (28, "a.pdf", b"MZ\x90\x00", "attachment.content_mismatch"),
    (28, "a.csv", b"<html><script>", "attachment.content_mismatch"),
    (29, "..", PDF, "attachment.name_unsafe"),
    (29, "../../notes.pdf", PDF, ""),
]


def test_which_files_are_taken(stage: Stage) -> None:
    for rule, name, body, answer in LIMITS:
        try:
            upload(stage, "nat", name, body)
            code = ""
        except Refused as refused:
            code = refused.code
        assert code == answer, (rule, name, len(body))


def test_at_most_ten_files_go_with_a_message(stage: Stage) -> None:
    files = [upload(stage, "nat", f"{number}.pdf") for number in range(11)]
    channel = stage.direct("north")
    code = refusal(lambda: stage.post("nat", channel, "", attachments=files))
    assert code == "attachment.too_many"
    stage.post("nat", channel, "", attachments=files[:10])
    (message,) = stage.as_("ivy").messages.page(channel=channel).messages
    assert [file.name for file in message.attachments] == [
        f"{number}.pdf" for number in range(10)
    ]


def test_a_file_is_its_uploaders_until_it_is_posted(stage: Stage) -> None:
    file = upload(stage, "nat", "字幕 \u202ecue.pdf")
    people = ("nat", "nia", "ivy", "sam", "lin")
    assert [told(stage, person, file) for person in people] == ["got", *[MISSING] * 4]
    stage.post("nat", stage.direct("north"), "here", attachments=[file])
    assert [told(stage, person, file) for person in people] == [
        *["got"] * 3,
        *[MISSING] * 2,
    ]
    answer = stage.suite.files("ivy").download(file)
    assert answer.body == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"__ cue.pdf\"; filename*=UTF-8''%E5%AD%97%E5%B9%95%20cue.pdf"
    )


def test_a_file_leaves_with_its_reader_and_with_its_message(stage: Stage) -> None:
    file = upload(stage, "nat", "a.pdf")
    posted = stage.post("nat", stage.direct("north"), "here", attachments=[file])
    stage.withdraw("north")
    assert (told(stage, "nat", file), told(stage, "ivy", file)) == (MISSING, "got")
    stage.assign("north")
    assert told(stage, "nia", file) == "got"
    stage.as_("ivy").messages.delete(message=posted.id)
    assert [told(stage, p, file) for p in ("nat", "ivy")] == [MISSING, MISSING]
