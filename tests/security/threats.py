"""The list of threats, and the check that its tests exist."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("threats.toml")


@dataclass(frozen=True, kw_only=True)
class Threat:
    """One threat; `instead` says why it has no test."""

    id: str
    what: str
    tests: tuple[str, ...] = ()
    instead: str = ""
    left: str = ""


def threats(path: Path = LIST) -> list[Threat]:
    """All threats of the list."""
    listed = tomllib.loads(path.read_text())["threat"]
    return [Threat(**one | {"tests": tuple(one.get("tests", ()))}) for one in listed]


def missing_tests(listed: list[Threat], root: Path = ROOT) -> Iterator[str]:
    """Listed tests that do not exist."""
    for threat in listed:
        for test in threat.tests:
            file, _, function = test.partition("::")
            if function not in _functions_of(root / file):
                yield f"{threat.id}: {test}"


def _functions_of(path: Path) -> set[str]:
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
