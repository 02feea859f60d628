"""The list of process types and the code agree: each service and queue has a process."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import Finding, Source, sources_of

LIST = Path("deploy/processes.toml")
# Decorators that declare a durable queue for a method.
QUEUE_DECORATORS = frozenset(
    {"on_events", "on_broadcast_events", "event_handler", "consume"}
)


def unmatched_processes(root: Path) -> list[Finding]:
    """Listed process types missing in code, and services that no process runs."""
    listed = listed_services(root)
    there = dict(_services_in(root))
    absent = [
        Finding(LIST.as_posix(), 1, f"{process}: {service} is not in the code")
        for service, process in listed.items()
        if service not in there
    ]
    idle = [
        Finding(source.name, line, f"{service}: no process type runs it")
        for service, (source, line) in there.items()
        if service not in listed
    ]
    modules = [
        Finding(
            LIST.as_posix(), 1, f"{process['name']}: no {process['module']}.__main__"
        )
        for process in listed_processes(root)
        if not list(root.glob(f"services/*/src/{process['module']}/__main__.py"))
    ]
    return sorted(absent + idle + modules)


def listed_processes(root: Path) -> list[dict[str, object]]:
    """The listed process types."""
    text = (root / LIST).read_text(encoding="utf-8")
    processes: list[dict[str, object]] = tomllib.loads(text)["process"]
    return processes


def listed_services(root: Path) -> dict[str, str]:
    """Service class -> the process type that runs it."""
    return {
        str(service): str(process["name"])
        for process in listed_processes(root)
        for service in process["services"]  # type: ignore[attr-defined]
    }


def _services_in(root: Path) -> Iterator[tuple[str, tuple[Source, int]]]:
    for source in sources_of(root, ("services",)):
        for node in ast.walk(source.syntax):
            if isinstance(node, ast.ClassDef) and (
                _is_named(node) or _consumes_events(node)
            ):
                yield f"{_module(source)}:{node.name}", (source, node.lineno)


def _module(source: Source) -> str:
    parts = source.path.relative_to(source.root).with_suffix("").parts
    inside = parts[parts.index("src") + 1 :]
    return ".".join(part for part in inside if part != "__init__")


def _is_named(node: ast.ClassDef) -> bool:
    """Nameko identifies a service by the attribute `name` of its class."""
    return any(
        isinstance(statement, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "name" for t in statement.targets)
        for statement in node.body
    )


def _consumes_events(node: ast.ClassDef) -> bool:
    return any(
        _decorator_name(decorator) in QUEUE_DECORATORS
        for method in node.body
        if isinstance(method, ast.FunctionDef)
        for decorator in method.decorator_list
    )


def _decorator_name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    return (
        decorator.attr
        if isinstance(decorator, ast.Attribute)
        else getattr(decorator, "id", "")
    )
