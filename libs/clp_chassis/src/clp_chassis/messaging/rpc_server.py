"""The `rpc` entrypoint, which no caller can bring down.

A request without the properties a reply needs, or with a malformed call chain, would
kill a Nameko process, stay in its queue and kill the next one. Such a request is
dropped with an error in the log. When a reply cannot be sent, its caller times out.
"""

from __future__ import annotations

import logging
from typing import Any

from kombu import Queue
from nameko import rpc as nameko_rpc
from nameko.constants import (
    AMQP_SSL_CONFIG_KEY,
    AMQP_URI_CONFIG_KEY,
    DEFAULT_SERIALIZER,
    LOGIN_METHOD_CONFIG_KEY,
    SERIALIZER_CONFIG_KEY,
)

from clp_chassis.messaging.consumer import (
    BROKER_ERRORS,
    QueueConsumer,
    is_plain_json,
    without_broken_call_stack,
)
from clp_chassis.messaging.publishers import ReplyPublisher
from clp_contracts.exchanges import REPLIES, REQUESTS, shared_exchange

log = logging.getLogger(__name__)


class Responder(nameko_rpc.Responder):  # type: ignore[misc]
    """Publish replies without waiting for a confirm."""

    publisher_cls = ReplyPublisher


class CallQueueConsumer(QueueConsumer):
    """A connection for requests alone: a slow event queue must not block them."""


class RpcConsumer(nameko_rpc.RpcConsumer):  # type: ignore[misc]
    """Consume the requests of one service and publish the replies."""

    queue_consumer = CallQueueConsumer()
    queue: Queue | None

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
        if not (is_plain_json(message) and message.properties.get("reply_to")):
            log.error("request dropped, no reply is possible: %r", message)
            self.queue_consumer.reject_message(message)
            return
        if message.delivery_info.get("redelivered"):
            log.warning("request redelivered: %s", message.delivery_info["routing_key"])
            self.queue_consumer.ack_message(message)
        super().handle_message(body, message)

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> Any:
        config = self.container.config
        responder = Responder(
            config[AMQP_URI_CONFIG_KEY],
            shared_exchange(REPLIES),
            config.get(SERIALIZER_CONFIG_KEY, DEFAULT_SERIALIZER),
            message,
            ssl=config.get(AMQP_SSL_CONFIG_KEY),
            login_method=config.get(LOGIN_METHOD_CONFIG_KEY),
        )
        try:
            result, exc_info = responder.send_response(result, exc_info)
        except BROKER_ERRORS as error:
            log.warning("reply not sent, its caller times out: %r", error)
        if not message.acknowledged:
            self.queue_consumer.ack_message(message)
        return result, exc_info


class Rpc(nameko_rpc.Rpc):  # type: ignore[misc]
    """A method that other processes may call."""

    rpc_consumer = RpcConsumer()

    def unpack_message_headers(self, message: Any) -> dict[str, Any]:
        return without_broken_call_stack(super().unpack_message_headers(message))


rpc = Rpc.decorator
