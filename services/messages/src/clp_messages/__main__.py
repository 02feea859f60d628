"""Runs `messages` as a process of its own."""

from clp_chassis.runner import main
from clp_messages.service import build
from clp_messages.settings import Settings

if __name__ == "__main__":
    main("messages", Settings, build)
