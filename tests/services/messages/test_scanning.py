"""Files are seen by a scanner before anybody gets them, when one is set."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from clp_contracts.errors import Refused
from clp_messages.clamd import Clamd, NotScanned, ScannerUnavailable, open_scanner
from clp_messages.tables import AttachmentRow
from clp_messages.use_cases import scanning, uploads
from tests.cases.loading import EICAR
from tests.services.messages.clamd import NAME, FakeClamd, fake_clamd
from tests.services.messages.scenario import NORTH, PDF, Scenario, refusal

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
def watched(scenario: Scenario) -> Iterator[tuple[Scenario, FakeClamd]]:
    """The scenario with a scanner."""
    with fake_clamd() as scanner:
        scenario.deps = replace(scenario.deps, scanner=Clamd.at(scanner.url, 1.0))
        yield scenario, scanner


@pytest.fixture
def away(scenario: Scenario) -> Iterator[tuple[Scenario, Callable[[], int]]]:
    """The scenario without its scanner, and the periodic scan once it is back."""
    with fake_clamd() as gone:
        pass
    scenario.deps = replace(scenario.deps, scanner=Clamd.at(gone.url, 1.0))
    with fake_clamd() as scanner:

        def back() -> int:
            there = replace(scenario.deps, scanner=Clamd.at(scanner.url, 1.0))
            return scanning.scan_pending(deps=there)

        yield scenario, back


# ---- the protocol


def test_a_file_is_streamed_byte_for_byte_and_judged(clamd: FakeClamd) -> None:
    scanner = Clamd.at(clamd.url, 5.0)
    assert scanner.finding(iter([PDF, b"x" * 70_000])) is None
    assert scanner.finding([EICAR[:20].encode(), EICAR[20:].encode()]) == NAME
    assert clamd.files == [PDF + b"x" * 70_000, EICAR.encode()]


# reply                                         | result
REASONS = [
    (b"stream: OK\0", None),
    (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", "Win.Test.EICAR_HDB-1"),
    (b"stream: a\nb\xff FOUND\0", "a\nb?"),
    (b"stream: " + b"x" * 300 + b" FOUND\0", "x" * 100),
    (b"Cannot scan. ERROR\0", NotScanned),
    (b"", NotScanned),
    (b"stream: OK, or not\0", NotScanned),
    (b"x" * 100_000, NotScanned),
]


@pytest.mark.parametrize(("reply", "finding"), REASONS)
def test_how_a_reply_is_read(reply: bytes, finding: object) -> None:
    with fake_clamd() as clamd:
        clamd.reply = reply
        scanner = Clamd.at(clamd.url, 2.0)
        if finding is NotScanned:
            with pytest.raises(NotScanned):
                scanner.finding([PDF])
        else:
            assert scanner.finding([PDF]) == finding


def test_a_scan_ends_at_its_timeout(clamd: FakeClamd) -> None:
    clamd.is_silent = True
    with pytest.raises(NotScanned):
        Clamd.at(clamd.url, 0.1).finding([PDF])


def test_a_size_limit_of_the_scanner_is_reported(clamd: FakeClamd) -> None:
    clamd.limit = 1000
    with pytest.raises(NotScanned, match=r"size limit exceeded|Error"):
        Clamd.at(clamd.url, 5.0).finding([b"x" * 65536] * 100)


def test_a_missing_scanner_is_unavailable(tmp_path: Path) -> None:
    with fake_clamd() as gone:
        pass
    for url in (gone.url, f"unix://{tmp_path}/nothing"):
        with pytest.raises(ScannerUnavailable):
            Clamd.at(url, 1.0).finding([PDF])


@pytest.mark.parametrize(
    "url",
    ["clamd", "tcp://", "tcp://host", "unix://", "unix:", "unix://a/b", "http://a:1"],
)
def test_a_malformed_address_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match="tcp://HOST:PORT or unix:///PATH"):
        open_scanner(url, 1.0)


def test_without_an_address_nothing_is_scanned() -> None:
    assert open_scanner("", 1.0) is None


# ---- what becomes of files


def test_a_clean_file_is_ready_at_once(watched: tuple[Scenario, FakeClamd]) -> None:
    scenario, scanner = watched
    file = scenario.upload("nat", NORTH)
    scenario.post("nat", NORTH, files=(file,))
    assert scenario.download("ivy", file) == PDF
    assert scanner.files == [PDF]


def test_an_infected_file_is_refused_and_recorded(
    watched: tuple[Scenario, FakeClamd], caplog: pytest.LogCaptureFixture
) -> None:
    scenario, _ = watched
    with caplog.at_level(logging.WARNING):
        code = refusal(
            lambda: scenario.upload("nat", NORTH, "eicar.csv", EICAR.encode())
        )
    assert code == INFECTED
    assert scenario.files_kept() == []
    with scenario.deps.database.reading() as session:
        assert session.scalars(select(AttachmentRow)).all() == []
    assert NAME in caplog.text
    assert "eicar.csv" not in caplog.text


def test_a_pending_file_is_not_available_to_anybody(
    away: tuple[Scenario, Callable[[], int]],
) -> None:
    scenario, back = away
    file = scenario.upload("nat", NORTH)
    for person, code in (
        ("nat", PENDING),
        ("nia", MISSING),
        ("ivy", MISSING),
        ("sam", MISSING),
    ):
        assert refusal(lambda p=person: scenario.download(p, file)) == code
    assert refusal(lambda: scenario.post("nat", NORTH, files=(file,))) == PENDING
    assert refusal(lambda: scenario.post("nia", NORTH, files=(file,))) == MISSING
    assert scanning.scan_pending(deps=scenario.deps) == 0
    assert back() == 1
    scenario.post("nat", NORTH, files=(file,))
    assert scenario.download("ivy", file) == PDF
    assert back() == 0


def test_a_file_found_infected_later_is_removed(
    away: tuple[Scenario, Callable[[], int]],
) -> None:
    scenario, back = away
    file = scenario.upload("nat", NORTH, "a.csv", EICAR.encode())
    good = scenario.upload("nat", NORTH)
    assert back() == 2
    assert len(scenario.files_kept()) == 1
    for call in (
        lambda: scenario.download("nat", file),
        lambda: scenario.post("nat", NORTH, files=(good, file)),
    ):
        assert refusal(call) == INFECTED
    assert refusal(lambda: scenario.download("nia", file)) == MISSING
    scenario.post("nat", NORTH, files=(good,))
    scenario.wait(hours=2)
    assert uploads.sweep_orphans(deps=scenario.deps) == 1
    assert refusal(lambda: scenario.download("nat", file)) == MISSING


def test_a_post_refused_for_a_pending_file_succeeds_with_the_same_key(
    away: tuple[Scenario, Callable[[], int]],
) -> None:
    scenario, back = away
    file = scenario.upload("nat", NORTH)
    with pytest.raises(Refused):
        scenario.post("nat", NORTH, key="k", files=(file,))
    back()
    assert scenario.post("nat", NORTH, key="k", files=(file,)).number == 1


def test_one_file_that_cannot_be_scanned_does_not_delay_the_rest(
    watched: tuple[Scenario, FakeClamd],
) -> None:
    scenario, scanner = watched
    scanner.reply = b"Cannot scan. ERROR\0"
    first, second = scenario.upload("nat", NORTH), scenario.upload("nat", NORTH)
    path = next(p for p in scenario.files_kept())
    path.unlink()
    scanner.reply = None
    assert scanning.scan_pending(deps=scenario.deps) == 1
    outcomes = []
    for file in (first, second):
        try:
            scenario.post("nat", NORTH, files=(file,))
            outcomes.append("posted")
        except Refused as refused:
            outcomes.append(refused.code)
    assert sorted(outcomes) == [PENDING, "posted"]


def test_a_pending_file_is_kept_a_day_then_an_hour_once_ready(
    away: tuple[Scenario, Callable[[], int]],
) -> None:
    scenario, back = away
    file = scenario.upload("nat", NORTH)
    scenario.wait(hours=23)
    assert uploads.sweep_orphans(deps=scenario.deps) == 0
    assert back() == 1
    scenario.wait(minutes=59)
    assert uploads.sweep_orphans(deps=scenario.deps) == 0
    scenario.wait(minutes=2)
    assert uploads.sweep_orphans(deps=scenario.deps) == 1
    assert refusal(lambda: scenario.download("nat", file)) == MISSING
    scenario.upload("nat", NORTH)
    scenario.wait(hours=25)
    assert uploads.sweep_orphans(deps=scenario.deps) == 1
    assert scenario.files_kept() == []
