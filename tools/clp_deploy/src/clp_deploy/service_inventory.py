"""What each service does on the broker, read off its code.

What it answers, hears and announces is written at its entrypoints. Whom it calls is
found in its source: every call goes through an attribute named ``callers``, and names
the other service and the method; or a known helper makes it.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeGuard

from clp_chassis.events.outbox_relay import Relay
from clp_chassis.messaging import EventHandler, EverywhereEventHandler, Rpc
from clp_contracts import events, messages, notifications, projects, search
from clp_contracts.facts_cache import KnownFacts
from clp_contracts.methods import Method
from clp_deploy.processes import PROCESS_TYPES

CONTRACTS: Final[tuple[ModuleType, ...]] = (projects, messages, search, notifications)
SERVICES: Final = tuple(contract.SERVICE for contract in CONTRACTS)
CALLERS: Final = frozenset({"callers", "_callers"})
# Whoever else may be handed the callers of a service, and calls on its behalf.
HELPERS: Final = {"KnownFacts": KnownFacts}


@dataclass(frozen=True, slots=True)
class Hears:
    """A method of a service that hears events; ``everywhere``: in every process."""

    service: str
    method: str
    source: str
    types: tuple[str, ...]
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Dealings:
    """All that one service does on the broker, whichever of its processes does it."""

    service: str
    answers: tuple[str, ...]
    hears: tuple[Hears, ...]
    announces: tuple[str, ...]
    calls: tuple[str, ...]

    @property
    def hearing_services(self) -> tuple[str, ...]:
        """The names under which it hears, each with queues of its own."""
        return tuple(sorted({one.service for one in self.hears if not one.everywhere}))


@cache
def dealings() -> tuple[Dealings, ...]:
    """What every service does."""
    packages = {t.service: t.package for t in PROCESS_TYPES}
    return tuple(_dealings_of(service, packages[service]) for service in SERVICES)


def methods() -> dict[str, Method[Any, Any]]:
    """Every method of every contract, by ``service.method``."""
    return {
        f"{method.service}.{method.name}": method
        for contract in CONTRACTS
        for method in vars(contract).values()
        if isinstance(method, Method)
    }


def _dealings_of(service: str, package: str) -> Dealings:
    classes = list(_classes_of(import_module(f"{package}.service")))
    entrypoints = [
        (kind.name, name, entrypoint)
        for kind in classes
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        for entrypoint in getattr(method, "nameko_entrypoints", ())
    ]
    relays = [
        value
        for kind in classes
        for value in vars(kind).values()
        if isinstance(value, Relay)
    ]
    return Dealings(
        service=service,
        answers=tuple(sorted(f"{s}.{m}" for s, m, e in entrypoints if _is(e, Rpc))),
        hears=tuple(sorted(_heard(entrypoints), key=lambda one: one.method)),
        announces=_announced(service) if relays else (),
        calls=tuple(sorted(_called(Path(str(import_module(package).__file__)).parent))),
    )


def _classes_of(module: ModuleType) -> Iterator[Any]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__.startswith(module.__name__) and "name" in vars(kind):
            yield kind


def _heard(entrypoints: list[tuple[str, str, Any]]) -> Iterator[Hears]:
    for service, method, entrypoint in entrypoints:
        everywhere = _is(entrypoint, EverywhereEventHandler)
        if everywhere or _is(entrypoint, EventHandler):
            kind = (entrypoint.source, tuple(sorted(entrypoint.event_types)))
            yield Hears(service, method, *kind, everywhere)


def _is(entrypoint: Any, kind: type) -> bool:
    return isinstance(entrypoint, kind)


def _announced(service: str) -> tuple[str, ...]:
    prefix = f"clp.{service}."
    return tuple(sorted(t for t in events.EVENT_TYPES if t.startswith(prefix)))


def _called(folder: Path) -> set[str]:
    return {
        call
        for path in folder.rglob("*.py")
        for call in _calls_in(ast.parse(path.read_text()), path)
    }


def _calls_in(syntax: ast.AST, path: Path) -> Iterator[str]:
    for node in ast.walk(syntax):
        for child in ast.iter_child_nodes(node):
            if not _is_caller(child):
                continue
            if isinstance(node, ast.Attribute):
                yield f"{child.attr}.{node.attr}"
            else:
                yield from _calls_of_helper(node, child.attr, path)


def _is_caller(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in SERVICES
        and _last_name(node.value) in CALLERS
    )


def _calls_of_helper(node: ast.AST, service: str, path: Path) -> Iterator[str]:
    """The calls of whoever is handed the callers of a service."""
    name = _last_name(node.func) if isinstance(node, ast.Call) else ""
    if name not in HELPERS:
        raise TypeError(f"{path} hands callers.{service} to somebody who is not known")
    made = re.findall(rf"self\._{service}\.(\w+)\(", inspect.getsource(HELPERS[name]))
    yield from (f"{service}.{method}" for method in made)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
