"""The `rpc` entrypoint, which no caller can bring down.

A request without the properties a reply needs, or with a malformed call chain, would
kill a Nameko process, stay in its queue and kill the next one. Such a request is
dropped with an error in the log. When a reply cannot be sent, its caller times out.
"""

from __future__ import annotations

import inspect
import json
import logging
import re
from functools import cache
from inspect import Parameter
from typing import Any, Final

from kombu import Queue
from nameko import rpc as nameko_rpc
from nameko.exceptions import UnserializableValueError, serialize

from clp_chassis.messaging.consumer import (
    BROKER_ERRORS,
    QueueConsumer,
    is_plain_json,
    without_broken_call_stack,
)
from clp_chassis.messaging.publishers import ReplyPublisher
from clp_contracts.exchanges import REPLIES, REPLY_KEY, REQUESTS, shared_exchange

log = logging.getLogger(__name__)

_REPLY_KEY: Final = re.compile(REPLY_KEY)

ANY_ARGUMENTS: Final = [
    Parameter.POSITIONAL_ONLY,
    Parameter.VAR_POSITIONAL,
    Parameter.VAR_KEYWORD,
]


class EncodedResponse(bytes):
    """A response as JSON."""

    __slots__ = ()


class CallQueueConsumer(QueueConsumer):
    """A connection for requests alone: a slow event queue must not block them."""

    exchanges = (shared_exchange(REPLIES),)


class RpcConsumer(nameko_rpc.RpcConsumer):  # type: ignore[misc]
    """Consume the requests of one service and publish the replies."""

    queue_consumer = CallQueueConsumer()
    queue: Queue | None
    _reply_publisher: ReplyPublisher | None = None

    def setup(self) -> None:
        """Declare the queue of the service; the exchange is shared."""
        if self.queue is not None:
            return
        service = self.container.service_name
        self.queue = Queue(
            f"rpc-{service}",
            exchange=shared_exchange(REQUESTS),
            routing_key=f"{service}.*",
            durable=True,
        )
        self.queue_consumer.register_provider(self)
        self._registered = True

    def handle_message(self, body: Any, message: Any) -> None:
        """Drop a request that cannot be decoded or replied to.

        A request that comes back was running when its process ended. It is acknowledged
        before it runs once more, so it ends one more process at most.
        """
        if not (is_plain_json(message) and _has_reply_key(message)):
            log.error("request dropped, no reply is possible: %r", message)
            self.queue_consumer.reject_message(message)
            return
        if message.delivery_info.get("redelivered"):
            log.warning("request redelivered: %s", message.delivery_info["routing_key"])
            self.queue_consumer.ack_message(message)
        super().handle_message(body, message)

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> Any:
        try:
            self._replies().publish(message, reply_body(result, exc_info))
        except BROKER_ERRORS as error:
            log.warning("reply not sent, its caller times out: %r", error)
        if not message.acknowledged:
            self.queue_consumer.ack_message(message)
        return result, exc_info

    def _replies(self) -> ReplyPublisher:
        if self._reply_publisher is None:
            self._reply_publisher = ReplyPublisher(self.container.config)
        return self._reply_publisher


def reply_body(result: Any, exc_info: Any) -> bytes:
    """Return a reply in the form of Nameko, which encodes each result twice.

    The result of an `rpc_method` is encoded already; others are encoded here.
    """
    error = None if exc_info is None else serialize(exc_info[1])
    if error is None and isinstance(result, EncodedResponse):
        return b'{"result":%b,"error":null}' % result
    try:
        encoded = json.dumps({"result": result, "error": error})
    except (TypeError, ValueError):
        error = serialize(UnserializableValueError(result))
        encoded = json.dumps({"result": None, "error": error})
    return encoded.encode()


def _has_reply_key(message: Any) -> bool:
    """Whether a reply may be published with this key.

    For any other the broker closes the channel, and replies to others on it are lost.
    """
    return bool(_REPLY_KEY.fullmatch(message.properties.get("reply_to") or ""))


class Rpc(nameko_rpc.Rpc):  # type: ignore[misc]
    """A method that other processes may call."""

    rpc_consumer = RpcConsumer()

    def check_signature(self, args: Any, kwargs: Any) -> None:
        """Compare a call with the signature, unless that takes any arguments.

        Nameko inspects the function for each call, which takes a tenth of a short one.
        """
        if not (
            isinstance(args, list)
            and isinstance(kwargs, dict)
            and _takes_anything(self.container.service_cls, self.method_name)
        ):
            super().check_signature(args, kwargs)

    def unpack_message_headers(self, message: Any) -> dict[str, Any]:
        return without_broken_call_stack(super().unpack_message_headers(message))


@cache
def _takes_anything(service: type, method: str) -> bool:
    """Whether a method has no named parameter but the service."""
    parameters = inspect.signature(getattr(service, method)).parameters.values()
    kinds = [parameter.kind for parameter in parameters]
    return kinds == ANY_ARGUMENTS


rpc = Rpc.decorator
