"""What benches and tests import, and which commands explain themselves.

Nothing type-checks them and a bench runs rarely, so a name that moved is noticed here.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.architecture.tree import Finding, Source

MODULE = re.compile(r"-m ((?:bench|tests)[.\w]*)")
# What parses arguments, or hands them to pytest.
KNOWS_HELP = ("ArgumentParser(", "command_parser(", '"-m", "pytest"')


def absent_names(sources: Sequence[Source]) -> list[Finding]:
    """Names that a file imports from another one of ours, which has no such name."""
    modules = {_module_of(source): source for source in sources}
    names = {module: set(_names_in(source)) for module, source in modules.items()}
    return [
        source.finding(node.lineno, f"imports {name.name}, not in {node.module}")
        for source in sources
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and node.module in names
        for name in node.names
        if name.name not in names[node.module]
        and f"{node.module}.{name.name}" not in modules
        and not _is_package(modules, f"{node.module}.{name.name}")
    ]


def commands_without_help(targets: str, sources: Sequence[Source]) -> list[str]:
    """Modules that a target runs and that parse no arguments, so know no `--help`."""
    by_module = {_module_of(source): source for source in sources}
    return [
        module
        for module in sorted(set(MODULE.findall(targets)))
        if not any(sign in _command(by_module, module).text for sign in KNOWS_HELP)
    ]


def _command(modules: dict[str, Source], name: str) -> Source:
    return modules.get(f"{name}.__main__") or modules[name]


def _is_package(modules: dict[str, Source], name: str) -> bool:
    return any(module.startswith(f"{name}.") for module in modules)


def _module_of(source: Source) -> str:
    parts = list(Path(source.name).with_suffix("").parts)
    if "src" in parts:
        parts = parts[parts.index("src") + 1 :]
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def _names_in(source: Source) -> Iterator[str]:
    """Names that a module binds outside of functions and classes."""
    pending: list[ast.AST] = list(source.syntax.body)
    while pending:
        node = pending.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
                continue
            case ast.Import() | ast.ImportFrom():
                yield from ((a.asname or a.name).split(".")[0] for a in node.names)
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case _:
                pass
        pending.extend(ast.iter_child_nodes(node))
