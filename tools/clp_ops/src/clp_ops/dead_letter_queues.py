"""Events in dead queues: what they failed of, and their way back.

An event only wakes its reader, and readers ask for what they missed; so nothing is late
for want of these. They tell what went wrong, and go when it is mended.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from amqp.exceptions import AccessRefused, NotFound
from kombu import Connection, Exchange, Producer, Queue

from clp_chassis.messaging import returns_exchange
from clp_chassis.messaging.event_consumer import (
    ATTEMPT,
    BROKER_HISTORY,
    ERROR,
    FIRST_FAILED,
    QUEUE_VERSION,
)
from clp_contracts.broker_address import BrokerAddress
from clp_deploy.service_inventory import dealings

BROKER_WORDS: Final = {
    "rejected": "it does not say how to read it",
    "delivery_limit": "its process ended, again and again",
}
MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadQueue:
    """A queue for what a handler of a service could not take."""

    owner: str
    handler: str
    service: str

    @property
    def name(self) -> str:
        """The queue's own name."""
        return f"{self.handler}.dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """An event that was parked: never its content, which may be anything."""

    queue: str
    type: str
    attempts: int
    error: str


def dead_queues() -> tuple[DeadQueue, ...]:
    """Every dead queue there is, by the entrypoints of the code."""
    return tuple(
        DeadQueue(
            owner=one.service,
            handler=f"evt-{event.source}--{event.service}.{event.method}"
            f".{QUEUE_VERSION}",
            service=event.service,
        )
        for one in dealings()
        for event in one.hears
        if not event.everywhere
    )


def parked(queue: DeadQueue, address: str) -> list[Parked]:
    """The first events of a dead queue; they stay there.

    Raises:
        PermissionError: when the address is not its owner's.
    """
    with _opened(queue, address) as channel:
        source = Queue(queue.name, no_declare=True)(channel)
        messages = list(_taken(source, MOST_SHOWN))
        found = [_told(queue, message) for message in messages]
        for message in messages:
            message.requeue()
        return found


def send_back(queue: DeadQueue, address: str) -> int:
    """Give a handler what it could not take, with all its tries before it again.

    Raises:
        PermissionError: when the address is not its owner's.
    """
    with _opened(queue, address) as channel:
        source = Queue(queue.name, no_declare=True)(channel)
        waiting = source.queue_declare(passive=True).message_count
        back = Exchange(returns_exchange(queue.service), type="direct", durable=True)
        producer = Producer(channel, back, auto_declare=False)
        sent = 0
        for message in _taken(source, waiting):
            producer.publish(
                message.body,
                routing_key=queue.handler,
                content_type=message.content_type,
                content_encoding=message.content_encoding,
                headers=_fresh(message.headers),
                delivery_mode=2,
            )
            message.ack()
            sent += 1
        return sent


def _taken(source: Queue, most: int) -> Iterator[Any]:
    for _ in range(most):
        message = source.get(no_ack=False, accept=None)
        if message is None:
            return
        yield message


@contextmanager
def _opened(queue: DeadQueue, address: str) -> Iterator[Any]:
    broker = BrokerAddress.read(address)
    options = {"confirm_publish": True}
    with Connection(broker.url, ssl=broker.tls, transport_options=options) as link:
        try:
            yield link.default_channel
        except (AccessRefused, NotFound):
            raise PermissionError(queue.name) from None


def _told(queue: DeadQueue, message: Any) -> Parked:
    headers = message.headers
    attempts = headers.get(ATTEMPT, 0)
    return Parked(
        queue=queue.name,
        type=_event_type(message),
        attempts=attempts if isinstance(attempts, int) else 0,
        error=str(headers.get(ERROR, "")) or _word_of_the_broker(headers),
    )


def _event_type(message: Any) -> str:
    """Its first routing key; a later one is the name of a queue."""
    deaths: list[dict[str, Any]] = message.headers.get("x-death") or []
    keys = [key for death in deaths for key in death.get("routing-keys", ())]
    keys.append(str(message.delivery_info.get("routing_key", "")))
    return next((key for key in keys if key.startswith("clp.")), "")


def _word_of_the_broker(headers: Mapping[str, Any]) -> str:
    deaths: list[dict[str, Any]] = headers.get("x-death") or [{}]
    reason = str(deaths[0].get("reason", ""))
    return BROKER_WORDS.get(reason, reason)


def _fresh(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers that it came with, before anybody tried."""
    return {
        name: value
        for name, value in headers.items()
        if name not in {ATTEMPT, ERROR, FIRST_FAILED}
        and not name.startswith(BROKER_HISTORY)
    }
