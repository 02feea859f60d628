"""The fields of the contracts: one name, one meaning, one shape."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, Union, get_args, get_origin, get_type_hints

from clp_contracts.methods import Method

MODULES = ("feed", "messages", "notifications", "portal", "projects", "search")


def methods() -> Iterator[Method[Any, Any]]:
    """Every method of every service."""
    for name in MODULES:
        for value in vars(import_module(f"clp_contracts.{name}")).values():
            if isinstance(value, Method):
                yield value


def contracts() -> set[type]:
    """Every request and response, and what they hold."""
    found: set[type] = set()
    waiting = [shape for one in methods() for shape in (one.request, one.response)]
    while waiting:
        shape = waiting.pop()
        if shape not in found:
            found.add(shape)
            waiting += [
                part
                for hint in get_type_hints(shape).values()
                for part in _parts(hint)
                if is_dataclass(part) and isinstance(part, type)
            ]
    return found


def used() -> Mapping[str, set[str]]:
    """The shapes of each field name."""
    shapes: dict[str, set[str]] = {}
    for contract in contracts():
        hints = get_type_hints(contract)
        for field in fields(contract):
            shapes.setdefault(field.name, set()).add(shape_of(hints[field.name]))
    return shapes


def shape_of(hint: Any) -> str:
    """A type as the table writes it: ``str``, ``Hit*`` for many; None is left out."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return " | ".join(shape_of(a) for a in arguments if a is not type(None))
    if origin is tuple:
        return f"{shape_of(arguments[0])}*"
    if origin is dict or hint is dict:
        return "map"
    return str(hint.__name__)


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for argument in get_args(hint):
        yield from _parts(argument)
