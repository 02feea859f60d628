"""All services in one process, for demos and for other teams' tests.

Importing this package patches the standard library for green threads, which Nameko
needs; import it before anything that opens sockets or starts threads.
"""

from clp_chassis import patched
from clp_suite.embedded import EmbeddedSuite

__all__ = ["EmbeddedSuite", "patched"]
