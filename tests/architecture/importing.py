"""Import contracts, judged by import-linter."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.tree import ROOT

SOURCE_FOLDERS = ("libs/*/src", "services/*/src", "tools/*/src")


def lint_imports(root: Path) -> dict[str, bool]:
    """Each contract of a tree, and whether it is kept."""
    roots = [
        str(folder) for place in SOURCE_FOLDERS for folder in sorted(root.glob(place))
    ]
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(roots), "COLUMNS": "500"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    judged = {}
    for line in linted.stdout.splitlines():
        for word in (" KEPT", " BROKEN"):
            name, found, _ = line.partition(word)
            if found:
                judged[name] = word == " KEPT"
    if not judged:
        raise RuntimeError(linted.stdout + linted.stderr)
    return judged


def contract_names(root: Path = ROOT) -> list[str]:
    """The names of the configured contracts."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    return [c["name"] for c in settings["tool"]["importlinter"]["contracts"]]
