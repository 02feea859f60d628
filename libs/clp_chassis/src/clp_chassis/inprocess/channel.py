"""An AMQP channel of the in-process broker, with the methods that Kombu calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import eventlet
from amqp.exceptions import (
    ChannelError,
    PreconditionFailed,
    RecoverableConnectionError,
)
from amqp.protocol import queue_declare_ok_t
from kombu.message import Message as KombuMessage
from kombu.transport import base

from clp_chassis.inprocess.queues import Message, Queue, QueuedMessage, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clp_chassis.inprocess.broker import Broker
    from clp_chassis.inprocess.connection import Connection

NO_ROUTE: Final = 312


class Channel(base.StdChannel):  # type: ignore[misc]
    """An AMQP channel: subscriptions and unacknowledged messages."""

    def __init__(self, connection: Connection, *, confirms: bool) -> None:
        self.connection: Connection | None = connection
        self.no_ack_consumers: set[str] = set()
        self._confirms = confirms
        self._prefetch = 0
        self._subscriptions: dict[str, Subscription] = {}
        self._callbacks: dict[Subscription, tuple[str, Callable[..., None]]] = {}
        self._unacked: dict[int, tuple[Queue, Subscription | None, QueuedMessage]] = {}
        self._last_tag = 0
        connection.channels.add(self)

    @property
    def is_open(self) -> bool:
        return self.connection is not None

    def close(self) -> None:
        """Cancel all consumers; requeue unacknowledged messages."""
        connection = self.connection
        if connection is None:
            return
        for consumer_tag in list(self._subscriptions):
            self.basic_cancel(consumer_tag)
        for tag in sorted(self._unacked, reverse=True):
            self.basic_reject(tag, requeue=True)
        connection.channels.discard(self)
        self.connection = None

    # ---- declarations

    def exchange_declare(self, exchange: str, type: str, **_: object) -> None:
        self._broker().declare_exchange(exchange, type)

    def exchange_delete(self, exchange: str, **_: object) -> None:
        self._broker().delete_exchange(exchange)

    def queue_declare(
        self,
        queue: str,
        *,
        passive: bool = False,
        arguments: Mapping[str, object] | None = None,
        nowait: bool = False,  # noqa: ARG002 - nothing here waits
        **shape: object,
    ) -> tuple[str, int, int]:
        broker = self._broker()
        if passive:
            found = broker.queue(queue)
        else:
            found = broker.declare_queue(
                queue, self._open(), shape=shape, args=dict(arguments or {})
            )
        counts = (queue, len(found.ready), len(found.subscriptions))
        return queue_declare_ok_t(*counts)  # type: ignore[no-any-return]

    def queue_bind(
        self, queue: str, exchange: str, routing_key: str, **_: object
    ) -> None:
        self._broker().bind(queue, exchange, routing_key)

    def queue_unbind(
        self, queue: str, exchange: str, routing_key: str, **_: object
    ) -> None:
        self._broker().unbind(queue, exchange, routing_key)

    def queue_delete(self, queue: str, **_: object) -> int:
        return self._broker().delete_queue(queue)

    def queue_purge(self, queue: str, **_: object) -> int:
        ready = self._broker().queue(queue).ready
        purged = len(ready)
        ready.clear()
        return purged

    # ---- publishing

    def confirm_select(self) -> None:
        """Raise from `basic_publish` for a message that reaches no queue."""
        self._confirms = True

    @staticmethod
    def prepare_message(  # noqa: PLR0917 - Kombu's signature
        body: str | bytes,
        priority: int | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        headers: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
    ) -> Message:
        """Copy a message, so that its publisher cannot change it any more."""
        stated = {
            "priority": priority,
            "content_type": content_type,
            "content_encoding": content_encoding,
            **(properties or {}),
        }
        return Message(
            body=body.encode() if isinstance(body, str) else body,
            properties={k: v for k, v in stated.items() if v is not None},
            headers=_deep_copy(headers or {}),
        )

    def basic_publish(
        self,
        message: Message,
        exchange: str = "",
        routing_key: str = "",
        *,
        mandatory: bool = False,
        **_: object,
    ) -> None:
        message = Message(
            message.body, message.properties, message.headers, exchange, routing_key
        )
        routed = self._broker().publish(message)
        if not self._confirms:
            return
        eventlet.sleep(0)
        if mandatory and not routed:
            raise ChannelError("NO_ROUTE", (50, 60), reply_code=NO_ROUTE)

    # ---- consuming

    def basic_qos(self, prefetch_size: int, prefetch_count: int, *_: object) -> None:
        del prefetch_size
        self._prefetch = prefetch_count

    def basic_consume(
        self,
        queue: str,
        *,
        consumer_tag: str,
        callback: Callable[..., None],
        no_ack: bool | None = False,
        **_: object,
    ) -> str:
        broker, connection = self._broker(), self._open()
        subscription = Subscription(
            broker.queue(queue),
            self._enqueue,
            prefetch=self._prefetch,
            needs_ack=not no_ack,
        )
        if no_ack:
            self.no_ack_consumers.add(consumer_tag)
        self._subscriptions[consumer_tag] = subscription
        self._callbacks[subscription] = (consumer_tag, callback)
        broker.subscribe(subscription, connection)
        return consumer_tag

    def basic_cancel(self, consumer_tag: str) -> None:
        """Cancel a consumer; requeue what it has not received yet."""
        subscription = self._subscriptions.pop(consumer_tag, None)
        if subscription is None or (connection := self.connection) is None:
            return
        del self._callbacks[subscription]
        self.no_ack_consumers.discard(consumer_tag)
        connection.broker.unsubscribe(subscription)
        unseen = [entry for entry in connection.inbox if entry[1] is subscription]
        for entry in reversed(unseen):
            connection.inbox.remove(entry)
            self._return(subscription, entry[2])

    def basic_get(self, queue: str, no_ack: bool = False, **_: object) -> Any:  # noqa: FBT001, FBT002 - Kombu's signature
        found = self._broker().queue(queue)
        queued = self._broker().get(found)
        if queued is None:
            return None
        tag = self._next_tag()
        if no_ack:
            self._broker().ack(found, None)
        else:
            self._unacked[tag] = (found, None, queued)
        return self._message(queued, tag, consumer_tag="")

    def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:  # noqa: FBT001, FBT002 - Kombu's signature
        broker = self._broker()
        tags = [t for t in self._unacked if t <= delivery_tag] if multiple else []
        for tag in tags or [delivery_tag]:
            queue, subscription, _ = self._pop_unacked(tag)
            broker.ack(queue, subscription)

    def basic_reject(self, delivery_tag: int, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - Kombu's signature
        broker = self._broker()
        queue, subscription, queued = self._pop_unacked(delivery_tag)
        if requeue:
            broker.requeue(queue, queued)
        else:
            broker.dead_letter(queue, queued, "rejected")
        broker.ack(queue, subscription)

    def deliver(self, subscription: Subscription, queued: QueuedMessage) -> None:
        """Call the consumer with a delivered message."""
        consumer_tag, callback = self._callbacks[subscription]
        tag = self._next_tag()
        if subscription.needs_ack:
            self._unacked[tag] = (subscription.queue, subscription, queued)
        callback(self._message(queued, tag, consumer_tag))

    # ---- private

    def _enqueue(self, subscription: Subscription, queued: QueuedMessage) -> None:
        connection = self._open()
        connection.inbox.append((self, subscription, queued))
        connection.notify()

    def _return(self, subscription: Subscription, queued: QueuedMessage) -> None:
        broker = self._broker()
        if subscription.needs_ack:
            broker.requeue(subscription.queue, queued)
            broker.ack(subscription.queue, subscription)

    def _pop_unacked(
        self, tag: int
    ) -> tuple[Queue, Subscription | None, QueuedMessage]:
        try:
            return self._unacked.pop(tag)
        except KeyError:
            raise PreconditionFailed(f"unknown delivery tag {tag}") from None

    def _message(self, queued: QueuedMessage, tag: int, consumer_tag: str) -> Any:
        message = queued.message
        return KombuMessage(
            body=message.body,
            channel=self,
            delivery_tag=tag,
            content_type=message.properties.get("content_type"),
            content_encoding=message.properties.get("content_encoding"),
            headers=_deep_copy(message.headers),
            properties=dict(message.properties),
            delivery_info={
                "consumer_tag": consumer_tag,
                "delivery_tag": tag,
                "redelivered": queued.redelivered,
                "exchange": message.exchange,
                "routing_key": message.routing_key,
            },
        )

    def _next_tag(self) -> int:
        self._last_tag += 1
        return self._last_tag

    def _open(self) -> Connection:
        if self.connection is None:
            raise RecoverableConnectionError("amqp channel is closed")
        self.connection.require_open()
        return self.connection

    def _broker(self) -> Broker:
        return self._open().broker


def _deep_copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _deep_copy(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_deep_copy(inner) for inner in value]
    return value
