"""Run `messages` as a process."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

from clp_chassis.process_command import main
from clp_messages.service import build, reach
from clp_messages.settings import Settings

if __name__ == "__main__":
    main("messages", Settings, build, reach=reach)
