"""Runs `projects` as a process of its own."""

from clp_chassis import patched  # isort: skip  # noqa: F401 - first: it patches the process

from clp_chassis.running import main
from clp_projects.service import build
from clp_projects.settings import Settings

if __name__ == "__main__":
    main("projects", Settings, build)
