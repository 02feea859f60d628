"""The files that guards read, and their findings."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from typing_extensions import override

ROOT = Path(__file__).resolve().parents[2]
CODE = ("libs", "services", "tools", "deploy", "bench", "tests")
SHIPPED = ("libs", "services", "tools")
# What git ignores, and in a linked worktree `.git`, a file with a path.
NOT_OURS = {
    line.strip("/")
    for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
} | {".git"}


@dataclass(frozen=True, order=True)
class Finding:
    """A violation with its path and line."""

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
        """The path relative to the root, with slashes."""
        return self.path.relative_to(self.root).as_posix()

    @cached_property
    def text(self) -> str:
        """The content of the file, read once."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def syntax(self) -> ast.Module:
        """The syntax tree, parsed once."""
        return ast.parse(self.text, filename=self.name)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the syntax tree."""
        return tuple(ast.walk(self.syntax))

    def finding(self, line: int, what: str) -> Finding:
        return Finding(self.name, line, what)


def files_of(root: Path, folders: tuple[str, ...] = (".",)) -> Iterator[Path]:
    """Our own files: nothing hidden, cached or built, but the settings at the root."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            hidden = any(part.startswith(".") for part in parts)
            kept = parts[0] == ".ci" or (len(parts) == 1 and path.is_file())
            ours = NOT_OURS.isdisjoint(parts)
            if path.is_file() and ours and (kept or not hidden):
                yield path


def sources_of(root: Path, folders: tuple[str, ...] = CODE) -> list[Source]:
    """The Python files of folders; those of this tree are read and parsed once."""
    if root == ROOT:
        return [
            s for s in _own_sources() if s.path.relative_to(ROOT).parts[0] in folders
        ]
    return _sources_below(root, folders)


@cache
def _own_sources() -> tuple[Source, ...]:
    return tuple(_sources_below(ROOT, CODE))


def _sources_below(root: Path, folders: tuple[str, ...]) -> list[Source]:
    python = (path for path in files_of(root, folders) if path.suffix == ".py")
    return [Source(root, path) for path in python]


def report(findings: list[Finding]) -> str:
    """The text of a failing guard."""
    return "\n".join(str(finding) for finding in sorted(findings))
