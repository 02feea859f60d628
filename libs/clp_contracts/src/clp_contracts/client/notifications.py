"""Typed calls to `notifications`."""

from collections.abc import Sequence

from clp_contracts import feed, notifications
from clp_contracts.client.rpc_client import Calls
from clp_contracts.serialization import Nothing


class Notifications:
    """Typed calls to `notifications`."""

    def __init__(self, calls: Calls) -> None:
        self._call = calls.call

    def explain(
        self, *, message: str, person: str | None = None
    ) -> notifications.Explained:
        """Why people were told of a message or not (rule 25)."""
        ask = notifications.AskExplain(message=message, person=person)
        return self._call(notifications.EXPLAIN, ask)

    def mail_settings(
        self,
        *,
        project: str | None = None,
        mode: str | None = None,
        content: bool | None = None,
    ) -> notifications.MailSettings:
        """Read the actor's mail settings, or change some."""
        ask = notifications.AskMailSettings(project=project, mode=mode, content=content)
        return self._call(notifications.MAIL_SETTINGS, ask)

    def dead(
        self, *, after: str | None = None, limit: int = 100
    ) -> notifications.DeadNotifications:
        """Given-up notifications; services only."""
        ask = notifications.AskDead(after=after, limit=limit)
        return self._call(notifications.DEAD, ask)

    def redrive(self, *, notifications_: Sequence[str] = ()) -> notifications.Redriven:
        """Put given-up notifications back to work; services only."""
        ask = notifications.Redrive(notifications=tuple(notifications_))
        return self._call(notifications.REDRIVE, ask)

    def suppressed(
        self, *, after: str | None = None, limit: int = 100
    ) -> notifications.SuppressedAddresses:
        """Addresses that get no more mails; services only."""
        ask = notifications.AskSuppressed(after=after, limit=limit)
        return self._call(notifications.SUPPRESSED, ask)

    def release(self, *, address: str) -> notifications.Released:
        """Let mails go to a suppressed address again; services only."""
        return self._call(notifications.RELEASE, notifications.Release(address=address))

    def progress(self) -> feed.Progress:
        """How far the service is; services only."""
        return self._call(notifications.PROGRESS, Nothing())

    def aside(self, *, after: int = 0, limit: int = 100) -> feed.ChangesAside:
        """Changes that its reader could not apply; services only."""
        return self._call(notifications.ASIDE, feed.AskAside(after=after, limit=limit))

    def apply_again(self, *, position: int) -> feed.AppliedAgain:
        """Apply a change that was set aside once more; services only."""
        return self._call(notifications.APPLY_AGAIN, feed.ApplyAgain(position=position))
