"""A bare AMQP client, for what brokers do beneath Nameko."""

from __future__ import annotations

from typing import Any, Self

from kombu import Connection, Consumer, Exchange, Producer, Queue


class Wire:
    """One connection with a channel, its queues and what arrived on them."""

    def __init__(self, broker_url: str) -> None:
        self.connection = Connection(
            broker_url, transport_options={"confirm_publish": True, "max_retries": 1}
        )
        self.channel = self.connection.default_channel
        self.received: list[Any] = []
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def queue(self, name: str, *keys: str, arguments: Any = None, **shape: Any) -> str:
        """Declare a queue, bound to a topic exchange named after it with these keys."""
        exchange = Exchange(shape.pop("exchange", ""), type="topic", durable=True)
        queue = Queue(
            name,
            exchange=exchange,
            routing_key=keys[0] if keys else "",
            queue_arguments=arguments or {},
            **shape,
        )(self.channel)
        queue.declare()
        for key in keys[1:]:
            queue.bind_to(exchange, key)
        return name

    def publish(self, body: Any, key: str, exchange: str = "", **options: Any) -> None:
        Producer(self.channel).publish(
            body, exchange=exchange, routing_key=key, serializer="json", **options
        )

    def publish_raw(self, body: bytes, key: str, exchange: str, **stated: Any) -> None:
        """Publish bytes with exactly the properties stated, sensible or not."""
        headers = stated.pop("headers", {})
        properties = {k: v for k, v in stated.items() if v is not None}
        message = self.channel.prepare_message(
            body,
            content_type=properties.pop("content_type", None),
            content_encoding=properties.pop("content_encoding", None),
            headers=headers,
            properties=properties,
        )
        self.channel.basic_publish(message, exchange, key)

    def consume(self, name: str, prefetch: int = 0) -> Consumer:
        """Consume; messages are kept in ``received`` and not acknowledged."""
        queue = Queue(name, no_declare=True)
        consumer = Consumer(
            self.channel, [queue], on_message=self.received.append, auto_declare=False
        )
        consumer.qos(prefetch_count=prefetch)
        consumer.consume()
        return consumer

    def drain(self, seconds: float = 5.0) -> None:
        self.connection.drain_events(timeout=seconds)

    def next(self) -> Any:
        """Return the next message; it may have arrived earlier."""
        while len(self.received) == self._seen:
            self.drain()
        self._seen += 1
        return self.received[self._seen - 1]

    def nothing_comes(self, seconds: float = 0.2) -> bool:
        try:
            while len(self.received) == self._seen:
                self.drain(seconds)
        except TimeoutError:
            return True
        return False

    def size(self, name: str) -> int:
        """Return the number of ready messages of a queue."""
        counts = self.channel.queue_declare(queue=name, passive=True)
        return int(counts[1])

    def get(self, name: str) -> Any:
        """Get the next message of a queue without consuming."""
        return Queue(name, no_declare=True)(self.channel).get()


def body_of(message: Any) -> Any:
    """What was published."""
    return message.decode()
