"""Length budgets of files and functions; exceptions are listed here."""

import ast
from pathlib import Path

from tests.architecture.tree import Finding, sources_of

FILE_LINES = 500
FUNCTION_LINES = 50
# path -> allowed lines, each with its reason. Migrations are not measured.
RAISED: dict[str, int] = {}


def over_budget(root: Path) -> list[Finding]:
    """Files and functions over budget."""
    found: list[Finding] = []
    for source in sources_of(root):
        if "migrations" in source.path.parts:
            continue
        lines = len(source.text.splitlines())
        allowed = RAISED.get(source.name, FILE_LINES)
        if lines > allowed:
            found.append(source.finding(1, f"{lines} lines, allowed are {allowed}"))
        for node in ast.walk(source.syntax):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                what = f"{node.name} has {length} lines, allowed are {FUNCTION_LINES}"
                found.append(source.finding(node.lineno, what))
    return found
