"""One word per concept: refuse the words that the dictionary replaces."""

import ast
import re
from bisect import bisect
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from itertools import accumulate
from pathlib import Path

from tests.architecture.tree import CODE, SHIPPED, Finding, Source, files_of, sources_of
from tests.architecture.vocabulary import (
    AMBIGUOUS,
    ARGUMENT,
    CATCH_ALL_NAMES,
    CLASS,
    EXCEPTIONS,
    FIELD,
    FUNCTION,
    LIMITS,
    MODULE,
    PRODUCT,
    SAY_LIMIT,
    TECHNICAL,
    VARIABLE,
    Ambiguous,
)

TEXT_SUFFIXES = {
    ".cfg", ".conf", ".css", ".env", ".html", ".js", ".md", ".mjs", ".py", ".sh", ".sql",
    ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip
TEXT_NAMES = {"Makefile", "Dockerfile", "dashboard.json"}
# Files of refused words, and of sample texts in many languages.
NOT_PROSE = (
    "tests/architecture/vocabulary.py", "tests/architecture/test_naming.py",
    "tests/core/mentions/rows.toml", "tests/cases/*",
)  # fmt: skip

Name = tuple[int, str, str]


def catch_all_modules(root: Path) -> list[Finding]:
    """Modules and folders whose name states no subject."""
    found = set()
    for source in sources_of(root, CODE):
        parts = source.path.relative_to(root).with_suffix("").parts
        # The first folder is the tree's own: libs, services, tools, tests.
        for part in parts[1:]:
            if part.lower().strip("_") in CATCH_ALL_NAMES:
                found.add(source.finding(1, f"a catch-all name: {part}"))
    return sorted(found)


def foreign_words(root: Path) -> list[Finding]:
    """Names that use another word than the product's."""
    return [
        source.finding(line, f"{name}: say {say}, not {word}")
        for source in sources_of(root, SHIPPED)
        if "migrations" not in source.path.parts
        for line, _, name in _names_in(source)
        for word, say in _foreign_in(name)
    ]


@cache
def _foreign_in(name: str) -> list[tuple[str, str]]:
    return [
        (word, say)
        for word, say in PRODUCT.items()
        if re.search(rf"(^|_){word}s?(_|$)", snake(name))
    ]


def refused_texts(root: Path) -> list[Finding]:
    """Technical words refused everywhere: names, comments, documents, metrics, logs."""
    found: list[Finding] = []
    for path in files_of(root):
        name = path.relative_to(root).as_posix()
        if _is_prose(name, path):
            found += _refused_in(name, path.read_text(encoding="utf-8"))
    return found


def refused_identifiers(root: Path) -> list[Finding]:
    """Whole identifiers that are an ambiguous word."""
    return [
        source.finding(line, f"{kind} {name}: say {word.say}")
        for source in sources_of(root, CODE)
        if not _is_exempt_file(source.name)
        for line, kind, name in _names_in(source)
        for word in _ambiguous_in(name)
        if kind in word.kinds and not _is_exempt(source.name, snake(name))
    ]


@cache
def _ambiguous_in(name: str) -> list[Ambiguous]:
    whole = snake(name).strip("_")
    return [word for word in AMBIGUOUS if re.fullmatch(word.pattern, whole)]


def snake(text: str) -> str:
    """Names in camel case as snake case, all in lower case; keeps line breaks."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()


def _refused_in(name: str, text: str) -> Iterator[Finding]:
    flat = snake(text)
    lines = list(accumulate(len(line) for line in flat.splitlines(keepends=True)))
    pattern, says = _technical()
    for match in pattern.finditer(flat):
        if not _is_exempt(name, flat[max(0, match.start() - 40) : match.end() + 40]):
            say = says[match.lastindex or 0]
            number = bisect(lines, match.start()) + 1
            yield Finding(name, number, f"{match[0]}: say {say}")
    for number, line in enumerate(text.splitlines(), start=1):
        if limit := re.search(LIMITS, line):
            yield Finding(name, number, f"{limit[0]}: say {SAY_LIMIT}")


@cache
def _technical() -> tuple[re.Pattern[str], list[str]]:
    """One pattern with a group for each word, and what to say by group number."""
    words = [word.replace(" ", r"[\s_-]+") for word in TECHNICAL]
    groups = "|".join(f"({word})" for word in words)
    return re.compile(rf"(?<![a-z])(?:{groups})(?![a-z])"), ["", *TECHNICAL.values()]


def _is_prose(name: str, path: Path) -> bool:
    kind = path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES
    return kind and not _is_exempt_file(name)


def _is_exempt_file(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in NOT_PROSE)


def _is_exempt(name: str, text: str) -> bool:
    return any(
        fnmatch(name, known.path) and re.search(known.match, text)
        for known in EXCEPTIONS
    )


def _names_in(source: Source) -> Iterator[Name]:
    """Line, kind and name of everything a file defines."""
    yield 1, MODULE, source.path.stem
    fields = {
        id(target)
        for node in source.nodes
        if isinstance(node, ast.ClassDef)
        for target in map(_assigned, node.body)
    }
    for node in source.nodes:
        match node:
            case ast.ClassDef(name=name):
                yield node.lineno, CLASS, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, FUNCTION, name
            case ast.arg(arg=name):
                yield node.lineno, ARGUMENT, name
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, FIELD if id(node) in fields else VARIABLE, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, FIELD, name
            case _:
                pass


def _assigned(statement: ast.stmt) -> ast.expr | None:
    """The target of a statement that assigns one name."""
    match statement:
        case ast.AnnAssign(target=target) | ast.Assign(targets=[target]):
            return target
        case _:
            return None
