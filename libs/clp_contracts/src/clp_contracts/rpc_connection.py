"""One connection to the broker for requests and their replies, in the form of Nameko.

It needs Kombu alone and blocks its thread, or its green thread where the process is
patched. Each wait is bounded: a silent broker raises `TimeoutError`.
"""

import secrets
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from amqp.exceptions import AMQPError, ChannelError, MessageNacked
from kombu import Connection, Consumer, Queue
from kombu.exceptions import KombuError

from clp_contracts.broker_address import BrokerAddress
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.exchanges import REPLIES, REQUESTS, shared_exchange
from clp_contracts.serialization import encode

TRANSIENT: Final = 1
NO_ROUTE: Final = 312
REPLY_QUEUE_TTL_MS: Final = 300_000
# What a header of Nameko begins with.
PREFIX: Final = "nameko."
CHAIN: Final = "call_id_stack"
MAX_PARENT_CALLS: Final = 10
# An error travels as the dotted path of its class and positional strings.
REFUSED: Final = "clp_contracts.errors.Refused"
NO_METHOD: Final = "nameko.exceptions.MethodNotFound"
# A broker that lost its exchanges raises errors of amqp instead of kombu.
BROKEN: Final = (OSError, KombuError, AMQPError, MessageNacked)


class UnknownService(Exception):
    """No queue of the broker takes requests for the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcRequest:
    """A request as the broker carries it."""

    service: str
    method: str
    arguments: Mapping[str, Any]
    context: Mapping[str, Any]

    def headers(self, user: str) -> dict[str, Any]:
        """Return the context as headers, with this call at the end of its chain."""
        own = f"{user}.call.{secrets.token_hex(16)}"
        parents = list(self.context.get(CHAIN, ()))[-MAX_PARENT_CALLS:]
        context = {**self.context, CHAIN: [*parents, own]}
        return {f"{PREFIX}{k}": v for k, v in context.items() if v is not None}


class RpcConnection:
    """A connection with its own reply queue; never share it while in use."""

    def __init__(self, broker: BrokerAddress, timeout: float) -> None:
        self._user = broker.user
        self._link: Any = None
        self._channel: Any = None
        # Confirms are counted, so nobody else may publish on the channel.
        self._sent = self._confirmed = 0
        self._confirm_by = 0.0
        self._replies: dict[str | None, Any] = {}
        # Broker permissions admit names of this form only.
        self._reply_to = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
        self._connection = Connection(
            broker.url,
            ssl=broker.tls,
            connect_timeout=timeout,
        )
        # Broker permissions need the user in the name of the reply queue.
        self._queue = Queue(
            f"rpc.reply-{self._user}-{self._reply_to}",
            # An exchange of its own, where no request can be published.
            exchange=shared_exchange(REPLIES),
            routing_key=self._reply_to,
            queue_arguments={"x-expires": REPLY_QUEUE_TTL_MS},
        )

    @property
    def is_confirmed(self) -> bool:
        """Whether the broker has taken every request."""
        return self._confirmed >= self._sent

    def send(self, request: RpcRequest, *, expires: float, timeout: float) -> str:
        """Publish a request and return its correlation id.

        Its confirm is waited for together with its reply.

        Args:
            request: what to send.
            expires: the seconds after which no service begins to work on it.
            timeout: the seconds that the broker may take to confirm it.

        Raises:
            UnknownService: no service takes such requests.
        """
        channel = self._ready_channel(timeout)
        correlation_id = secrets.token_hex(16)
        message = channel.prepare_message(
            encode({"args": (), "kwargs": request.arguments}),
            content_type="application/json",
            content_encoding="utf-8",
            headers=request.headers(self._user),
            properties={
                "reply_to": self._reply_to,
                "correlation_id": correlation_id,
                "delivery_mode": TRANSIENT,
                "expiration": str(int(expires * 1000)),
            },
        )
        self._sent += 1
        self._confirm_by = time.monotonic() + timeout
        with _telling_of_no_route(request.service):
            # Mandatory and confirmed, to learn that a service is missing.
            channel.basic_publish(
                message,
                exchange=REQUESTS,
                routing_key=f"{request.service}.{request.method}",
                mandatory=True,
            )
        if not hasattr(channel, "events"):
            # The in-process broker has taken it or raised.
            self._confirmed = self._sent
        return correlation_id

    def reply(self, request: RpcRequest, correlation_id: str, deadline: float) -> Any:
        """Wait for the reply to a request until a moment of the monotonic clock.

        Raises:
            UnknownService: no service takes such requests.
            TimeoutError: there is no confirm, or no reply.
        """
        while correlation_id not in self._replies:
            until = deadline if self.is_confirmed else min(deadline, self._confirm_by)
            remaining = until - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            with _telling_of_no_route(request.service):
                # By the connection itself: Kombu would reconnect without the queue.
                self._connection.transport.drain_events(self._link, timeout=remaining)
        message = self._replies.pop(correlation_id)
        return message.decode()

    def discard(self) -> None:
        """Close the socket without a handshake: the other end may never reply."""
        try:
            self._connection.collect()
        except BROKEN:
            return

    def _ready_channel(self, timeout: float) -> Any:
        """Connect and consume from the reply queue, unless done; return the channel."""
        if self._channel is None:
            self._connection.ensure_connection(max_retries=0)
            self._link = self._connection.connection
            self._limit_waits(timeout)
            channel = self._connection.channel()
            channel.confirm_select()
            if hasattr(channel, "events"):
                channel.events["basic_ack"].add(self._on_confirm)
                channel.events["basic_nack"].add(_on_refusal)
            shared_exchange(REQUESTS)(channel).declare()
            consumer = Consumer(
                channel,
                [self._queue],
                on_message=self._on_reply,
                no_ack=True,
                accept=["json"],
            )
            consumer.consume()
            self._channel = channel
        self._limit_waits(timeout)
        return self._channel

    def _on_confirm(self, delivery_tag: int, multiple: bool) -> None:  # noqa: FBT001 - as amqp calls it
        del multiple
        # One request at a time: the newest confirm is of all before it.
        self._confirmed = max(self._confirmed, delivery_tag)

    def _on_reply(self, message: Any) -> None:
        self._replies[message.properties.get("correlation_id")] = message

    def _limit_waits(self, seconds: float) -> None:
        """Bound every wait for the broker, also those that Kombu does not bound."""
        socket = getattr(self._link, "sock", None)
        if socket is not None:
            socket.settimeout(seconds)


@contextmanager
def _telling_of_no_route(service: str) -> Iterator[None]:
    """Raise `UnknownService` where the broker returns a request."""
    try:
        yield
    except ChannelError as error:
        if error.reply_code == NO_ROUTE:
            raise UnknownService(service) from None
        raise


def _on_refusal(delivery_tag: int, multiple: bool) -> None:  # noqa: FBT001 - as amqp calls it
    del multiple
    raise MessageNacked(delivery_tag)


def result_of(reply: Any, name: str) -> Any:
    """Return the result in a reply to the method of this name, or raise its error.

    Raises:
        Refused: the service refused the call, or has no such method.
        CallFailed: it failed otherwise.
    """
    if not isinstance(reply, dict):
        raise CallFailed(f"{name}: the reply is no object")
    error = reply.get("error")
    if error is None:
        return reply.get("result")
    if not isinstance(error, dict):
        raise CallFailed(f"{name}: {error}")
    if error.get("exc_path") == NO_METHOD:
        raise Refused.because("method.missing", method=name)
    if error.get("exc_path") == REFUSED and error.get("exc_args"):
        raise Refused(*error["exc_args"][:2])
    raise CallFailed(f"{name}: {error.get('exc_type')}")
