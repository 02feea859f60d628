"""Typed client of `search`."""

from clp_contracts import feed, search
from clp_contracts.client.rpc_client import RpcClient
from clp_contracts.serialization import Empty


class Search:
    """Typed client of `search`."""

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call

    def find(
        self,
        *,
        query: str,
        channel: str | None = None,
        project: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> search.SearchPage:
        """Search one channel, or all readable channels of a project (rule 33)."""
        request = search.FindMessages(
            query=query, channel=channel, project=project, cursor=cursor, limit=limit
        )
        return self._call(search.FIND, request)

    def status(self) -> search.Status:
        """Report the state of the index; services only."""
        return self._call(search.STATUS, Empty())

    def progress(self) -> feed.Progress:
        """Report the progress of the service; services only."""
        return self._call(search.PROGRESS, Empty())
