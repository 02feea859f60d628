"""Programs that use the broker apply Eventlet's patch before any other import."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

PATCH = "monkey_patch"
PROGRAMS = sorted(
    path
    for pattern in ("services/*/src/*/__main__.py", "tests/faults/__main__.py")
    for path in ROOT.glob(pattern)
)


def first_import(path: Path) -> str:
    """The names of the first import of a module, apart from future imports."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                continue
            return ast.unparse(node)
    return ""


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_program_patches_the_process_first(path: Path) -> None:
    assert PATCH in first_import(path)


def test_a_program_that_patches_later_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text("import os\nfrom clp_chassis.concurrency import monkey_patch\n")
    assert PATCH not in first_import(path)
