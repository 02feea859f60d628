"""Runs `projects` as a process of its own."""

from clp_chassis.runner import main
from clp_projects.service import build
from clp_projects.settings import Settings

if __name__ == "__main__":
    main("projects", Settings, build)
