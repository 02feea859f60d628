"""The RPC methods, event subscriptions and calls of each service, read from its code.

Methods, subscriptions and published events come from the Nameko entrypoints. Calls are
found in the syntax: each goes through an attribute named ``clients`` and names service
and method, or a known helper makes it.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeGuard

from clp_chassis.events.outbox_relay import OutboxRelay
from clp_chassis.messaging import BroadcastEventHandler, EventHandler, Rpc
from clp_contracts import events, messages, notifications, portal, projects, search
from clp_contracts.broker_users import SERVICES
from clp_contracts.facts_cache import FactsCache
from clp_contracts.message_feed import MessageFeed
from clp_contracts.methods import Method
from clp_deploy.processes import PROCESS_TYPES

CONTRACTS: Final[tuple[ModuleType, ...]] = (
    projects,
    messages,
    search,
    notifications,
    portal,
)
CLIENTS: Final = frozenset({"clients", "_clients"})
# Classes that take a client of a service as an argument and call it.
HELPERS: Final = {"FactsCache": FactsCache, "MessageFeed": MessageFeed}


@dataclass(frozen=True, slots=True)
class Subscription:
    """An event handler of a service; ``broadcast`` handlers run in every process."""

    service: str
    method: str
    source: str
    types: tuple[str, ...]
    broadcast: bool


@dataclass(frozen=True, slots=True)
class ServiceInventory:
    """The broker traffic of one service, of all its process types."""

    service: str
    methods: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
    publishes: tuple[str, ...]
    calls: tuple[str, ...]

    @property
    def subscribing_services(self) -> tuple[str, ...]:
        """The Nameko service names with queues of their own."""
        return tuple(
            sorted({one.service for one in self.subscriptions if not one.broadcast})
        )


@cache
def service_inventories() -> tuple[ServiceInventory, ...]:
    """The inventory of every service."""
    packages = {t.service: t.package for t in PROCESS_TYPES}
    return tuple(_inventory_of(service, packages[service]) for service in SERVICES)


def methods() -> dict[str, Method[Any, Any]]:
    """Every method of every contract, by ``service.method``."""
    return {
        f"{method.service}.{method.name}": method
        for contract in CONTRACTS
        for method in vars(contract).values()
        if isinstance(method, Method)
    }


@cache
def subjects_of_methods() -> dict[str, frozenset[str]]:
    """The services that each served method accepts calls of."""
    packages = {t.service: t.package for t in PROCESS_TYPES}
    return {
        f"{kind.name}.{name}": method.clp_subjects
        for service in SERVICES
        for kind in _classes_of(import_module(f"{packages[service]}.service"))
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if hasattr(method, "clp_subjects")
    }


def _inventory_of(service: str, package: str) -> ServiceInventory:
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
        if isinstance(value, OutboxRelay)
    ]
    return ServiceInventory(
        service=service,
        methods=tuple(sorted(f"{s}.{m}" for s, m, e in entrypoints if _is(e, Rpc))),
        subscriptions=tuple(
            sorted(_subscriptions(entrypoints), key=lambda one: one.method)
        ),
        publishes=_published(service) if relays else (),
        calls=tuple(sorted({*_calls_of_package(package), *_calls_by_table(package)})),
    )


def _classes_of(module: ModuleType) -> Iterator[Any]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__.startswith(module.__name__) and "name" in vars(kind):
            yield kind


def _subscriptions(entrypoints: list[tuple[str, str, Any]]) -> Iterator[Subscription]:
    for service, method, entrypoint in entrypoints:
        broadcast = _is(entrypoint, BroadcastEventHandler)
        if broadcast or _is(entrypoint, EventHandler):
            kind = (entrypoint.source, tuple(sorted(entrypoint.event_types)))
            yield Subscription(service, method, *kind, broadcast)


def _is(entrypoint: Any, kind: type) -> bool:
    return isinstance(entrypoint, kind)


def _published(service: str) -> tuple[str, ...]:
    prefix = f"clp.{service}."
    return tuple(sorted(t for t in events.EVENT_TYPES if t.startswith(prefix)))


def _calls_by_table(package: str) -> Iterator[str]:
    """The methods that a table of HTTP operations calls by their contract."""
    if find_spec(f"{package}.api") is None:
        return
    for operation in import_module(f"{package}.api.routes").OPERATIONS:
        yield f"{operation.method.service}.{operation.method.name}"


def _calls_of_package(package: str) -> set[str]:
    folder = Path(str(import_module(package).__file__)).parent
    return {
        call
        for path in folder.rglob("*.py")
        for call in _calls_in(ast.parse(path.read_text()), path)
    }


def _calls_in(syntax: ast.AST, path: Path) -> Iterator[str]:
    for node in ast.walk(syntax):
        for child in ast.iter_child_nodes(node):
            if not _is_client(child):
                continue
            if isinstance(node, ast.Attribute):
                yield f"{child.attr}.{node.attr}"
            else:
                yield from _calls_of_helper(node, child.attr, path)


def _is_client(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in SERVICES
        and _last_name(node.value) in CLIENTS
    )


def _calls_of_helper(node: ast.AST, service: str, path: Path) -> Iterator[str]:
    """The calls of a helper that takes the client of a service."""
    name = _last_name(node.func) if isinstance(node, ast.Call) else ""
    if name not in HELPERS:
        raise TypeError(f"{path} passes clients.{service} to an unknown helper")
    found = re.findall(rf"self\._{service}\.(\w+)\(", inspect.getsource(HELPERS[name]))
    yield from (f"{service}.{method}" for method in found)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
