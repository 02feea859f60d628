"""Changes that a reader could not apply: shown to operators, and applied once more."""

import logging
from collections.abc import Callable
from typing import Any, Final

from nameko.extensions import DependencyProvider

from clp_chassis.events.feed_reader import Reading, passes
from clp_chassis.events.projections import DatabaseProjection
from clp_chassis.observability.logs import told
from clp_contracts.errors import Refused
from clp_contracts.feed import (
    AppliedAgain,
    ApplyAgain,
    AskAside,
    Change,
    ChangeAside,
    ChangesAside,
)

log = logging.getLogger(__name__)

MOST_SHOWN: Final = 1000


class AsideDesk(DependencyProvider):  # type: ignore[misc]
    """What a feed reader has set aside in its service's database.

    Setting aside keeps one broken change from holding up all others. Once what broke it
    is mended, an operator has it applied; nothing is ever dropped by itself.
    """

    def __init__(self, reading_of: Callable[[Any], Reading]) -> None:
        self._reading_of = reading_of

    def setup(self) -> None:
        """Find out whose changes these are."""
        self._reading = self._reading_of(self.container)
        if not isinstance(self._reading.projection, DatabaseProjection):
            raise TypeError("only a database keeps what was set aside")
        self._projection = self._reading.projection

    def get_dependency(self, worker_ctx: Any) -> "AsideDesk":
        """The desk itself."""
        del worker_ctx
        return self

    def aside(self, ask: AskAside) -> ChangesAside:
        """What was set aside, with the error of the last try."""
        rows = self._projection.aside(ask.after, min(ask.limit, MOST_SHOWN))
        return ChangesAside(
            changes=tuple(
                ChangeAside(
                    reader=row.reader,
                    position=row.position,
                    type=row.type,
                    subject=row.subject,
                    error=row.error,
                    at=row.at,
                )
                for row in rows
            )
        )

    def apply_again(self, ask: ApplyAgain) -> AppliedAgain:
        """Apply one once more; what fails stays aside, with what it failed of.

        Raises:
            Refused: ``change.missing`` when no such change is aside.
        """
        if not self._is_aside(ask.position):
            raise Refused("change.missing")
        try:
            self._projection.apply_late(self._change(ask.position))
        except Exception as error:
            if passes(error):
                raise
            log.warning("change %s stays aside: %r", ask.position, error)
            self._projection.failed_late(ask.position, told(error))
            return AppliedAgain(applied=False, error=told(error))
        return AppliedAgain(applied=True)

    def _is_aside(self, position: int) -> bool:
        rows = self._projection.aside(position - 1, 1)
        return any(row.position == position for row in rows)

    def _change(self, position: int) -> Change:
        for change in self._reading.fetch(position - 1).changes:
            if change.position == position:
                return change
        raise LookupError("the feed has no such change")
