"""Run `projects` as a process."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

from clp_chassis.process_command import main
from clp_projects.service import build
from clp_projects.settings import Settings

if __name__ == "__main__":
    main("projects", Settings, build)
