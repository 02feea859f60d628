"""Typed client of `portal`."""

from clp_contracts import portal
from clp_contracts.client.rpc_client import RpcClient


class Portal:
    """Typed client of `portal`."""

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call

    def end_sessions(self, *, person: str) -> portal.SessionsEnded:
        """End every session of a person; services only."""
        return self._call(portal.END_SESSIONS, portal.EndSessions(person=person))
