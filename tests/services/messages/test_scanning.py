"""Files are seen by a scanner before anybody gets them, when one is set."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from clp_contracts.errors import Refused
from clp_messages.clamd import Clamd, NotScanned, ScannerAway, scanner_at
from clp_messages.tables import AttachmentRow
from clp_messages.use_cases import scanning, uploads
from tests.cases.loading import EICAR
from tests.services.messages.clamd import NAME, FakeClamd, fake_clamd
from tests.services.messages.scenario import NORTH, PDF, Stage, refusal

PENDING, INFECTED, MISSING = (
    "attachment.pending",
    "attachment.infected",
    "attachment.missing",
)


@pytest.fixture(params=["tcp", "unix"])
def clamd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeClamd]:
    path = str(tmp_path / "clamd.sock") if request.param == "unix" else None
    with fake_clamd(path) as scanner:
        yield scanner


@pytest.fixture
def watched(stage: Stage) -> Iterator[tuple[Stage, FakeClamd]]:
    """The stage with a scanner."""
    with fake_clamd() as scanner:
        stage.parts = replace(stage.parts, scanner=Clamd.at(scanner.url, 1.0))
        yield stage, scanner


@pytest.fixture
def away(stage: Stage) -> Iterator[tuple[Stage, Callable[[], int]]]:
    """The stage while its scanner is away, and the chore once it is back."""
    with fake_clamd() as gone:
        pass
    stage.parts = replace(stage.parts, scanner=Clamd.at(gone.url, 1.0))
    with fake_clamd() as scanner:

        def back() -> int:
            there = replace(stage.parts, scanner=Clamd.at(scanner.url, 1.0))
            return scanning.scan_pending(parts=there)

        yield stage, back


# ---- the protocol


def test_a_file_is_told_byte_for_byte_and_judged(clamd: FakeClamd) -> None:
    scanner = Clamd.at(clamd.url, 5.0)
    assert scanner.finding(iter([PDF, b"x" * 70_000])) is None
    assert scanner.finding([EICAR[:20].encode(), EICAR[20:].encode()]) == NAME
    assert clamd.files == [PDF + b"x" * 70_000, EICAR.encode()]


# what it answers                               | what is made of it
ANSWERS = [
    (b"stream: OK\0", None),
    (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", "Win.Test.EICAR_HDB-1"),
    (b"stream: a\nb\xff FOUND\0", "a\nb?"),
    (b"stream: " + b"x" * 300 + b" FOUND\0", "x" * 100),
    (b"Cannot scan. ERROR\0", NotScanned),
    (b"", NotScanned),
    (b"stream: OK, or not\0", NotScanned),
    (b"x" * 100_000, NotScanned),
]


@pytest.mark.parametrize(("answer", "finding"), ANSWERS)
def test_what_an_answer_means(answer: bytes, finding: object) -> None:
    with fake_clamd() as clamd:
        clamd.answer = answer
        scanner = Clamd.at(clamd.url, 2.0)
        if finding is NotScanned:
            with pytest.raises(NotScanned):
                scanner.finding([PDF])
        else:
            assert scanner.finding([PDF]) == finding


def test_a_scanner_that_does_not_answer_is_given_up(clamd: FakeClamd) -> None:
    clamd.is_silent = True
    with pytest.raises(NotScanned):
        Clamd.at(clamd.url, 0.1).finding([PDF])


def test_a_limit_of_the_scanner_is_named(clamd: FakeClamd) -> None:
    clamd.limit = 1000
    with pytest.raises(NotScanned, match=r"size limit exceeded|Error"):
        Clamd.at(clamd.url, 5.0).finding([b"x" * 65536] * 100)


def test_a_scanner_that_is_not_there_is_away(tmp_path: Path) -> None:
    with fake_clamd() as gone:
        pass
    for url in (gone.url, f"unix://{tmp_path}/nothing"):
        with pytest.raises(ScannerAway):
            Clamd.at(url, 1.0).finding([PDF])


@pytest.mark.parametrize(
    "url",
    ["clamd", "tcp://", "tcp://host", "unix://", "unix:", "unix://a/b", "http://a:1"],
)
def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="tcp://HOST:PORT or unix:///PATH"):
        scanner_at(url, 1.0)


def test_without_an_address_nothing_is_scanned() -> None:
    assert scanner_at("", 1.0) is None


# ---- what becomes of files


def test_a_clean_file_is_ready_at_once(watched: tuple[Stage, FakeClamd]) -> None:
    stage, scanner = watched
    file = stage.upload("nat", NORTH)
    stage.post("nat", NORTH, files=(file,))
    assert stage.download("ivy", file) == PDF
    assert scanner.files == [PDF]


def test_an_infected_file_is_refused_and_recorded(
    watched: tuple[Stage, FakeClamd], caplog: pytest.LogCaptureFixture
) -> None:
    stage, _ = watched
    with caplog.at_level(logging.WARNING):
        code = refusal(lambda: stage.upload("nat", NORTH, "eicar.csv", EICAR.encode()))
    assert code == INFECTED
    assert stage.files_kept() == []
    with stage.parts.database.reading() as session:
        assert session.scalars(select(AttachmentRow)).all() == []
    assert NAME in caplog.text
    assert "eicar.csv" not in caplog.text


def test_while_the_scanner_is_away_a_file_is_nobodys(
    away: tuple[Stage, Callable[[], int]],
) -> None:
    stage, back = away
    file = stage.upload("nat", NORTH)
    for person, told in (
        ("nat", PENDING),
        ("nia", MISSING),
        ("ivy", MISSING),
        ("sam", MISSING),
    ):
        assert refusal(lambda p=person: stage.download(p, file)) == told
    assert refusal(lambda: stage.post("nat", NORTH, files=(file,))) == PENDING
    assert refusal(lambda: stage.post("nia", NORTH, files=(file,))) == MISSING
    assert scanning.scan_pending(parts=stage.parts) == 0
    assert back() == 1
    stage.post("nat", NORTH, files=(file,))
    assert stage.download("ivy", file) == PDF
    assert back() == 0


def test_a_file_found_infected_later_is_removed(
    away: tuple[Stage, Callable[[], int]],
) -> None:
    stage, back = away
    file = stage.upload("nat", NORTH, "a.csv", EICAR.encode())
    good = stage.upload("nat", NORTH)
    assert back() == 2
    assert len(stage.files_kept()) == 1
    for call in (
        lambda: stage.download("nat", file),
        lambda: stage.post("nat", NORTH, files=(good, file)),
    ):
        assert refusal(call) == INFECTED
    assert refusal(lambda: stage.download("nia", file)) == MISSING
    stage.post("nat", NORTH, files=(good,))
    stage.wait(hours=2)
    assert uploads.sweep_orphans(parts=stage.parts) == 1
    assert refusal(lambda: stage.download("nat", file)) == MISSING


def test_a_post_refused_for_a_pending_file_succeeds_with_the_same_key(
    away: tuple[Stage, Callable[[], int]],
) -> None:
    stage, back = away
    file = stage.upload("nat", NORTH)
    with pytest.raises(Refused):
        stage.post("nat", NORTH, key="k", files=(file,))
    back()
    assert stage.post("nat", NORTH, key="k", files=(file,)).number == 1


def test_one_file_that_cannot_be_scanned_does_not_hold_up_the_rest(
    watched: tuple[Stage, FakeClamd],
) -> None:
    stage, scanner = watched
    scanner.answer = b"Cannot scan. ERROR\0"
    first, second = stage.upload("nat", NORTH), stage.upload("nat", NORTH)
    path = next(p for p in stage.files_kept())
    path.unlink()
    scanner.answer = None
    assert scanning.scan_pending(parts=stage.parts) == 1
    told = []
    for file in (first, second):
        try:
            stage.post("nat", NORTH, files=(file,))
            told.append("posted")
        except Refused as refused:
            told.append(refused.code)
    assert sorted(told) == [PENDING, "posted"]


def test_an_unscanned_file_waits_a_day_and_has_its_hour_afterwards(
    away: tuple[Stage, Callable[[], int]],
) -> None:
    stage, back = away
    file = stage.upload("nat", NORTH)
    stage.wait(hours=23)
    assert uploads.sweep_orphans(parts=stage.parts) == 0
    assert back() == 1
    stage.wait(minutes=59)
    assert uploads.sweep_orphans(parts=stage.parts) == 0
    stage.wait(minutes=2)
    assert uploads.sweep_orphans(parts=stage.parts) == 1
    assert refusal(lambda: stage.download("nat", file)) == MISSING
    stage.upload("nat", NORTH)
    stage.wait(hours=25)
    assert uploads.sweep_orphans(parts=stage.parts) == 1
    assert stage.files_kept() == []
