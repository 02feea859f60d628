"""Run all services in one process, for demos and for the tests of other teams.

Importing this package applies Eventlet's monkey patch, which Nameko needs; import it
before anything that opens sockets or starts threads.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clp_chassis.concurrency import monkey_patch  # noqa: F401 - before all else

if TYPE_CHECKING:
    from clp_suite.embedded import EmbeddedSuite

__all__ = ["EmbeddedSuite", "patched"]


def __getattr__(name: str) -> Any:
    """Load the suite lazily: importing every service takes two seconds."""
    if name != "EmbeddedSuite":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("clp_suite.embedded").EmbeddedSuite
