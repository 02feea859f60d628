"""Every threat names an existing test, or the reason for having none."""

from pathlib import Path

from tests.security.threats import Threat, missing_tests, threats

EVERY = [f"T{number}" for number in (*range(1, 37), 38)]
SECURITY_PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def test_every_threat_is_listed_once_and_in_order() -> None:
    assert [threat.id for threat in threats()] == EVERY


def test_every_threat_has_a_test_or_says_why_not() -> None:
    silent = [t.id for t in threats() if bool(t.tests) == bool(t.instead)]
    assert not silent


def test_the_security_page_has_a_row_for_each_threat_to_services() -> None:
    page = SECURITY_PAGE.read_text(encoding="utf-8")
    for threat in threats():
        if int(threat.id[1:]) >= 25:
            (row,) = (x for x in page.splitlines() if x.startswith(f"| {threat.id} |"))
            assert threat.what in row
            assert all(f"`{test}`" in row for test in threat.tests)


def test_every_test_that_is_named_exists() -> None:
    assert list(missing_tests(threats())) == []


def test_a_test_that_does_not_exist_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("def test_there() -> None: ...\n")
    named = ("test_x.py::test_there", "test_x.py::test_gone", "test_y.py::test_there")
    threat = Threat(id="T1", what="", tests=named)

    assert list(missing_tests([threat], tmp_path)) == [
        "T1: test_x.py::test_gone",
        "T1: test_y.py::test_there",
    ]
