"""Run `messages` as a process."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

from clp_chassis.runner import main
from clp_messages.service import build
from clp_messages.settings import Settings

if __name__ == "__main__":
    main("messages", Settings, build)
