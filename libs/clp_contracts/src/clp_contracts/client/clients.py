"""The typed clients of all services, sharing one connection pool."""

from types import TracebackType
from typing import Self

from clp_contracts.client.messages import Messages
from clp_contracts.client.notifications import Notifications
from clp_contracts.client.portal import Portal
from clp_contracts.client.projects import Projects
from clp_contracts.client.rpc_client import Passport, RpcClient
from clp_contracts.client.search import Search
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.methods import Method, Request, Response


class Clients:
    """Typed clients, one attribute per service."""

    def __init__(self, client: RpcClient) -> None:
        self._client = client
        self.projects = Projects(client)
        self.messages = Messages(client)
        self.search = Search(client)
        self.notifications = Notifications(client)
        self.portal = Portal(client)

    def call(self, method: Method[Request, Response], request: Request) -> Response:
        """Call any method by its contract."""
        return self._client.call(method, request)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def connect(broker_url: str, passport: Passport, timeout: float = 10.0) -> Clients:
    """Connect to the services behind a broker.

    ``passport`` is a signed passport, or a function that returns one for each call.
    ``timeout`` bounds each call, in seconds. The result may be shared among threads.
    """
    return Clients(RpcClient(RpcConnectionPool(broker_url, timeout), passport))
