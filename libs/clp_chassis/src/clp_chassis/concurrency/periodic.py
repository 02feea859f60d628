"""Work that comes back with the clock, beside a service's entrypoints."""

import logging
from collections.abc import Callable
from typing import Any

from nameko.extensions import DependencyProvider

from clp_chassis.concurrency.loop_timer import Pace

log = logging.getLogger(__name__)


class Chore(DependencyProvider):  # type: ignore[misc]
    """Does something at the start and every so many seconds.

    A chore that fails is tried again at its next turn; it never ends its service.
    """

    def __init__(
        self, chore_of: Callable[[Any], Callable[[], object]], every_s: float
    ) -> None:
        self._chore_of = chore_of
        self._every_s = every_s

    def setup(self) -> None:
        """Find out what to do."""
        self._chore = self._chore_of(self.container)
        self._pace = Pace(self._every_s)

    def start(self) -> None:
        """Begin."""
        self.container.spawn_managed_thread(self._run, identifier="chore")

    def stop(self) -> None:
        """Stop after the turn in hand."""
        self._pace.stop()

    def kill(self) -> None:
        """Stop at once."""
        self._pace.stop()

    def _run(self) -> None:
        while self._pace.wait():
            try:
                self._chore()
            except Exception:
                log.exception("a chore of %s failed", self.container.service_name)
