"""No file names a path of one machine or a package registry; none is a run's."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.architecture.tree import NOT_OURS, Finding, files_of

# In pieces, so that this file does not match itself.
MACHINE = (
    "/wo" + "rk/",
    "/ro" + "ot/",
    r"/ho" + r"me/[a-z]",
    r"/tm" + r"p/\w",
    r"\.\./sha" + "red",
)
REGISTRIES = (
    "py" + "pi", "python" + "hosted", r"deb\.deb" + "ian", r"archive\.ubu" + "ntu",
    "npm" + "js", "rubyge" + "ms", r"crates\.i" + "o", r"proxy\.gola" + "ng",
)  # fmt: skip
PATHS = re.compile("|".join(rf"(?<![\w.$}}/]){place}" for place in MACHINE))
ADDRESSES = re.compile(
    rf"(https?|file)://[^\s\"'<>]*({'|'.join(REGISTRIES)})", re.IGNORECASE
)
# Case files contain such paths as hostile names.
TABLES = {".json", ".jsonl", ".csv"}


def machine_paths(root: Path) -> list[Finding]:
    """Lines that name a path outside the checkout."""
    found: list[Finding] = []
    for path in files_of(root):
        if path.suffix in TABLES:
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(lines, start=1):
            for pattern, what in ((PATHS, "a path"), (ADDRESSES, "a registry")):
                if met := pattern.search(line):
                    found.append(Finding(name, number, f"names {what}: {met[0]}"))
    return found


def leftovers(names: Iterable[str]) -> list[str]:
    """Files below a folder that git is told to ignore."""
    return [name for name in names if not NOT_OURS.isdisjoint(name.split("/"))]


def tracked_files(root: Path) -> list[str]:
    """The names that git holds; none in a copy without git."""
    if not (root / ".git").exists() or shutil.which("git") is None:
        return []
    # The checkout may belong to another account.
    command = ["git", "-c", "safe.directory=*", "ls-files"]
    listed = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()
