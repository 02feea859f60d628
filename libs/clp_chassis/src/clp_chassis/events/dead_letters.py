"""Dead letters of a feed reader: list and redrive them."""

import logging
from collections.abc import Callable, Collection
from typing import Any, Final

from nameko.extensions import DependencyProvider

from clp_chassis.events.feed_reader import FeedSubscription
from clp_chassis.events.projections import DatabaseProjection
from clp_chassis.observability.logs import safe_error_text
from clp_chassis.rpc import rpc_method
from clp_chassis.security.passports import Passport
from clp_chassis.transient_errors import is_transient
from clp_contracts import feed
from clp_contracts.errors import Refused

log = logging.getLogger(__name__)

MAX_LISTED: Final = 1000


class DeadLetterProvider(DependencyProvider):  # type: ignore[misc]
    """Give entrypoints the dead letters of a feed reader.

    One change that cannot be applied must not hold up the others. After the cause is
    fixed an operator redrives it; no dead letter is ever dropped on its own.
    """

    def __init__(self, subscription_of: Callable[[Any], FeedSubscription]) -> None:
        self._subscription_of = subscription_of

    def setup(self) -> None:
        """Look up the feed reader in the container's settings."""
        self._subscription = self._subscription_of(self.container)
        if not isinstance(self._subscription.projection, DatabaseProjection):
            raise TypeError("only a database projection keeps dead letters")
        self._projection = self._subscription.projection

    def get_dependency(self, worker_ctx: Any) -> "DeadLetterProvider":
        """Return the provider itself."""
        del worker_ctx
        return self

    def dead_letters(self, request: feed.ListDeadLetters) -> feed.DeadLetters:
        """Return the dead letters after a position, with the error of the last try."""
        limit = min(request.limit, MAX_LISTED)
        rows = self._projection.dead_letters(request.after, limit)
        return feed.DeadLetters(
            dead_letters=tuple(
                feed.DeadLetter(
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

    def redrive_dead_letter(
        self, request: feed.RedriveDeadLetter
    ) -> feed.DeadLetterRedriven:
        """Apply a dead letter once more; if that fails, keep it with the new error.

        Raises:
            Refused: ``change.missing`` when there is no dead letter at this position.
        """
        position = request.position
        if not self._exists(position):
            raise Refused("change.missing")
        try:
            self._projection.redrive(self._fetch(position))
        except Exception as error:
            if is_transient(error):
                raise
            log.warning("dead letter %s failed again: %r", position, error)
            self._projection.record_failure(position, safe_error_text(error))
            return feed.DeadLetterRedriven(applied=False, error=safe_error_text(error))
        return feed.DeadLetterRedriven(applied=True)

    def _exists(self, position: int) -> bool:
        rows = self._projection.dead_letters(position - 1, 1)
        return any(row.position == position for row in rows)

    def _fetch(self, position: int) -> feed.Change:
        for change in self._subscription.fetch(position - 1).changes:
            if change.position == position:
                return change
        raise LookupError("the feed has no such change")


def dead_letter_rpc(
    service: str,
    subscription_of: Callable[[Any], FeedSubscription],
    *,
    subjects: Collection[str],
) -> Any:
    """Return a mixin for a service class: RPC methods for its dead letters.

    ``subjects`` names the services that may list and redrive them.
    """

    class DeadLetterRpc:
        """List and redrive what the service's feed reader failed to apply."""

        dead_letter_provider: Any = DeadLetterProvider(subscription_of)
        call_info: Any

        @rpc_method(feed.dead_letters_of(service), subjects=subjects)
        def dead_letters(
            self, request: feed.ListDeadLetters, _: Passport
        ) -> feed.DeadLetters:
            """List the dead letters after a position."""
            provider: DeadLetterProvider = self.dead_letter_provider
            return provider.dead_letters(request)

        @rpc_method(feed.redrive_dead_letter_of(service), subjects=subjects)
        def redrive_dead_letter(
            self, request: feed.RedriveDeadLetter, _: Passport
        ) -> feed.DeadLetterRedriven:
            """Apply a dead letter once more."""
            provider: DeadLetterProvider = self.dead_letter_provider
            return provider.redrive_dead_letter(request)

    return DeadLetterRpc
