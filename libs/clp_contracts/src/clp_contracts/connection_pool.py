"""RPC connections to the broker: pooled, one call at a time each, with timeouts."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from clp_contracts.broker_address import BrokerAddress
from clp_contracts.errors import CallFailed
from clp_contracts.rpc_connection import (
    BROKEN,
    RpcConnection,
    RpcRequest,
    UnknownService,
    result_of,
)

# Two attempts to publish and the reply fit into the timeout of a call.
ATTEMPT_SHARE: Final = 0.4
# How long after its own timeout a hanging call is interrupted, in seconds.
GRACE_S: Final = 0.5


class RpcConnectionPool:
    """A pool of RPC connections: threads and green threads never share one.

    ``limit`` returns, for a number of seconds, a context manager that raises
    `TimeoutError` in a call that hangs for longer; only green threads can have one.
    """

    def __init__(
        self,
        broker_url: str,
        timeout: float,
        limit: Callable[[float], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._limit = limit
        self._broker = BrokerAddress.read(broker_url)
        self._timeout = timeout
        self._idle: list[RpcConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def call(
        self,
        service: str,
        method: str,
        arguments: Mapping[str, Any],
        *,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a method of a service and wait for the reply.

        Raises:
            Refused: the service refused the call, or has no such method.
            CallFailed: no reply arrived in time, or the broker is unreachable.
        """
        name = f"{service}.{method}"
        request = RpcRequest(
            service=service, method=method, arguments=arguments, context=context or {}
        )
        try:
            with self._limit(self._timeout + GRACE_S):
                return result_of(self._reply_to(request), name)
        except UnknownService:
            raise CallFailed(f"{name}: no such service is running") from None
        except TimeoutError:
            raise CallFailed(f"{name}: no response in {self._timeout:g} s") from None
        except BROKEN as error:
            raise CallFailed(f"{name}: {type(error).__name__}") from error

    def _reply_to(self, request: RpcRequest) -> Any:
        """Send a request and wait for its reply.

        A connection that broke since its last use is noticed when it is used again, so
        an attempt that fails before its confirm is repeated once, on a new connection.
        """
        deadline = time.monotonic() + self._timeout
        try:
            return self._attempt(request, deadline, self._idle_connection())
        except _NotSent:
            pass
        try:
            return self._attempt(request, deadline, None)
        except _NotSent as failure:
            raise failure.error from None

    def _attempt(
        self, request: RpcRequest, deadline: float, connection: RpcConnection | None
    ) -> Any:
        remaining = deadline - time.monotonic()
        timeout = max(0.001, min(self._timeout * ATTEMPT_SHARE, remaining))
        connection = connection or RpcConnection(self._broker, timeout)
        try:
            correlation_id = connection.send(
                request, expires=self._timeout, timeout=timeout
            )
            reply = connection.reply(request, correlation_id, deadline)
        except BROKEN as error:
            connection.discard()
            if connection.is_confirmed:
                raise
            raise _NotSent(error) from error
        except BaseException:
            # Its reply may still arrive: never reuse a connection in doubt.
            connection.discard()
            raise
        self._release(connection)
        return reply

    def _idle_connection(self) -> RpcConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _release(self, connection: RpcConnection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.discard()

    def close(self) -> None:
        """Close idle connections; those in use close when their call ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.discard()


class _NotSent(Exception):
    """The broker did not confirm a request, which the error explains."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error
