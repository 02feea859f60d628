"""Lines to the broker: one call at a time each, pooled, every call with a timeout."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Final

from amqp.exceptions import AMQPError
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

if TYPE_CHECKING:
    from collections.abc import Iterator

TRANSIENT: Final = 1
ONE_MORE_TRY: Final = {"max_retries": 1, "interval_start": 0}
# A broker that lost its exchanges says so in its own words, not in kombu's.
BROKEN: Final = (OSError, RuntimeError, KombuError, AMQPError)
# Two tries and their reply fit into the time of a call.
CONFIRM_SHARE: Final = 0.4
# How much later than its own timeout a call that hangs is cut off from outside.
GRACE_S: Final = 0.5

# Errors cross the wire as a dotted path and positional strings; this makes ours whole.
wire_errors.registry["clp_contracts.errors.Refused"] = Refused


class RequestPublisher(Publisher):  # type: ignore[misc]
    """Confirmed and mandatory, so that a missing service is seen."""

    # Nameko shares one dict between all publishers and writes to it at every publish;
    # without an own one, a neighbour that publishes unconfirmed switches ours off.
    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)


class Request(MethodProxy):  # type: ignore[misc]
    """One method of one service, called over a line."""

    publisher_cls = RequestPublisher


class Replies(PollingQueueConsumer):  # type: ignore[misc]
    """Waits for one reply until the time of its call is up, and mends nothing.

    As nameko ships it, a wait that ends, or a connection that breaks, is followed by
    an attempt to make the connection good again, which on a line that carries nothing
    any more never ends.
    """

    deadline = 0.0

    def get_message(self, correlation_id: str) -> None:
        """Wait for the reply to one request."""
        while correlation_id not in self.replies:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise wire_errors.RpcTimeout(self.timeout)
            try:
                self.consumer.connection.drain_events(timeout=left)
            except TimeoutError:
                raise wire_errors.RpcTimeout(self.timeout) from None
        body, message = self.replies.pop(correlation_id)
        self.provider.handle_message(body, message)


class ReplyListener(SingleThreadedReplyListener):  # type: ignore[misc]
    """Listens for the replies of one line."""

    def __init__(self, timeout: float | None = None) -> None:
        super().__init__(timeout=timeout)
        self.queue_consumer = Replies(timeout=timeout)


class Line(StandaloneProxyBase):  # type: ignore[misc]
    """A connection with a reply queue of its own. Not to be shared while in use."""

    def __init__(self, broker: BrokerAddress, timeout: float) -> None:
        super().__init__(
            broker.settings(), timeout=timeout, reply_listener_cls=ReplyListener
        )
        # Names the reply queue after who may read it, for the broker's permissions.
        self._worker_ctx.container.service_name = broker.user
        self._timeout = timeout

    def start(self) -> "Line":
        self._reply_listener.setup()
        return self

    def call(
        self,
        address: tuple[str, str],
        arguments: Mapping[str, Any],
        context: Mapping[str, Any],
    ) -> Any:
        """Call ``(service, method)`` and wait for the reply."""
        service, method = address
        worker = self._worker_ctx
        worker.data = dict(context)
        worker._parent_call_id_stack = worker.data.pop("call_id_stack", [])  # noqa: SLF001
        worker._call_id = worker._call_id_stack = None  # noqa: SLF001
        request = Request(
            worker,
            service,
            method,
            self._reply_listener,
            delivery_mode=TRANSIENT,
            expiration=self._timeout,
            confirm_timeout=self._timeout * CONFIRM_SHARE,
            retry_policy=ONE_MORE_TRY,
        )
        self._reply_listener.queue_consumer.deadline = time.monotonic() + self._timeout
        return request(**arguments)


class Lines:
    """A pool of lines, so that threads and green threads never share one.

    ``limit`` gives, for a number of seconds, a context that raises `TimeoutError` in a
    call that hangs for longer. Only a program whose threads are green has one.
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
        self._idle: list[Line] = []
        self._lock = threading.Lock()
        self._closed = False

    def call(
        self,
        address: tuple[str, str],
        arguments: Mapping[str, Any],
        context: Mapping[str, Any],
    ) -> Any:
        """Make one call.

        Raises:
            Refused: the service said no.
            CallFailed: nobody answered in time, or the broker was not there.
        """
        name = ".".join(address)
        try:
            with self._limit(self._timeout + GRACE_S), self._line() as line:
                return line.call(address, arguments, context)
        except wire_errors.UnknownService:
            raise CallFailed(f"{name}: no such service is running") from None
        except wire_errors.RpcTimeout:
            raise CallFailed(f"{name}: no answer in {self._timeout:g} s") from None
        except wire_errors.RemoteError as error:
            raise CallFailed(f"{name}: {error.exc_type}") from None
        except (wire_errors.BadRequest, *BROKEN) as error:
            raise CallFailed(f"{name}: {type(error).__name__}") from error

    @contextmanager
    def _line(self) -> "Iterator[Line]":
        line = self._take()
        try:
            yield line
        except Refused:
            self._put_back(line)
            raise
        except BaseException:
            # Its reply may still come; a line in doubt is never used again.
            _hang_up(line)
            raise
        self._put_back(line)

    def _take(self) -> Line:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Line(self._broker, self._timeout).start()

    def _put_back(self, line: Line) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(line)
                return
        _hang_up(line)

    def close(self) -> None:
        """Close the idle lines; those in use close when their call ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for line in idle:
            _hang_up(line)


def _hang_up(line: Line) -> None:
    """Let go without a word: who is at the other end may never answer."""
    try:
        line._reply_listener.queue_consumer.connection.collect()  # noqa: SLF001
    except BROKEN:
        return
