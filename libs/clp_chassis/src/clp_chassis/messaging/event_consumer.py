"""Event handlers with bounded, delayed retries and dead letters.

Nameko acknowledges a failed event and loses it. Here it is published again to a retry
queue, once for each delay, and after the last attempt to the dead letter queue, with
the error in its headers (as a log may show it: an error can quote a person's text).
Queues of one handler (`q3` is the generation of their arguments, which RabbitMQ never
lets anybody change):

    evt-SOURCE--SERVICE.METHOD.q3                 work
    evt-SOURCE--SERVICE.METHOD.q3.retry.500       returns to the first after 500 ms
    evt-SOURCE--SERVICE.METHOD.q3.dead_letters    waits for an operator

Retries and dead letters go through an exchange of the service, `SERVICE.retry`. The
broker's default exchange would do as well, but a right to it is a right to write into
every queue of every service.

On RabbitMQ they are quorum queues with a delivery limit, so that an event which kills
its process becomes a dead letter as well. The in-process broker ends with its process
and needs none.
"""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, Final

from kombu import Connection, Exchange, Queue, binding
from nameko.amqp.publish import UndeliverableMessage
from nameko.constants import (
    AMQP_SSL_CONFIG_KEY,
    AMQP_URI_CONFIG_KEY,
    LOGIN_METHOD_CONFIG_KEY,
)
from nameko.messaging import Consumer

from clp_chassis.clock import new_id, now
from clp_chassis.inprocess import is_inprocess
from clp_chassis.messaging.consumer import (
    BROKER_ERRORS,
    QueueConsumer,
    is_plain_json,
    without_broken_call_stack,
)
from clp_chassis.messaging.publishers import RetryPublisher
from clp_chassis.observability.logs import safe_error_text
from clp_chassis.observability.metrics import EVENTS_CONSUMED
from clp_contracts.exchanges import event_exchange

log = logging.getLogger(__name__)

QUEUE_VERSION: Final = "q3"
RETRY_DELAYS_MS: Final = (500, 2_000, 10_000, 60_000)
DELIVERY_LIMIT: Final = 5
# A queue without a leader, or a broker short of memory, never confirms.
CONFIRM_SECONDS: Final = 10.0
MAX_ERROR_LENGTH: Final = 500

ATTEMPT: Final = "x-attempt"
ERROR: Final = "x-error"
FIRST_FAILED: Final = "x-first-failed"
# With the broker's own history, it would take our retries for a loop.
BROKER_HISTORY: Final = ("x-death", "x-first-death", "x-delivery-count")


def handler_queue(source: str, service: str, method: str) -> str:
    """Name the queue of one handler."""
    return f"evt-{source}--{service}.{method}.{QUEUE_VERSION}"


def dead_letter_queue(source: str, service: str, method: str) -> str:
    """Name the queue of the dead events of one handler."""
    return f"{handler_queue(source, service, method)}.dead_letters"


def retry_exchange(service: str) -> str:
    """Name the exchange of a service's retries and dead letters."""
    return f"{service}.retry"


class Reject(Exception):
    """Raised by a handler for an event that no retry can help: a dead letter."""


class _EventConsumer(Consumer):  # type: ignore[misc]
    """A method that consumes events of one source; one queue for all its types.

    One that ``wakes`` only wakes background loops, which are all that it gets of its
    dependencies. It runs in the loop of the consumer: a worker for each event costs
    many times as much. It must not wait.
    """

    queue_consumer = QueueConsumer()

    def __init__(
        self, source: str, *event_types: str, wakes: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(queue=None, **kwargs)
        self.source = source
        self.event_types = event_types
        self.runs_in_loop = wakes

    @property
    def _queue_name(self) -> str:
        service = self.container.service_name
        return handler_queue(self.source, service, self.method_name)

    def _bindings(self) -> list[binding]:
        exchange = event_exchange(self.source)
        return [binding(exchange, routing_key=name) for name in self.event_types]

    def handle_message(self, body: Any, message: Any) -> None:
        """Reject an event without a known content type."""
        if not is_plain_json(message):
            log.error("event rejected, its content type is unknown: %r", message)
            self.queue_consumer.reject_message(message)
            return
        EVENTS_CONSUMED.labels(self.container.service_name, self.source).inc()
        if self.runs_in_loop:
            self._wake(body)
            self.queue_consumer.ack_message(message)
        else:
            super().handle_message(body, message)

    def _wake(self, body: Any) -> None:
        container = self.container
        loops = {
            one.attr_name: one for one in container.dependencies if hasattr(one, "wake")
        }
        getattr(container.service_cls, self.method_name)(SimpleNamespace(**loops), body)

    def unpack_message_headers(self, message: Any) -> dict[str, Any]:
        return without_broken_call_stack(super().unpack_message_headers(message))


class EventHandler(_EventConsumer):
    """Handle each event once per service, in whichever of its processes is free."""

    def __init__(
        self,
        source: str,
        *event_types: str,
        retry_delays_ms: tuple[int, ...] = RETRY_DELAYS_MS,
        **kwargs: Any,
    ) -> None:
        super().__init__(source, *event_types, **kwargs)
        self.retry_delays_ms = retry_delays_ms

    def setup(self) -> None:
        """Declare the queues without a consumer; the main queue is its consumer's."""
        config = self.container.config
        retries = binding(self._retry_exchange, routing_key=self._queue_name)
        self.queue = self._queue(
            self._queue_name,
            self._main_arguments(),
            bindings=[*self._bindings(), retries],
        )
        self._publisher = RetryPublisher(
            config[AMQP_URI_CONFIG_KEY],
            ssl=config.get(AMQP_SSL_CONFIG_KEY),
            login_method=config.get(LOGIN_METHOD_CONFIG_KEY),
            confirm_timeout=CONFIRM_SECONDS,
        )
        self._declare([self._dead_letter_queue(), *self._retry_queues()])
        super().setup()

    def handle_message_processed(
        self, message: Any, result: Any = None, exc_info: Any = None
    ) -> None:
        """Acknowledge a handled event; publish a failed one for a retry."""
        del result
        if exc_info is None:
            self.queue_consumer.ack_message(message)
            return
        try:
            self._retry_later(message, exc_info[1])
        except (*BROKER_ERRORS, UndeliverableMessage) as error:
            log.warning("retry not published, requeued: %r", error)
            self.queue_consumer.requeue_message(message)
        else:
            self.queue_consumer.ack_message(message)

    def _retry_later(self, message: Any, error: BaseException) -> None:
        attempt = _attempts_so_far(message) + 1
        last = attempt > len(self.retry_delays_ms) or isinstance(error, Reject)
        name = (
            self._dead_letters
            if last
            else self._retry(self.retry_delays_ms[attempt - 1])
        )
        log.log(
            logging.ERROR if last else logging.WARNING,
            "attempt %s of %s failed (%r), event goes to %s",
            attempt,
            self._queue_name,
            error,
            name,
        )
        kept = {
            k: v for k, v in message.headers.items() if not k.startswith(BROKER_HISTORY)
        }
        self._publisher.publish(
            message.body,
            exchange=self._retry_exchange,
            routing_key=name,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            headers={
                FIRST_FAILED: now().isoformat(),
                **kept,
                ATTEMPT: attempt,
                ERROR: safe_error_text(error)[:MAX_ERROR_LENGTH],
            },
        )

    @property
    def _retry_exchange(self) -> Exchange:
        name = retry_exchange(self.container.service_name)
        return Exchange(name, type="direct", durable=True)

    @property
    def _dead_letters(self) -> str:
        return f"{self._queue_name}.dead_letters"

    def _retry(self, delay_ms: int) -> str:
        return f"{self._queue_name}.retry.{delay_ms}"

    def _dead_letter_queue(self) -> Queue:
        return self._routed_by_name(self._dead_letters, {})

    def _retry_queues(self) -> list[Queue]:
        back = {
            "x-dead-letter-exchange": self._retry_exchange.name,
            "x-dead-letter-routing-key": self._queue_name,
        }
        return [
            self._routed_by_name(self._retry(delay), {"x-message-ttl": delay, **back})
            for delay in self.retry_delays_ms
        ]

    def _main_arguments(self) -> dict[str, Any]:
        dead_letters = {
            "x-dead-letter-exchange": self._retry_exchange.name,
            "x-dead-letter-routing-key": self._dead_letters,
        }
        limit = {} if self._is_inprocess else {"x-delivery-limit": DELIVERY_LIMIT}
        return {**dead_letters, **limit}

    def _routed_by_name(self, name: str, arguments: dict[str, Any]) -> Queue:
        """A queue bound by its own name."""
        bindings = [binding(self._retry_exchange, routing_key=name)]
        return self._queue(name, arguments, bindings=bindings)

    def _queue(self, name: str, arguments: dict[str, Any], **bound: Any) -> Queue:
        kind = {} if self._is_inprocess else {"x-queue-type": "quorum"}
        return Queue(name, durable=True, queue_arguments={**kind, **arguments}, **bound)

    @property
    def _is_inprocess(self) -> bool:
        return is_inprocess(self.container.config[AMQP_URI_CONFIG_KEY])

    def _declare(self, queues: list[Queue]) -> None:
        config = self.container.config
        # A connection of its own: one from a pool may not have survived an outage.
        with Connection(
            config[AMQP_URI_CONFIG_KEY],
            ssl=config.get(AMQP_SSL_CONFIG_KEY),
            login_method=config.get(LOGIN_METHOD_CONFIG_KEY),
        ) as connection:
            for queue in queues:
                queue(connection.default_channel).declare()


class BroadcastEventHandler(_EventConsumer):
    """Handle events in every running process of a service.

    For invalidating caches. Nothing is kept for a stopped process and nothing is
    retried: the service must also be right without the event, a few seconds later.
    """

    def setup(self) -> None:
        """Declare a queue of this process alone, deleted when the process ends."""
        self.queue = Queue(
            f"{self._queue_name}.{new_id()}",
            bindings=self._bindings(),
            durable=True,
            auto_delete=True,
            exclusive=True,
        )
        super().setup()


def _attempts_so_far(message: Any) -> int:
    attempt = message.headers.get(ATTEMPT, 0)
    return attempt if isinstance(attempt, int) else 0


on_events = EventHandler.decorator
on_broadcast_events = BroadcastEventHandler.decorator
