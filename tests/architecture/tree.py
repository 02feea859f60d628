"""The files a guard looks at, and what it reports about them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

ROOT = Path(__file__).resolve().parents[2]
CODE = ("libs", "services", "tools", "bench", "tests")
SHIPPED = ("libs", "services", "tools")
# In a linked checkout `.git` is a file, and holds a path.
NOT_OURS = {"mutants", "build", "dist", "htmlcov", "demo-data", "run-data", ".git"}


@dataclass(frozen=True, order=True)
class Finding:
    """A place that breaks the shape of the tree, and how."""

    path: str
    line: int
    what: str

    @override
    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Source:
    """One Python file of a tree."""

    root: Path
    path: Path

    @property
    def name(self) -> str:
        """The path as it is spoken of: relative, with slashes."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def syntax(self) -> ast.Module:
        return ast.parse(self.text, filename=self.name)

    def finding(self, line: int, what: str) -> Finding:
        return Finding(self.name, line, what)


def files_of(root: Path, folders: tuple[str, ...] = (".",)) -> Iterator[Path]:
    """The files we wrote: nothing hidden, cached or built, save the settings at the root."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            hidden = any(part.startswith(".") for part in parts)
            kept = parts[0] == ".ci" or (len(parts) == 1 and path.is_file())
            ours = NOT_OURS.isdisjoint(parts) and "__pycache__" not in parts
            if path.is_file() and ours and (kept or not hidden):
                yield path


def sources_of(root: Path, folders: tuple[str, ...] = CODE) -> Iterator[Source]:
    """The Python files of some folders."""
    for path in files_of(root, folders):
        if path.suffix == ".py":
            yield Source(root, path)


def report(findings: list[Finding]) -> str:
    """What a failing guard prints."""
    return "\n".join(str(finding) for finding in sorted(findings))
