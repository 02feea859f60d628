"""The page on security names every requirement, and tests that exist."""

import re
from pathlib import Path

from tests.security.threats import Threat, missing_tests

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)
# ASVS 5.0.0: how many requirements each section has of levels 1 and 2, in their order
# (of V8, of level 3 as well). Those of level 3 come last in each section.
REQUIREMENTS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2,
    "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2,
    "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
    "8.1": 4, "8.2": 4, "8.3": 3, "8.4": 2,
    "9.1": 3, "9.2": 4,
    "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3,
    "12.1": 3, "12.2": 2, "12.3": 4,
    "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5,
    "14.1": 2, "14.2": 4, "14.3": 3,
    "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3,
}  # fmt: skip
UNTESTED = ("Does not apply: ", "Left to ")


def listed() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The response to each requirement, and the tests it names."""
    return {
        number: (response, tuple(re.findall(r"`([^`]+)`", tests)))
        for number, _, response, tests in ROW.findall(PAGE.read_text())
    }


def test_every_requirement_is_listed_once_and_in_order() -> None:
    requirements = [
        f"{section}.{n + 1}"
        for section, many in REQUIREMENTS.items()
        for n in range(many)
    ]
    found = [number for number, *_ in ROW.findall(PAGE.read_text())]
    assert found == requirements


def test_a_response_without_a_test_says_why() -> None:
    silent = [
        number
        for number, (response, tests) in listed().items()
        if not tests and not response.startswith(UNTESTED)
    ]
    assert silent == []


def test_every_test_that_the_page_names_exists() -> None:
    rows = [
        Threat(id=number, what="", tests=tests)
        for number, (_, tests) in listed().items()
    ]
    assert list(missing_tests(rows)) == []


def test_the_page_says_what_is_logged() -> None:
    page = PAGE.read_text()
    assert "## What is logged" in page
    assert "standard error and nowhere else" in page
    # Nobody opens a log file of his own.
    homes = ("libs/*/src", "services/*/src", "tools/*/src")
    sources = [path for home in homes for path in ROOT.glob(f"{home}/**/*.py")]
    assert len(sources) > 100
    assert [
        p for p in sources if re.search(r"logging\.FileHandler|SysLog", p.read_text())
    ] == []


def test_the_page_classifies_the_data_of_every_service() -> None:
    _, _, after = PAGE.read_text().partition("### Data and its protection\n")
    table = after.partition("\n\n| | requirement")[0]
    classes = re.findall(r"^\| (\w+)", table, re.MULTILINE)
    assert {"secret", "confidential", "personal", "internal"} <= set(classes)
    for service in ROOT.glob("services/*/pyproject.toml"):
        assert f"`{service.parent.name}`" in table


def test_the_broker_is_told_of_two_versions_of_tls_and_no_open_port() -> None:
    told = (ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text().splitlines()
    assert "listeners.tcp = none" in told
    versions = {
        line.rpartition(" ")[2] for line in told if "ssl_options.versions" in line
    }
    assert versions == {"tlsv1.2", "tlsv1.3"}
    assert "max_message_size = 16777216" in told, "T34"
