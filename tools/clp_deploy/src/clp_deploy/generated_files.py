"""The files of `deploy/` that follow from the code, by their paths."""

import json
from pathlib import Path

from clp_deploy.broker_permissions import definitions
from clp_deploy.database_roles import roles_sql
from clp_deploy.environments import example_environment
from clp_deploy.kubernetes import processes_yaml
from clp_deploy.processes import PROCESS_TYPES


def drawn_files() -> dict[str, str]:
    """Every drawn file's text."""
    environments = {
        f"environments/{process_type.name}.env": example_environment(process_type)
        for process_type in PROCESS_TYPES
    }
    return environments | {
        "rabbitmq/definitions.json": json.dumps(definitions(), indent=1) + "\n",
        "postgresql/roles.sql": roles_sql(),
        "kubernetes/base/processes.yaml": processes_yaml(),
    }


def differing(folder: Path) -> list[str]:
    """The drawn files that are not as the code would draw them now."""
    return [
        name
        for name, text in drawn_files().items()
        if not (path := folder / name).exists() or path.read_text() != text
    ]


def write_files(folder: Path) -> list[str]:
    """Draw what differs; say what that was."""
    changed = differing(folder)
    for name in changed:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawn_files()[name])
    return changed
