"""RPC on behalf of one passport."""

from collections.abc import Callable, Mapping, Sequence

from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.methods import Method, Request, Response
from clp_contracts.serialization import arguments, load_response

# A passport for one service, or a function of a service's name that gives one for it.
Passport = str | Callable[[str], str]


class RpcClient:
    """Call remote methods on behalf of one passport."""

    def __init__(
        self,
        pool: RpcConnectionPool,
        passport: Passport,
        *,
        chain: Callable[[], Sequence[str]] = tuple,
        carrier: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._pool = pool
        self._passport = passport
        self._chain = chain
        self._carrier = carrier

    def call(self, method: Method[Request, Response], request: Request) -> Response:
        """Send a request and wait for the response.

        Raises:
            Refused: the service refused the call.
            CallFailed: no response arrived in time.
        """
        passport = self._passport
        token = passport if isinstance(passport, str) else passport(method.service)
        context = {
            **self._carrier(),
            "auth_token": token,
            "call_id_stack": list(self._chain()),
        }
        response = self._pool.call(
            method.service, method.name, arguments(request), context=context
        )
        return load_response(method.response, response)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
