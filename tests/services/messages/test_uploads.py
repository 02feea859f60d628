"""Uploads, what they are attached to, who gets them, and what is swept (26 to 30)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from clp_contracts.errors import Refused
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from clp_messages.tables import AttachmentRow
from clp_messages.use_cases import uploads
from tests.services.messages.scenario import (
    BROADCAST,
    NORTH,
    PDF,
    SOUTH,
    Stage,
    refusal,
)

MOST = PUBLISHED_ATTACHMENTS.max_bytes
MISSING = "attachment.missing"


def padded(size: int) -> bytes:
    return PDF.ljust(size, b"\n")


def test_a_file_goes_with_its_message_byte_for_byte(stage: Stage) -> None:
    first = stage.upload("nat", NORTH, "cue sheet.pdf", PDF)
    second = stage.upload("nat", NORTH, "take.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ")
    stage.post("nat", NORTH, files=(second, first))
    (shown,) = stage.page("ivy", NORTH).messages
    assert [(f.id, f.name, f.size) for f in shown.attachments] == [
        (second, "take.wav", 16),
        (first, "cue sheet.pdf", len(PDF)),
    ]
    assert stage.download("ivy", first) == PDF


def test_the_row_remembers_the_sum_of_the_bytes(stage: Stage) -> None:
    stage.upload("nat", NORTH)
    with stage.parts.database.reading() as session:
        (row,) = session.scalars(select(AttachmentRow))
    assert len(row.sha256) == 64
    assert row.store_key not in (row.id, row.sha256)
    (kept,) = stage.files_kept()
    assert kept.stat().st_mode & 0o777 == 0o600


# size | announced or not | answer
SIZES = [
    (0, "announced", "attachment.empty"),
    (0, "in chunks", "attachment.empty"),
    (1, "announced", "attachment.content_mismatch"),
    (MOST, "announced", ""),
    (MOST, "in chunks", ""),
    (MOST + 1, "announced", "attachment.too_large"),
    (MOST + 1, "in chunks", "attachment.too_large"),
]


@pytest.mark.parametrize(("size", "how", "answer"), SIZES)
def test_one_byte_to_the_limit(stage: Stage, size: int, how: str, answer: str) -> None:
    def call() -> str:
        body = padded(size)[:size]
        return stage.upload("nat", NORTH, "a.pdf", body, declared=how == "announced")

    if answer:
        assert refusal(call) == answer
        assert stage.files_kept() == []
        with stage.parts.database.reading() as session:
            assert session.scalars(select(AttachmentRow)).all() == []
    else:
        stage.post("nat", NORTH, files=(call(),))
        assert stage.page("nat", NORTH).messages[0].attachments[0].size == size


class Body(Iterator[bytes]):
    """A body that notes how much of it was read."""

    def __init__(self, first: bytes) -> None:
        self.read = 0
        self._first = first

    def __next__(self) -> bytes:
        piece = self._first.ljust(65536, b"\n") if self.read == 0 else b"\n" * 65536
        self.read += len(piece)
        return piece


def endless(stage: Stage, name: str, first: bytes, **more: object) -> tuple[str, int]:
    body = Body(first)
    asked = {"channel": NORTH, "declared": None, "person": "nat", **more}
    person = str(asked.pop("person"))
    upload = uploads.Upload(name=name, pieces=body, **asked)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        uploads.receive_upload(upload, actor=stage.as_(person), parts=stage.parts)
    assert stage.files_kept() == []
    return refused.value.code, body.read


def test_an_endless_body_is_read_no_further_than_the_limit(stage: Stage) -> None:
    code, read = endless(stage, "a.pdf", PDF)
    assert code == "attachment.too_large"
    assert read <= MOST + 65536


def test_refusals_come_before_the_body_is_read(stage: Stage) -> None:
    assert endless(stage, "a.exe", PDF) == ("attachment.type_refused", 0)
    assert endless(stage, "..", PDF) == ("attachment.name_unsafe", 0)
    assert endless(stage, "a.pdf", PDF, declared=MOST + 1) == (
        "attachment.too_large",
        0,
    )
    assert endless(stage, "a.pdf", PDF, channel=SOUTH) == ("channel.missing", 0)
    assert endless(stage, "a.pdf", PDF, channel=BROADCAST) == (
        "broadcast.internal_only",
        0,
    )
    assert endless(stage, "a.pdf", PDF, person="lin") == ("channel.missing", 0)
    # The first piece tells that it is a program.
    assert endless(stage, "a.pdf", b"MZ\x90\x00") == (
        "attachment.content_mismatch",
        65536,
    )


def test_a_body_that_breaks_off_leaves_nothing(stage: Stage) -> None:
    def breaking() -> Iterator[bytes]:
        yield PDF
        raise Refused("body.broken")

    upload = uploads.Upload(
        channel=NORTH, name="a.pdf", declared=10_000, pieces=breaking()
    )
    with pytest.raises(Refused, match=r"body\.broken"):
        uploads.receive_upload(upload, actor=stage.as_("nat"), parts=stage.parts)
    assert stage.files_kept() == []
    with stage.parts.database.reading() as session:
        assert session.scalars(select(AttachmentRow)).all() == []


def test_a_name_is_stored_safe(stage: Stage) -> None:
    file = stage.upload("nat", NORTH, "../../cue\u202esheet.pdf ")
    stage.post("nat", NORTH, files=(file,))
    (shown,) = stage.page("nat", NORTH).messages
    assert shown.attachments[0].name == "cuesheet.pdf"


def test_an_upload_belongs_to_its_uploader_and_channel(stage: Stage) -> None:
    of_ivy = stage.upload("ivy", NORTH)
    assert refusal(lambda: stage.post("nat", NORTH, files=(of_ivy,))) == MISSING
    assert refusal(lambda: stage.post("ivy", SOUTH, files=(of_ivy,))) == MISSING
    assert refusal(lambda: stage.post("ivy", NORTH, files=("f" * 32,))) == MISSING
    assert refusal(lambda: stage.post("ivy", NORTH, files=("x\x00",))) == MISSING
    stage.post("ivy", NORTH, files=(of_ivy,))


def test_an_upload_is_attached_once(stage: Stage) -> None:
    file = stage.upload("ivy", NORTH)
    assert refusal(lambda: stage.post("ivy", NORTH, files=(file, file))) == MISSING
    stage.post("ivy", NORTH, files=(file,))
    assert refusal(lambda: stage.post("ivy", NORTH, files=(file,))) == MISSING
    assert stage.numbers("ivy", NORTH) == [1]


def test_ten_files_a_message_at_most(stage: Stage) -> None:
    files = tuple(stage.upload("ivy", NORTH) for _ in range(11))
    assert refusal(lambda: stage.post("ivy", NORTH, files=files)) == (
        "attachment.too_many"
    )
    stage.post("ivy", NORTH, files=files[:10])


def test_the_same_bytes_twice_are_two_files(stage: Stage) -> None:
    one, two = stage.upload("ivy", NORTH), stage.upload("ivy", NORTH)
    first = stage.post("ivy", NORTH, files=(one,))
    stage.post("ivy", NORTH, files=(two,))
    stage.delete("ivy", first.id)
    assert refusal(lambda: stage.download("ivy", one)) == MISSING
    assert stage.download("ivy", two) == PDF


# who    | gets a file of nat's in north's channel: waiting for its message, and with it
DOWNLOADS = [
    ("nat", "got", "got"),
    ("nia", MISSING, "got"),
    ("ivy", MISSING, "got"),
    ("sam", MISSING, MISSING),
    ("wes", MISSING, MISSING),
    ("lin", MISSING, MISSING),
    ("robot", MISSING, MISSING),
    ("nobody", MISSING, MISSING),
]


@pytest.mark.parametrize(("person", "waiting", "attached"), DOWNLOADS)
def test_who_gets_a_file(
    stage: Stage, person: str, waiting: str, attached: str
) -> None:
    file = stage.upload("nat", NORTH)

    def told() -> str:
        try:
            return "got" if stage.download(person, file) == PDF else "other bytes"
        except Refused as refused:
            return refused.code

    assert told() == waiting
    stage.post("nat", NORTH, files=(file,))
    assert told() == attached


@pytest.mark.parametrize("file", ["f" * 32, "", "../etc", "x\x00", "\ud800"])
def test_a_file_that_is_not_there_is_missing_by_the_same_path(
    stage: Stage, file: str
) -> None:
    assert refusal(lambda: stage.download("nat", file)) == MISSING
    assert stage.projects.asked == {"facts": 1}


def test_a_withdrawn_partner_loses_its_files_at_once(stage: Stage) -> None:
    file = stage.upload("nat", NORTH)
    stage.post("nat", NORTH, files=(file,))
    stage.projects.withdraw("p1", "north")
    assert refusal(lambda: stage.download("nat", file)) == MISSING
    assert stage.download("ivy", file) == PDF


def test_what_no_message_came_for_is_swept_after_an_hour(stage: Stage) -> None:
    attached, orphan = stage.upload("ivy", NORTH), stage.upload("ivy", NORTH)
    stage.post("ivy", NORTH, files=(attached,))
    stage.wait(minutes=59)
    assert uploads.sweep_orphans(parts=stage.parts) == 0
    stage.wait(minutes=2)
    fresh = stage.upload("ivy", NORTH)
    assert uploads.sweep_orphans(parts=stage.parts) == 1
    assert uploads.sweep_orphans(parts=stage.parts) == 0
    assert refusal(lambda: stage.download("ivy", orphan)) == MISSING
    assert refusal(lambda: stage.post("ivy", NORTH, files=(orphan,))) == MISSING
    assert stage.download("ivy", attached) == PDF
    assert stage.download("ivy", fresh) == PDF
    assert len(stage.files_kept()) == 2


def test_a_sweep_that_was_cut_off_is_made_up_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = stage.upload("ivy", NORTH)
    stage.wait(hours=2)

    def power_cut(_key: str) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(stage.parts.files, "remove", power_cut)
        with pytest.raises(OSError):  # noqa: PT011
            uploads.sweep_orphans(parts=stage.parts)
    assert refusal(lambda: stage.post("ivy", NORTH, files=(orphan,))) == MISSING
    assert uploads.sweep_orphans(parts=stage.parts) == 1
    assert stage.files_kept() == []


def test_a_file_attached_while_the_sweep_looks_is_kept(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = stage.upload("ivy", NORTH)
    stage.wait(hours=2)
    database = stage.parts.database
    writing = database.writing

    def after_a_post(**options: bool) -> object:
        monkeypatch.setattr(database, "writing", writing)
        stage.post("ivy", NORTH, files=(orphan,))
        return writing(**options)

    monkeypatch.setattr(database, "writing", after_a_post)
    assert uploads.sweep_orphans(parts=stage.parts) == 0
    assert stage.download("ivy", orphan) == PDF
