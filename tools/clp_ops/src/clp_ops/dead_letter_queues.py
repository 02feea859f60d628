"""Read and redrive the dead-letter queues of the event handlers.

An event only wakes a feed reader, which fetches every change from the feed; so a dead
event delays nothing. It records an error, and is redriven when the cause is fixed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from amqp.exceptions import AccessRefused, NotFound
from kombu import Connection, Exchange, Producer, Queue

from clp_chassis.messaging import retry_exchange
from clp_chassis.messaging.event_consumer import (
    ATTEMPT,
    BROKER_HISTORY,
    ERROR,
    FIRST_FAILED,
    handler_queue,
)
from clp_contracts.broker_address import BrokerAddress
from clp_deploy.service_inventory import service_inventories

BROKER_REASONS: Final = {
    "rejected": "unknown content type",
    "delivery_limit": "its process ended at every delivery",
}
MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterQueue:
    """The dead-letter queue of one event handler."""

    owner: str
    handler: str
    service: str

    @property
    def name(self) -> str:
        """The name of the queue."""
        return f"{self.handler}.dead_letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadEvent:
    """A dead event without its body, which an operator has no need to read."""

    queue: str
    type: str
    attempts: int
    error: str


def dead_letter_queues() -> tuple[DeadLetterQueue, ...]:
    """Every dead-letter queue, derived from the entrypoints of the services."""
    return tuple(
        DeadLetterQueue(
            owner=one.service,
            handler=handler_queue(event.source, event.service, event.method),
            service=event.service,
        )
        for one in service_inventories()
        for event in one.subscriptions
        if not event.broadcast
    )


def dead_events(queue: DeadLetterQueue, address: str) -> list[DeadEvent]:
    """The first events of a dead-letter queue, which stay in it.

    Raises:
        PermissionError: when the broker user is not the owner of the queue.
    """
    with _open(queue, address) as channel:
        source = Queue(queue.name, no_declare=True)(channel)
        messages = list(_messages(source, MAX_SHOWN))
        found = [_dead_event(queue, message) for message in messages]
        for message in messages:
            message.requeue()
        return found


def redrive_queue(queue: DeadLetterQueue, address: str) -> int:
    """Return every dead event to its handler, with a fresh count of attempts.

    Returns:
        The number of events returned.

    Raises:
        PermissionError: when the broker user is not the owner of the queue.
    """
    with _open(queue, address) as channel:
        source = Queue(queue.name, no_declare=True)(channel)
        waiting = source.queue_declare(passive=True).message_count
        back = Exchange(retry_exchange(queue.service), type="direct", durable=True)
        producer = Producer(channel, back, auto_declare=False)
        sent = 0
        for message in _messages(source, waiting):
            producer.publish(
                message.body,
                routing_key=queue.handler,
                content_type=message.content_type,
                content_encoding=message.content_encoding,
                headers=_original_headers(message.headers),
                delivery_mode=2,
            )
            message.ack()
            sent += 1
        return sent


def _messages(source: Queue, limit: int) -> Iterator[Any]:
    for _ in range(limit):
        message = source.get(no_ack=False, accept=None)
        if message is None:
            return
        yield message


@contextmanager
def _open(queue: DeadLetterQueue, address: str) -> Iterator[Any]:
    broker = BrokerAddress.read(address)
    options = {"confirm_publish": True}
    with Connection(broker.url, ssl=broker.tls, transport_options=options) as link:
        try:
            yield link.default_channel
        except (AccessRefused, NotFound):
            raise PermissionError(queue.name) from None


def _dead_event(queue: DeadLetterQueue, message: Any) -> DeadEvent:
    headers = message.headers
    attempts = headers.get(ATTEMPT, 0)
    return DeadEvent(
        queue=queue.name,
        type=_event_type(message),
        attempts=attempts if isinstance(attempts, int) else 0,
        error=str(headers.get(ERROR, "")) or _broker_reason(headers),
    )


def _event_type(message: Any) -> str:
    """The first routing key of the event; later ones are queue names."""
    deaths: list[dict[str, Any]] = message.headers.get("x-death") or []
    keys = [key for death in deaths for key in death.get("routing-keys", ())]
    keys.append(str(message.delivery_info.get("routing_key", "")))
    return next((key for key in keys if key.startswith("clp.")), "")


def _broker_reason(headers: Mapping[str, Any]) -> str:
    deaths: list[dict[str, Any]] = headers.get("x-death") or [{}]
    reason = str(deaths[0].get("reason", ""))
    return BROKER_REASONS.get(reason, reason)


def _original_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers of the event before its first attempt."""
    return {
        name: value
        for name, value in headers.items()
        if name not in {ATTEMPT, ERROR, FIRST_FAILED}
        and not name.startswith(BROKER_HISTORY)
    }
