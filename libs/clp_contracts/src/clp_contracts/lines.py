"""Lines to the broker: one call at a time each, pooled, every call with a timeout."""

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from kombu.exceptions import KombuError
from nameko import exceptions as wire_errors
from nameko.amqp.publish import Publisher
from nameko.rpc import MethodProxy
from nameko.standalone.rpc import StandaloneProxyBase

from clp_contracts.broker_address import BrokerAddress
from clp_contracts.refusal import CallFailed, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

TRANSIENT: Final = 1
ONE_MORE_TRY: Final = {"max_retries": 1, "interval_start": 0}

# Errors cross the wire as a dotted path and positional strings; this makes ours whole.
wire_errors.registry["clp_contracts.refusal.Refused"] = Refused


class RequestPublisher(Publisher):  # type: ignore[misc]
    """Confirmed and mandatory, so that a missing service is seen."""

    # Nameko shares one dict between all publishers and writes to it at every publish;
    # without an own one, a neighbour that publishes unconfirmed switches ours off.
    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)


class Request(MethodProxy):  # type: ignore[misc]
    """One method of one service, called over a line."""

    publisher_cls = RequestPublisher


class Line(StandaloneProxyBase):  # type: ignore[misc]
    """A connection with a reply queue of its own. Not to be shared while in use."""

    def __init__(self, broker: BrokerAddress, timeout: float) -> None:
        super().__init__(broker.settings(), timeout=timeout)
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
            confirm_timeout=self._timeout,
            retry_policy=ONE_MORE_TRY,
        )
        return request(**arguments)


class Lines:
    """A pool of lines, so that threads and green threads never share one."""

    def __init__(self, broker_url: str, timeout: float) -> None:
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
            with self._line() as line:
                return line.call(address, arguments, context)
        except wire_errors.UnknownService:
            raise CallFailed(f"{name}: no such service is running") from None
        except wire_errors.RpcTimeout:
            raise CallFailed(f"{name}: no answer in {self._timeout:g} s") from None
        except wire_errors.RemoteError as error:
            raise CallFailed(f"{name}: {error.exc_type}") from None
        except (wire_errors.BadRequest, OSError, RuntimeError, KombuError) as error:
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
    try:
        line._reply_listener.queue_consumer.connection.close()  # noqa: SLF001
    except (OSError, KombuError, RuntimeError):
        return
