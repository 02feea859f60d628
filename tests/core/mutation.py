"""Mutation testing of the rules: ``python -m tests.core.mutation [FOLDER [PATTERN ...]]``.

mutmut wants the sources in ``src`` and writes beside them, so the rules and their tests
are staged in FOLDER (by default a new one that is removed again). What survives is
printed as a diff; ``mutation.md`` tells why what survives may. A PATTERN narrows the run
to mutants such as ``clp_core.routing.*``.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LIBRARY: Final = Path("libs/clp_core")
STAGED: Final = (
    "tests/conftest.py", "tests/core", "tests/cases",
    "libs/clp_core/README.md", "libs/clp_core/CHANGELOG.md",
    "libs/clp_core/pyproject.toml", "libs/clp_core/examples",
)  # fmt: skip
SETTINGS: Final = """
[tool.mutmut]
source_paths = ["src"]
also_copy = ["tests", "libs", "pyproject.toml"]
pytest_add_cli_args_test_selection = ["tests/core"]
pytest_add_cli_args = [
  "-p", "no:randomly", "-p", "tests.core.ids",
  "-o", "disable_test_id_escaping_and_forfeit_all_rights_to_community_support=true",
]
"""
WANTED: Final = 0.95
KILLED: Final = ("killed", "timeout", "segfault", "caught_by_type_check")


def main(arguments: Sequence[str]) -> int:
    if arguments:
        return judged(Path(arguments[0]), arguments[1:])
    with tempfile.TemporaryDirectory() as folder:
        return judged(Path(folder), ())


def judged(folder: Path, patterns: Sequence[str]) -> int:
    stage(folder)
    environment = {**os.environ, "CLP_PLAIN_TESTS": "1", "HYPOTHESIS_PROFILE": "ci"}

    def mutmut(*words: str) -> None:
        command = [sys.executable, "-m", "mutmut", *words]
        subprocess.run(command, cwd=folder, env=environment, check=True)

    mutmut("run", *patterns)
    mutmut("results")
    mutmut("export-cicd-stats")
    counts = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text())
    return told(counts)


def stage(folder: Path) -> None:
    """The rules and their tests, laid out as mutmut expects them."""
    package = folder / "src" / "clp_core"
    copied(ROOT / LIBRARY / "src" / "clp_core", package)
    for place in STAGED:
        copied(ROOT / place, folder / place)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(settings + SETTINGS, encoding="utf-8")


def copied(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copy2(source, place)
        return
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, place, dirs_exist_ok=True, ignore=leave_out)


def told(counts: Mapping[str, int]) -> int:
    """Print the share of mutants killed; the status is 1 when it is too small."""
    killed = sum(counts.get(word, 0) for word in KILLED)
    share = killed / max(counts["total"], 1)
    sys.stdout.write(f"{killed} of {counts['total']} mutants killed: {share:.1%}\n")
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
