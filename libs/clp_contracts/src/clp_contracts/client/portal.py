"""Typed client of `portal`."""

from clp_contracts import feed, portal
from clp_contracts.client.rpc_client import RpcClient
from clp_contracts.serialization import Empty


class Portal:
    """Typed client of `portal`."""

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call

    def progress(self) -> feed.Progress:
        """Show that the portal responds; services only."""
        return self._call(portal.PROGRESS, Empty())

    def end_sessions(self, *, person: str) -> portal.SessionsEnded:
        """End every session of a person; services only."""
        return self._call(portal.END_SESSIONS, portal.EndSessions(person=person))
