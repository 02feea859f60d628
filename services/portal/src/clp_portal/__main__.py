"""Run `portal` as a process."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

from clp_chassis.process_command import main
from clp_portal.service import build, reach
from clp_portal.settings import Settings

if __name__ == "__main__":
    main("portal", Settings, build, reach=reach)
