"""Uploads, what they are attached to, who gets them, and what is swept (26 to 30)."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from clp_contracts.errors import Refused
from clp_core.attachments import PUBLISHED_ATTACHMENTS
from clp_messages.tables import AttachmentRow
from clp_messages.use_cases import uploads
from clp_suite.sample_data import CastMember
from tests.services.messages.scenario import (
    BROADCAST,
    NORTH,
    PDF,
    SOUTH,
    Scenario,
    refusal,
)

MAX_BYTES = PUBLISHED_ATTACHMENTS.max_bytes
MISSING = "attachment.missing"


def padded(size: int) -> bytes:
    return PDF.ljust(size, b"\n")


def test_a_file_goes_with_its_message_byte_for_byte(scenario: Scenario) -> None:
    first = scenario.upload("nat", NORTH, "cue sheet.pdf", PDF)
    second = scenario.upload("nat", NORTH, "take.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ")
    scenario.post("nat", NORTH, files=(second, first))
    (shown,) = scenario.page("ivy", NORTH).messages
    assert [(f.id, f.name, f.size) for f in shown.attachments] == [
        (second, "take.wav", 16),
        (first, "cue sheet.pdf", len(PDF)),
    ]
    assert scenario.download("ivy", first) == PDF


def test_the_row_keeps_the_sha256_of_the_bytes(scenario: Scenario) -> None:
    scenario.upload("nat", NORTH)
    with scenario.deps.database.reading() as session:
        (row,) = session.scalars(select(AttachmentRow))
    assert len(row.sha256) == 64
    assert row.store_key not in (row.id, row.sha256)
    (kept,) = scenario.files_kept()
    assert kept.stat().st_mode & 0o777 == 0o600


# size | declared or not  | code
SIZES = [
    (0, "announced", "attachment.empty"),
    (0, "in chunks", "attachment.empty"),
    (1, "announced", "attachment.content_mismatch"),
    (MAX_BYTES, "announced", ""),
    (MAX_BYTES, "in chunks", ""),
    (MAX_BYTES + 1, "announced", "attachment.too_large"),
    (MAX_BYTES + 1, "in chunks", "attachment.too_large"),
]


@pytest.mark.parametrize(("size", "how", "code"), SIZES)
def test_one_byte_to_the_limit(
    scenario: Scenario, size: int, how: str, code: str
) -> None:
    def call() -> str:
        body = padded(size)[:size]
        return scenario.upload("nat", NORTH, "a.pdf", body, declared=how == "announced")

    if code:
        assert refusal(call) == code
        assert scenario.files_kept() == []
        with scenario.deps.database.reading() as session:
            assert session.scalars(select(AttachmentRow)).all() == []
    else:
        scenario.post("nat", NORTH, files=(call(),))
        assert scenario.page("nat", NORTH).messages[0].attachments[0].size == size


class Body(Iterator[bytes]):
    """A body that notes how much of it was read."""

    def __init__(self, first: bytes) -> None:
        self.read = 0
        self._first = first

    def __next__(self) -> bytes:
        chunk = self._first.ljust(65536, b"\n") if self.read == 0 else b"\n" * 65536
        self.read += len(chunk)
        return chunk


def endless(
    scenario: Scenario, name: str, first: bytes, **more: object
) -> tuple[str, int]:
    body = Body(first)
    arguments = {"channel": NORTH, "declared": None, "person": "nat", **more}
    person = str(arguments.pop("person"))
    upload = uploads.Upload(name=name, chunks=body, **arguments)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        uploads.receive_upload(upload, actor=scenario.as_(person), deps=scenario.deps)
    assert scenario.files_kept() == []
    return refused.value.code, body.read


def test_an_endless_body_is_read_no_further_than_the_limit(scenario: Scenario) -> None:
    code, read = endless(scenario, "a.pdf", PDF)
    assert code == "attachment.too_large"
    assert read <= MAX_BYTES + 65536


def test_refusals_come_before_the_body_is_read(scenario: Scenario) -> None:
    assert endless(scenario, "a.exe", PDF) == ("attachment.type_refused", 0)
    assert endless(scenario, "..", PDF) == ("attachment.name_unsafe", 0)
    assert endless(scenario, "a.pdf", PDF, declared=MAX_BYTES + 1) == (
        "attachment.too_large",
        0,
    )
    assert endless(scenario, "a.pdf", PDF, channel=SOUTH) == ("channel.missing", 0)
    assert endless(scenario, "a.pdf", PDF, channel=BROADCAST) == (
        "broadcast.internal_only",
        0,
    )
    assert endless(scenario, "a.pdf", PDF, person="lin") == ("channel.missing", 0)
    # The first piece tells that it is a program.
    assert endless(scenario, "a.pdf", b"MZ\x90\x00") == (
        "attachment.content_mismatch",
        65536,
    )


def test_a_body_that_breaks_off_leaves_nothing(scenario: Scenario) -> None:
    def breaking() -> Iterator[bytes]:
        yield PDF
        raise Refused("body.broken")

    upload = uploads.Upload(
        channel=NORTH, name="a.pdf", declared=10_000, chunks=breaking()
    )
    with pytest.raises(Refused, match=r"body\.broken"):
        uploads.receive_upload(upload, actor=scenario.as_("nat"), deps=scenario.deps)
    assert scenario.files_kept() == []
    with scenario.deps.database.reading() as session:
        assert session.scalars(select(AttachmentRow)).all() == []


def test_a_name_is_stored_safe(scenario: Scenario) -> None:
    file = scenario.upload("nat", NORTH, "../../cue\u202esheet.pdf ")
    scenario.post("nat", NORTH, files=(file,))
    (shown,) = scenario.page("nat", NORTH).messages
    assert shown.attachments[0].name == "cuesheet.pdf"


def test_an_upload_belongs_to_its_uploader_and_channel(scenario: Scenario) -> None:
    of_ivy = scenario.upload("ivy", NORTH)
    assert refusal(lambda: scenario.post("nat", NORTH, files=(of_ivy,))) == MISSING
    assert refusal(lambda: scenario.post("ivy", SOUTH, files=(of_ivy,))) == MISSING
    assert refusal(lambda: scenario.post("ivy", NORTH, files=("f" * 32,))) == MISSING
    assert refusal(lambda: scenario.post("ivy", NORTH, files=("x\x00",))) == MISSING
    scenario.post("ivy", NORTH, files=(of_ivy,))


def test_an_upload_is_attached_once(scenario: Scenario) -> None:
    file = scenario.upload("ivy", NORTH)
    assert refusal(lambda: scenario.post("ivy", NORTH, files=(file, file))) == MISSING
    scenario.post("ivy", NORTH, files=(file,))
    assert refusal(lambda: scenario.post("ivy", NORTH, files=(file,))) == MISSING
    assert scenario.numbers("ivy", NORTH) == [1]


def test_ten_files_a_message_at_most(scenario: Scenario) -> None:
    files = tuple(scenario.upload("ivy", NORTH) for _ in range(11))
    assert refusal(lambda: scenario.post("ivy", NORTH, files=files)) == (
        "attachment.too_many"
    )
    scenario.post("ivy", NORTH, files=files[:10])


def test_the_same_bytes_twice_are_two_files(scenario: Scenario) -> None:
    one, two = scenario.upload("ivy", NORTH), scenario.upload("ivy", NORTH)
    first = scenario.post("ivy", NORTH, files=(one,))
    scenario.post("ivy", NORTH, files=(two,))
    scenario.delete("ivy", first.id)
    assert refusal(lambda: scenario.download("ivy", one)) == MISSING
    assert scenario.download("ivy", two) == PDF


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
def test_which_people_may_download_a_file(
    scenario: Scenario, person: str, waiting: str, attached: str
) -> None:
    file = scenario.upload("nat", NORTH)

    def outcome() -> str:
        try:
            return "got" if scenario.download(person, file) == PDF else "other bytes"
        except Refused as refused:
            return refused.code

    assert outcome() == waiting
    scenario.post("nat", NORTH, files=(file,))
    assert outcome() == attached


@pytest.mark.parametrize("file", ["f" * 32, "", "../etc", "x\x00", "\ud800"])
def test_a_missing_file_costs_the_same_calls_as_a_hidden_one(
    scenario: Scenario, file: str
) -> None:
    assert refusal(lambda: scenario.download("nat", file)) == MISSING
    assert scenario.projects.calls == {"facts": 1}


def test_a_withdrawn_partner_loses_its_files_at_once(scenario: Scenario) -> None:
    file = scenario.upload("nat", NORTH)
    scenario.post("nat", NORTH, files=(file,))
    scenario.projects.withdraw("p1", "north")
    assert refusal(lambda: scenario.download("nat", file)) == MISSING
    assert scenario.download("ivy", file) == PDF


def test_a_file_without_a_message_is_removed_after_an_hour(scenario: Scenario) -> None:
    attached, orphan = scenario.upload("ivy", NORTH), scenario.upload("ivy", NORTH)
    scenario.post("ivy", NORTH, files=(attached,))
    scenario.wait(minutes=59)
    assert uploads.sweep_orphans(deps=scenario.deps) == 0
    scenario.wait(minutes=2)
    fresh = scenario.upload("ivy", NORTH)
    assert uploads.sweep_orphans(deps=scenario.deps) == 1
    assert uploads.sweep_orphans(deps=scenario.deps) == 0
    assert refusal(lambda: scenario.download("ivy", orphan)) == MISSING
    assert refusal(lambda: scenario.post("ivy", NORTH, files=(orphan,))) == MISSING
    assert scenario.download("ivy", attached) == PDF
    assert scenario.download("ivy", fresh) == PDF
    assert len(scenario.files_kept()) == 2


def test_the_next_sweep_completes_an_interrupted_one(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = scenario.upload("ivy", NORTH)
    scenario.wait(hours=2)

    def power_cut(_key: str) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(scenario.deps.files, "remove", power_cut)
        with pytest.raises(OSError):  # noqa: PT011
            uploads.sweep_orphans(deps=scenario.deps)
    assert refusal(lambda: scenario.post("ivy", NORTH, files=(orphan,))) == MISSING
    assert uploads.sweep_orphans(deps=scenario.deps) == 1
    assert scenario.files_kept() == []


def test_a_file_attached_during_a_sweep_is_kept(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = scenario.upload("ivy", NORTH)
    scenario.wait(hours=2)
    database = scenario.deps.database
    writing = database.writing

    def after_a_post(**options: bool) -> object:
        monkeypatch.setattr(database, "writing", writing)
        scenario.post("ivy", NORTH, files=(orphan,))
        return writing(**options)

    monkeypatch.setattr(database, "writing", after_a_post)
    assert uploads.sweep_orphans(deps=scenario.deps) == 0
    assert scenario.download("ivy", orphan) == PDF


def chunks_of(scenario: Scenario, person: str, file: str) -> Iterator[bytes]:
    check = uploads.DownloadCheck(file, actor=scenario.as_(person), deps=scenario.deps)
    stored = check.check()
    chunks = scenario.deps.files.chunks(stored.store_key, 0, stored.size)
    return uploads.GuardedChunks(chunks, check)


# what ends the download of nat
ENDS: list[Callable[[Scenario, str], object]] = [
    lambda s, _: s.projects.withdraw("p1", "north"),
    lambda s, _: s.projects.put(CastMember("nat", "Nat Moreau", "south")),
    lambda s, message: (s.delete("ivy", message), s.wait(seconds=1)),
]


@pytest.mark.parametrize("end", ENDS)
def test_a_download_ends_with_the_access_of_its_reader(
    scenario: Scenario, end: Callable[[Scenario, str], object]
) -> None:
    file = scenario.upload("ivy", NORTH, body=PDF.ljust(300_000, b"x"))
    posted = scenario.post("ivy", NORTH, files=(file,))
    for person in ("nat", "ivy"):
        scenario.deps.facts.fetch(person, "p1")
    chunks = chunks_of(scenario, "nat", file)
    assert len(next(chunks)) == 65_536
    assert len(next(chunks)) == 65_536
    end(scenario, posted.id)
    with pytest.raises(uploads.DownloadEnded):
        next(chunks)


def test_a_download_goes_on_until_the_end_of_access_is_confirmed(
    scenario: Scenario,
) -> None:
    file = scenario.upload("ivy", NORTH, body=PDF.ljust(300_000, b"x"))
    scenario.post("ivy", NORTH, files=(file,))
    chunks = chunks_of(scenario, "nat", file)
    next(chunks)
    scenario.projects.commit_withdrawal("p1", "north")
    assert len(next(chunks)) == 65_536
    scenario.forget_leases()
    with pytest.raises(uploads.DownloadEnded):
        next(chunks)


def test_a_long_download_costs_few_statements_and_calls(scenario: Scenario) -> None:
    file = scenario.upload("ivy", NORTH, body=PDF.ljust(1_000_000, b"x"))
    scenario.post("ivy", NORTH, files=(file,))
    scenario.projects.calls.clear()
    with scenario.counted_statements() as statements:
        assert sum(map(len, chunks_of(scenario, "nat", file))) == 1_000_000
    assert (scenario.projects.calls, len(statements)) == ({"facts": 1}, 1)
