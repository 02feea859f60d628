"""The process types of `deploy/processes.toml`, and how to build each."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clp_chassis.settings import ProcessSettings, read_settings

if TYPE_CHECKING:
    from clp_chassis.bootstrap import Process, ProcessContext

# A wheel carries the table beside this module; a checkout has it in `deploy/`.
_LOCATIONS: Final = (
    Path(__file__).with_name("processes.toml"),
    Path(__file__).resolve().parents[4] / "deploy" / "processes.toml",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessType:
    """One kind of running program.

    ``command`` follows ``python -m``; ``builder`` names the function that builds the
    process; ``migrates`` is true for the owner of its service's database schema.
    """

    name: str
    service: str
    command: tuple[str, ...]
    builder: str
    http: bool = False
    migrates: bool = False

    @property
    def package(self) -> str:
        """The package of the service."""
        return f"clp_{self.service}"

    def build(self, environ: Mapping[str, str], context: ProcessContext) -> Process:
        """Build the process in this interpreter, with the settings of ``environ``."""
        module, _, function = self.builder.partition(":")
        build: Callable[[Any, ProcessContext], Process]
        build = getattr(import_module(module), function)
        return build(read_settings(self.settings_type, self.service, environ), context)

    @property
    def settings_type(self) -> type[ProcessSettings]:
        """The class of the settings of its service."""
        found: type[ProcessSettings]
        found = import_module(f"{self.package}.settings").Settings
        return found


def read_process_types(path: Path) -> tuple[ProcessType, ...]:
    """The process types of a table, in its order."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["process"]
    return tuple(
        ProcessType(
            name=row["name"],
            service=row["module"].removeprefix("clp_"),
            command=(row["module"], *row["arguments"]),
            builder=row["build"],
            http=row["http"],
            migrates=row["migrates"],
        )
        for row in rows
    )


PROCESS_TYPES: Final = read_process_types(
    next(path for path in _LOCATIONS if path.exists())
)
