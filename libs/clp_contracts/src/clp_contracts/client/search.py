"""Typed calls to `search`."""

from clp_contracts import feed, search
from clp_contracts.client.rpc_client import Calls
from clp_contracts.serialization import Nothing


class Search:
    """Typed calls to `search`."""

    def __init__(self, calls: Calls) -> None:
        self._call = calls.call

    def find(
        self,
        *,
        query: str,
        channel: str | None = None,
        project: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> search.Found:
        """Search one channel, or a project's readable channels (rule 33)."""
        ask = search.AskFind(
            query=query, channel=channel, project=project, cursor=cursor, limit=limit
        )
        return self._call(search.FIND, ask)

    def status(self) -> search.Status:
        """The state of the index; services only."""
        return self._call(search.STATUS, Nothing())

    def progress(self) -> feed.Progress:
        """How far the service is; services only."""
        return self._call(search.PROGRESS, Nothing())
