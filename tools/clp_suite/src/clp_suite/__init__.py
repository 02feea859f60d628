"""All services in one process, for demos and for other teams' tests.

Importing this package patches the standard library for green threads, which Nameko
needs; import it before anything that opens sockets or starts threads.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clp_chassis.concurrency import monkey_patch  # noqa: F401 - before all else

if TYPE_CHECKING:
    from clp_suite.embedded import EmbeddedSuite

__all__ = ["EmbeddedSuite", "patched"]


def __getattr__(name: str) -> Any:
    """The suite, loaded when it is asked for: small commands start without it."""
    if name != "EmbeddedSuite":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("clp_suite.embedded").EmbeddedSuite
