"""One caller for each service, behind one connection."""

from types import TracebackType
from typing import Self

from clp_contracts.client.messages import Messages
from clp_contracts.client.notifications import Notifications
from clp_contracts.client.projects import Projects
from clp_contracts.client.rpc_client import Calls, Passport
from clp_contracts.client.search import Search
from clp_contracts.connection_pool import Lines
from clp_contracts.methods import Ask, Method, Reply


class Callers:
    """One attribute per service."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.projects = Projects(calls)
        self.messages = Messages(calls)
        self.search = Search(calls)
        self.notifications = Notifications(calls)

    def call(self, method: Method[Ask, Reply], ask: Ask) -> Reply:
        """Call any method by its contract."""
        return self._calls.call(method, ask)

    def close(self) -> None:
        """Give the connections back."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def connect(broker_url: str, passport: Passport, timeout: float = 10.0) -> Callers:
    """Connect to the services behind a broker.

    ``passport`` is a signed passport, or a function that gives a fresh one for each
    call; ``timeout`` is in seconds and bounds every call. Safe to share among threads.
    """
    return Callers(Calls(Lines(broker_url, timeout), passport))
