"""The process types, and the environment each of them reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from clp_chassis.settings import read_settings

if TYPE_CHECKING:
    from clp_chassis.bootstrap import Process, Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessType:
    """One kind of running program.

    ``command`` follows ``python -m``; ``builder`` is the function that puts the
    process together; ``migrates`` says whether it owns its service's database schema.
    """

    name: str
    service: str
    command: tuple[str, ...]
    builder: str
    migrates: bool = False

    @property
    def package(self) -> str:
        """The package of the service."""
        return f"clp_{self.service}"

    def build(self, environ: Mapping[str, str], surroundings: Surroundings) -> Process:
        """Put the process together in this program."""
        module, _, function = self.builder.partition(":")
        build: Callable[[Any, Surroundings], Process]
        build = getattr(import_module(module), function)
        settings = import_module(f"{self.package}.settings").Settings
        prefix = f"CLP_{self.service.upper()}"
        return build(read_settings(settings, prefix, environ), surroundings)


PROCESS_TYPES: Final = (
    ProcessType(
        name="projects",
        service="projects",
        command=("clp_projects",),
        builder="clp_projects.service:build",
        migrates=True,
    ),
    ProcessType(
        name="messages",
        service="messages",
        command=("clp_messages",),
        builder="clp_messages.service:build",
        migrates=True,
    ),
    ProcessType(
        name="search",
        service="search",
        command=("clp_search",),
        builder="clp_search.service:build",
    ),
    ProcessType(
        name="notifications",
        service="notifications",
        command=("clp_notifications",),
        builder="clp_notifications.service:build",
        migrates=True,
    ),
    ProcessType(
        name="delivery",
        service="notifications",
        command=("clp_notifications", "delivery"),
        builder="clp_notifications.service:build_delivery",
    ),
)
