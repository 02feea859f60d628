"""Publishers, one class for each delivery guarantee.

Nameko keeps transport options in one dictionary for all publishers, and every publish
writes its confirm mode into it; connection pools keep pointing at it. With two modes in
one process, confirms silently vanish. So each class here owns its dictionary and sets
its mode once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from kombu import Connection
from kombu.pools import producers
from nameko.amqp.publish import Publisher
from nameko.constants import (
    AMQP_SSL_CONFIG_KEY,
    AMQP_URI_CONFIG_KEY,
    DEFAULT_RETRY_POLICY,
    DEFAULT_TRANSPORT_OPTIONS,
    LOGIN_METHOD_CONFIG_KEY,
    NON_PERSISTENT,
    PERSISTENT,
)

from clp_chassis.messaging.consumer import BROKER_ERRORS
from clp_contracts.exchanges import REPLIES

if TYPE_CHECKING:
    from collections.abc import Mapping


class ReplyPublisher:
    """Publish replies, unconfirmed: for a lost reply the caller times out.

    Nameko looks up the pool of connections by all their settings for each reply.
    """

    transport_options: ClassVar[dict[str, Any]] = {
        **DEFAULT_TRANSPORT_OPTIONS,
        "confirm_publish": False,
    }

    def __init__(self, config: Mapping[str, Any]) -> None:
        connection = Connection(
            config[AMQP_URI_CONFIG_KEY],
            ssl=config.get(AMQP_SSL_CONFIG_KEY),
            login_method=config.get(LOGIN_METHOD_CONFIG_KEY),
            transport_options=dict(self.transport_options),
        )
        self._producers = producers[connection]

    def publish(self, request: Any, body: bytes) -> None:
        """Publish an encoded reply to a request."""
        to = request.properties["reply_to"]
        content = {"content_type": "application/json", "content_encoding": "utf-8"}
        properties = {
            "delivery_mode": NON_PERSISTENT,
            "correlation_id": request.properties.get("correlation_id"),
        }
        with self._producers.acquire(block=True) as producer:
            try:
                channel = producer.channel
                # Kombu's own way to it takes as long as the rest.
                message = channel.prepare_message(
                    body, properties=properties, **content
                )
                channel.basic_publish(message, exchange=REPLIES, routing_key=to)
            except BROKER_ERRORS:
                # The connection broke since its last use.
                producer.publish(
                    body,
                    exchange=REPLIES,
                    routing_key=to,
                    retry=True,
                    retry_policy=DEFAULT_RETRY_POLICY,
                    **content,
                    **properties,
                )


class RetryPublisher(Publisher):  # type: ignore[misc]
    """Publish to a retry or dead letter queue: confirmed and mandatory."""

    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)
    use_confirms = True
    mandatory = True
    delivery_mode = PERSISTENT
