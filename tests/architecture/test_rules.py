"""Each numbered rule of docs/rules.md has tests, and each of them exists."""

import re
import tomllib
from pathlib import Path

from tests.architecture.tree import ROOT

TABLE: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("rules.toml").read_text(encoding="utf-8")
)
NUMBERED = re.compile(r"^(\d+)\. ", re.MULTILINE)


def lacking(rules: str, table: dict[str, list[str]], root: Path) -> set[str]:
    """Rules without a test, tests that are gone, and rows of no rule."""
    numbers = set(NUMBERED.findall(rules))
    gone = {
        named for tests in table.values() for named in tests if not _exists(named, root)
    }
    untested = {number for number in numbers if not table.get(number)}
    return gone | untested | (set(table) - numbers)


def _exists(named: str, root: Path) -> bool:
    module, _, test = named.partition(": ")
    path = root / "tests" / module
    return path.is_file() and bool(
        re.search(rf"^def {test}\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_every_rule_has_its_tests() -> None:
    rules = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")

    assert lacking(rules, TABLE, ROOT) == set()


def test_a_rule_without_a_test_is_noticed() -> None:
    rules = "1. Access.\n2. Nothing.\n"
    one = ["architecture/test_rules.py: test_every_rule_has_its_tests"]
    other = ["architecture/test_rules.py: test_that_is_gone"]

    assert lacking(rules, {"1": one, "2": one}, ROOT) == set()
    assert lacking(rules, {"1": one}, ROOT) == {"2"}
    assert lacking(rules, {"1": one, "2": other}, ROOT) == set(other)
    assert lacking(rules, {"1": one, "2": one, "3": one}, ROOT) == {"3"}
