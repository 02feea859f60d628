"""RPC connections to the broker: pooled, one call at a time each, with timeouts."""

import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Final

from amqp.exceptions import AMQPError
from kombu import Queue
from kombu.exceptions import KombuError
from nameko import exceptions as wire_errors
from nameko.amqp.publish import Publisher
from nameko.rpc import MethodProxy
from nameko.standalone.rpc import (
    PollingQueueConsumer,
    SingleThreadedReplyListener,
    StandaloneProxyBase,
)

from clp_contracts.broker_address import BrokerAddress
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.exchanges import REPLIES, REQUESTS, shared_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

TRANSIENT: Final = 1
REPLY_QUEUE_TTL_MS: Final = 300_000
ONE_RETRY: Final = {"max_retries": 1, "interval_start": 0}
# A broker that lost its exchanges raises errors of amqp instead of kombu.
BROKEN: Final = (OSError, RuntimeError, KombuError, AMQPError)
# Two attempts and the reply fit into the timeout of a call.
CONFIRM_SHARE: Final = 0.4
# How long after its own timeout a hanging call is interrupted, in seconds.
GRACE_S: Final = 0.5

# Nameko transports errors as a dotted path and positional strings; it raises the class
# that is registered for the path.
wire_errors.registry["clp_contracts.errors.Refused"] = Refused


class RequestPublisher(Publisher):  # type: ignore[misc]
    """Publish confirmed and mandatory, to detect a missing service."""

    # Nameko shares one dict between all publishers and writes to it when publishing:
    # an unconfirmed publisher would switch confirmation off here.
    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)


class RpcRequest(MethodProxy):  # type: ignore[misc]
    """Call one method of one service."""

    publisher_cls = RequestPublisher


class ReplyConsumer(PollingQueueConsumer):  # type: ignore[misc]
    """Wait for one reply until the deadline, without reconnecting.

    The consumer of Nameko reconnects after a timeout or a broken connection, which
    never returns on a connection that is silent for good.
    """

    deadline = 0.0

    def get_message(self, correlation_id: str) -> None:
        """Wait for the reply to one request."""
        while correlation_id not in self.replies:
            remaining = self.deadline - time.monotonic()
            if remaining <= 0:
                raise wire_errors.RpcTimeout(self.timeout)
            try:
                self.consumer.connection.drain_events(timeout=remaining)
            except TimeoutError:
                raise wire_errors.RpcTimeout(self.timeout) from None
        body, message = self.replies.pop(correlation_id)
        self.provider.handle_message(body, message)


class ReplyListener(SingleThreadedReplyListener):  # type: ignore[misc]
    """Listen for the replies of one connection."""

    def __init__(self, timeout: float | None = None) -> None:
        super().__init__(timeout=timeout)
        self.queue_consumer = ReplyConsumer(timeout=timeout)

    def setup(self) -> None:
        """Listen on an exchange of its own, where no request can be published."""
        listener_id = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
        self.routing_key = listener_id
        self.queue = Queue(
            f"rpc.reply-{self.container.service_name}-{listener_id}",
            exchange=shared_exchange(REPLIES),
            routing_key=listener_id,
            queue_arguments={"x-expires": REPLY_QUEUE_TTL_MS},
        )
        self.queue_consumer.register_provider(self)


class RpcConnection(StandaloneProxyBase):  # type: ignore[misc]
    """A connection with its own reply queue; never share it while in use."""

    def __init__(self, broker: BrokerAddress, timeout: float) -> None:
        super().__init__(
            broker.settings(), timeout=timeout, reply_listener_cls=ReplyListener
        )
        # Broker permissions need the user in the name of the reply queue.
        self._worker_ctx.container.service_name = broker.user
        self._timeout = timeout

    def start(self) -> "RpcConnection":
        """Connect and declare the reply queue."""
        self._reply_listener.setup()
        return self

    def call(
        self,
        service: str,
        method: str,
        arguments: Mapping[str, Any],
        *,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a method of a service and wait for the reply."""
        worker = self._worker_ctx
        worker.data = dict(context or {})
        worker._parent_call_id_stack = worker.data.pop("call_id_stack", [])  # noqa: SLF001
        worker._call_id = worker._call_id_stack = None  # noqa: SLF001
        request = RpcRequest(
            worker,
            service,
            method,
            self._reply_listener,
            delivery_mode=TRANSIENT,
            expiration=self._timeout,
            confirm_timeout=self._timeout * CONFIRM_SHARE,
            retry_policy=ONE_RETRY,
            declare=[shared_exchange(REQUESTS)],
        )
        self._reply_listener.queue_consumer.deadline = time.monotonic() + self._timeout
        return request(**arguments)


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
        try:
            with self._limit(self._timeout + GRACE_S), self._connection() as connection:
                return connection.call(service, method, arguments, context=context)
        except wire_errors.UnknownService:
            raise CallFailed(f"{name}: no such service is running") from None
        except wire_errors.MethodNotFound:
            raise Refused.because("method.missing", method=name) from None
        except wire_errors.RpcTimeout:
            raise CallFailed(f"{name}: no response in {self._timeout:g} s") from None
        except wire_errors.RemoteError as error:
            raise CallFailed(f"{name}: {error.exc_type}") from None
        except (wire_errors.BadRequest, *BROKEN) as error:
            raise CallFailed(f"{name}: {type(error).__name__}") from error

    @contextmanager
    def _connection(self) -> "Iterator[RpcConnection]":
        connection = self._acquire()
        try:
            yield connection
        except Refused:
            self._release(connection)
            raise
        except BaseException:
            # Its reply may still arrive: never reuse a connection in doubt.
            _discard(connection)
            raise
        self._release(connection)

    def _acquire(self) -> RpcConnection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return RpcConnection(self._broker, self._timeout).start()

    def _release(self, connection: RpcConnection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        _discard(connection)

    def close(self) -> None:
        """Close idle connections; those in use close when their call ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            _discard(connection)


def _discard(connection: RpcConnection) -> None:
    """Close the socket without a handshake: the other end may never reply."""
    try:
        connection._reply_listener.queue_consumer.connection.collect()  # noqa: SLF001
    except BROKEN:
        return
