"""Runs one of the two process types: routing, or with ``delivery`` the deliveries."""

from clp_chassis import patched  # isort: skip  # noqa: F401 - first: it patches the process

import sys

from clp_chassis.running import main
from clp_notifications.service import build, build_delivery
from clp_notifications.settings import Settings

BUILDERS = {(): (build, "notifications"), ("delivery",): (build_delivery, "delivery")}

if __name__ == "__main__":
    if tuple(sys.argv[1:]) not in BUILDERS:
        raise SystemExit("usage: python -m clp_notifications [delivery]")
    builder, process_type = BUILDERS[tuple(sys.argv[1:])]
    main("notifications", Settings, builder, process_type=process_type)
