"""Files with messages (rules 26 to 30), as the partner's and the studio's people see it."""

import json
from collections.abc import Callable

import pytest

from clp_contracts.errors import Refused
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from tests.journeys.scenario import Scenario

MOST = PUBLISHED_ATTACHMENTS.max_bytes
PDF = b"%PDF-1.7\n"
MISSING = "attachment.missing"


def upload(scenario: Scenario, person: str, name: str, body: bytes = PDF) -> str:
    channel = scenario.direct("north")
    return scenario.suite.files(person).upload(channel=channel, name=name, body=body)


def download_outcome(scenario: Scenario, person: str, file: str) -> str:
    """The code of a refused download, or the word got."""
    response = scenario.suite.files(person).download(file)
    return "got" if response.status == 200 else str(json.loads(response.body)["code"])


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


# rule | name         | body                     | code
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


def test_which_files_are_accepted(scenario: Scenario) -> None:
    for rule, name, body, response in LIMITS:
        try:
            upload(scenario, "nat", name, body)
            code = ""
        except Refused as refused:
            code = refused.code
        assert code == response, (rule, name, len(body))


def test_at_most_ten_files_go_with_a_message(scenario: Scenario) -> None:
    files = [upload(scenario, "nat", f"{number}.pdf") for number in range(11)]
    channel = scenario.direct("north")
    code = refusal(lambda: scenario.post("nat", channel, "", attachments=files))
    assert code == "attachment.too_many"
    scenario.post("nat", channel, "", attachments=files[:10])
    (message,) = scenario.as_("ivy").messages.page(channel=channel).messages
    assert [file.name for file in message.attachments] == [
        f"{number}.pdf" for number in range(10)
    ]


def test_a_file_is_its_uploaders_until_it_is_posted(scenario: Scenario) -> None:
    file = upload(scenario, "nat", "字幕 \u202ecue.pdf")
    people = ("nat", "nia", "ivy", "sam", "lin")
    assert [download_outcome(scenario, person, file) for person in people] == [
        "got",
        *[MISSING] * 4,
    ]
    scenario.post("nat", scenario.direct("north"), "here", attachments=[file])
    assert [download_outcome(scenario, person, file) for person in people] == [
        *["got"] * 3,
        *[MISSING] * 2,
    ]
    response = scenario.suite.files("ivy").download(file)
    assert response.body == PDF
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=\"__ cue.pdf\"; filename*=UTF-8''%E5%AD%97%E5%B9%95%20cue.pdf"
    )


def test_a_file_leaves_with_its_reader_and_with_its_message(scenario: Scenario) -> None:
    file = upload(scenario, "nat", "a.pdf")
    posted = scenario.post("nat", scenario.direct("north"), "here", attachments=[file])
    scenario.withdraw("north")
    assert (
        download_outcome(scenario, "nat", file),
        download_outcome(scenario, "ivy", file),
    ) == (
        MISSING,
        "got",
    )
    scenario.assign("north")
    assert download_outcome(scenario, "nia", file) == "got"
    scenario.as_("ivy").messages.delete(message=posted.id)
    assert [download_outcome(scenario, p, file) for p in ("nat", "ivy")] == [
        MISSING,
        MISSING,
    ]
