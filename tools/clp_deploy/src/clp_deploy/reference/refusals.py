"""The refusal codes that a method can reach, found in the syntax of its code.

A function is followed through the imports of its module, a method by its name where one
class of the service alone has it. So a code is listed when some path of the code leads
to it, whether or not the arguments of this method can take that path.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

from clp_contracts.error_codes import CODES
from clp_core.decisions import Reason
from clp_deploy.processes import PROCESS_TYPES

# Of every method, before or after it does its work.
OF_EVERY_METHOD: Final = (
    "calls.too_many",
    "passport.missing",
    "passport.refused",
    "passport.wrong_kind",
    "request.malformed",
    "service.failed",
    "service.unavailable",
)
SHARED: Final = ("clp_core", "clp_contracts", "clp_chassis")
# They list every code.
LISTS: Final = ("clp_contracts.error_codes", "clp_core.decisions")

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Module:
    """The functions and constants of a module and its classes, and its imports."""

    functions: dict[str, list[ast.stmt]]
    imports: dict[str, str]


def refusals_of(service: str, method: str) -> tuple[str, ...]:
    """The codes of refusals that a method can reach, besides those of every method."""
    package = next(t.package for t in PROCESS_TYPES if t.service == service)
    code = _code_of(package)
    seen, waiting, codes = set[Place](), list(code.named(method, "service")), set[str]()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        found, references = code.read(place)
        codes |= found
        waiting += references
    return tuple(sorted(codes - set(OF_EVERY_METHOD)))


class _Code:
    """The modules that a service may reach without a call to another one."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._modules = {
            n: m for p in (package, *SHARED) for n, m in _modules(p).items()
        }
        self._own: dict[str, list[str]] = {}
        for name, content in self._modules.items():
            for function in content.functions if name.startswith(package) else ():
                self._own.setdefault(function, []).append(name)
        self._read: dict[Place, tuple[set[str], set[Place]]] = {}

    def named(self, name: str, within: str) -> Iterator[Place]:
        for module, content in self._modules.items():
            if f"{self._package}.{within}" in module and name in content.functions:
                yield module, name

    def read(self, place: Place) -> tuple[set[str], set[Place]]:
        """The codes that functions of a place name, and the places that they name."""
        if place not in self._read:
            module, name = place
            functions = self._modules[module].functions[name]
            self._read[place] = (
                {code for function in functions for code in _codes_in(function)},
                {
                    p
                    for function in functions
                    for p in self._references(module, function)
                },
            )
        return self._read[place]

    def _references(self, module: str, function: ast.stmt) -> Iterator[Place]:
        for node in ast.walk(function):
            if isinstance(node, ast.Name):
                yield from self._place(module, node.id)
            elif isinstance(node, ast.Attribute):
                yield from self._attribute(module, node)

    def _place(self, module: str, name: str) -> Iterator[Place]:
        """Find the function of a name in a module, through packages if need be."""
        content = self._modules.get(module)
        if content is None:
            return
        if name in content.functions:
            yield module, name
        elif target := content.imports.get(name):
            yield from self._place(*_split(target))

    def _attribute(self, module: str, node: ast.Attribute) -> Iterator[Place]:
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        target = self._modules[module].imports.get(owner)
        if target in self._modules:
            yield from self._place(str(target), node.attr)
            return
        owners = self._own.get(node.attr, [])
        if len(owners) == 1:
            yield owners[0], node.attr


@cache
def _code_of(package: str) -> _Code:
    return _Code(package)


def _split(dotted: str) -> Place:
    module, _, name = dotted.rpartition(".")
    return module, name


@cache
def _modules(package: str) -> dict[str, Module]:
    folder = Path(str(import_module(package).__file__)).parent
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name in LISTS:
            continue
        found[name] = _module(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _module(syntax: ast.Module) -> Module:
    module = Module({}, {})
    for node in ast.walk(syntax):
        if isinstance(node, ast.Module | ast.ClassDef):
            for statement in node.body:
                for name in _names_of(statement):
                    module.functions.setdefault(name, []).append(statement)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                target = f"{node.module}.{alias.name}"
                module.imports[alias.asname or alias.name] = target
    return module


def _names_of(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef):
        yield statement.name
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    for target in filter(None, targets):
        yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _codes_in(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and node.value in CODES:
            yield str(node.value)
        if isinstance(node, ast.Attribute) and node.attr in Reason.__members__:
            code = Reason[node.attr].value
            if code in CODES:
                yield code
