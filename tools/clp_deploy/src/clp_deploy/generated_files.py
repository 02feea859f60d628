"""The generated files of `deploy/`, by their paths."""

import json
from pathlib import Path
from typing import Final

from clp_deploy.broker_permissions import definitions
from clp_deploy.database_roles import DATABASES, HOST_RULES, migration_of, roles_sql
from clp_deploy.environments import example_environment, migration_environment
from clp_deploy.health_alerts import health_alerts, with_health_panels
from clp_deploy.kubernetes import processes_yaml
from clp_deploy.processes import PROCESS_TYPES

DASHBOARD: Final = "observability/dashboard.json"


def generated_files() -> dict[str, str]:
    """The text of every generated file, by its path below `deploy/`."""
    environments = {
        f"environments/{process_type.name}.env": example_environment(process_type)
        for process_type in PROCESS_TYPES
    }
    environments |= {
        f"environments/{migration_of(service)}.env": migration_environment(service)
        for service in DATABASES
    }
    return environments | {
        "rabbitmq/definitions.json": json.dumps(definitions(), indent=1) + "\n",
        "postgresql/roles.sql": roles_sql(),
        "postgresql/pg_hba.conf": HOST_RULES,
        "kubernetes/base/processes.yaml": processes_yaml(),
        "observability/health.yaml": health_alerts(),
    }


def outdated_files(folder: Path) -> dict[str, str]:
    """The files that differ from what the code generates now, with their new text.

    The dashboard is written by hand but for its last row.
    """
    dashboard = folder / DASHBOARD
    wanted = generated_files() | (
        {DASHBOARD: with_health_panels(dashboard.read_text())}
        if dashboard.exists()
        else {}
    )
    return {
        name: text
        for name, text in wanted.items()
        if not (path := folder / name).exists() or path.read_text() != text
    }


def write_generated_files(folder: Path) -> list[str]:
    """Write the outdated files and return their paths."""
    changed = outdated_files(folder)
    for name, text in changed.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(changed)
