"""One module reads the clock and creates ids, so that tests can set both."""

import ast
from pathlib import Path

from tests.architecture.tree import SHIPPED, Finding, sources_of

CLOCK = "clp_chassis/clock.py"
# Differences (monotonic, perf_counter) are not the time of day and are free to use.
CLOCK_CALLS = frozenset({
    "datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow",
    "datetime.date.today", "time.time", "time.time_ns", "time.localtime", "time.gmtime",
    "uuid.uuid1", "uuid.uuid4",
})  # fmt: skip


def clock_readers(root: Path) -> list[Finding]:
    """Calls outside the clock module that read the time of day or create a uuid."""
    found: list[Finding] = []
    for source in sources_of(root, SHIPPED):
        if source.name.endswith(CLOCK):
            continue
        syntax = source.syntax
        meanings = _imported(syntax)
        for node in ast.walk(syntax):
            if isinstance(node, ast.Attribute | ast.Name):
                meant = _meaning(node, meanings)
                if meant in CLOCK_CALLS:
                    found.append(source.finding(node.lineno, f"reads {meant}"))
    return found


def _imported(syntax: ast.Module) -> dict[str, str]:
    meanings: dict[str, str] = {}
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            for name in node.names:
                meanings[name.asname or name.name] = name.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                meanings[name.asname or name.name] = f"{node.module}.{name.name}"
    return meanings


def _meaning(node: ast.expr, meanings: dict[str, str]) -> str | None:
    match node:
        case ast.Name(id=name):
            return meanings.get(name)
        case ast.Attribute(value=value, attr=name):
            owner = _meaning(value, meanings)
            return f"{owner}.{name}" if owner else None
        case _:
            return None
