"""Hearing events: bounded, delayed retries, and a place for what never works.

Where nameko would acknowledge a failed event and lose it, here the event waits and
comes back: once for each delay, then it is parked in the dead queue with the reason in
its headers (as a log may tell it: an error can quote what a person wrote). Queues of
one handler (`q2` is the version of their arguments, which RabbitMQ never lets anybody
change):

    evt-SOURCE--SERVICE.METHOD.q2             what to handle
    evt-SOURCE--SERVICE.METHOD.q2.wait.500    comes back after 500 ms
    evt-SOURCE--SERVICE.METHOD.q2.dead        waits for a person

What waits, comes back or is parked goes through an exchange of the service's own. The
broker's default exchange would lead there as well; but who may use that may write into
every queue of every service.

On RabbitMQ they are quorum queues with a delivery limit, so an event that kills its
process is parked as well. The in-process broker ends with its process: no need there.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from kombu import Connection, Exchange, Queue, binding
from nameko.amqp.publish import UndeliverableMessage
from nameko.constants import (
    AMQP_SSL_CONFIG_KEY,
    AMQP_URI_CONFIG_KEY,
    LOGIN_METHOD_CONFIG_KEY,
)
from nameko.messaging import Consumer
from nameko.standalone.events import get_event_exchange

from clp_chassis.clock import new_id, now
from clp_chassis.inprocess import is_inprocess
from clp_chassis.messaging.consumer import (
    BROKER_ERRORS,
    QueueConsumer,
    says_what_it_is,
    without_broken_call_stack,
)
from clp_chassis.messaging.publishers import RetryPublisher
from clp_chassis.observability.logs import told
from clp_chassis.observability.metrics import EVENTS_HEARD

log = logging.getLogger(__name__)

QUEUE_VERSION: Final = "q2"
RETRY_DELAYS_MS: Final = (500, 2_000, 10_000, 60_000)
DELIVERY_LIMIT: Final = 5
# A queue without a leader, or a broker short of memory, never confirms.
CONFIRM_SECONDS: Final = 10.0
LONGEST_ERROR: Final = 500

ATTEMPT: Final = "x-attempt"
ERROR: Final = "x-error"
FIRST_FAILED: Final = "x-first-failed"
# The broker's own history would make it think of our retries as a loop.
BROKER_HISTORY: Final = ("x-death", "x-first-death", "x-delivery-count")


def returns_exchange(service: str) -> str:
    """The exchange through which a service's own events wait and come back."""
    return f"{service}.returns"


class Drop(Exception):
    """Raised by a handler for an event that no retry will ever make better."""


class _Hearing(Consumer):  # type: ignore[misc]
    """A method that hears events of one source; one queue for all their types."""

    queue_consumer = QueueConsumer()

    def __init__(self, source: str, *event_types: str, **kwargs: Any) -> None:
        super().__init__(queue=None, **kwargs)
        self.source = source
        self.event_types = event_types

    @property
    def _queue_name(self) -> str:
        service = self.container.service_name
        return f"evt-{self.source}--{service}.{self.method_name}.{QUEUE_VERSION}"

    def _bindings(self) -> list[binding]:
        exchange = get_event_exchange(self.source, self.container.config)
        return [binding(exchange, routing_key=name) for name in self.event_types]

    def handle_message(self, body: Any, message: Any) -> None:
        """Set aside what does not say how to read it."""
        if says_what_it_is(message):
            EVENTS_HEARD.labels(self.container.service_name, self.source).inc()
            super().handle_message(body, message)
        else:
            log.error("event set aside, its content is of no known kind: %r", message)
            self.queue_consumer.reject_message(message)

    def unpack_message_headers(self, message: Any) -> dict[str, Any]:
        return without_broken_call_stack(super().unpack_message_headers(message))


class EventHandler(_Hearing):
    """Events heard once by each service that wants them, whichever process is free."""

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
        """Declare the queues nobody consumes; the others are with their consumers."""
        config = self.container.config
        returns = binding(self._returns, routing_key=self._queue_name)
        self.queue = self._queue(
            self._queue_name,
            self._main_arguments(),
            bindings=[*self._bindings(), returns],
        )
        self._retries = RetryPublisher(
            config[AMQP_URI_CONFIG_KEY],
            ssl=config.get(AMQP_SSL_CONFIG_KEY),
            login_method=config.get(LOGIN_METHOD_CONFIG_KEY),
            confirm_timeout=CONFIRM_SECONDS,
        )
        self._declare([self._dead_queue(), *self._wait_queues()])
        super().setup()

    def handle_message_processed(
        self, message: Any, result: Any = None, exc_info: Any = None
    ) -> None:
        """Acknowledge a handled event; make a failed one wait, or park it."""
        del result
        if exc_info is None:
            self.queue_consumer.ack_message(message)
            return
        try:
            self._set_aside(message, exc_info[1])
        except (*BROKER_ERRORS, UndeliverableMessage) as error:
            log.warning("no retry could be arranged, requeued: %r", error)
            self.queue_consumer.requeue_message(message)
        else:
            self.queue_consumer.ack_message(message)

    # ---- inside

    def _set_aside(self, message: Any, error: BaseException) -> None:
        attempt = _attempts_so_far(message) + 1
        last = attempt > len(self.retry_delays_ms) or isinstance(error, Drop)
        name = self._dead if last else self._wait(self.retry_delays_ms[attempt - 1])
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
        self._retries.publish(
            message.body,
            exchange=self._returns,
            routing_key=name,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            headers={
                FIRST_FAILED: now().isoformat(),
                **kept,
                ATTEMPT: attempt,
                ERROR: told(error)[:LONGEST_ERROR],
            },
        )

    @property
    def _returns(self) -> Exchange:
        name = returns_exchange(self.container.service_name)
        return Exchange(name, type="direct", durable=True)

    @property
    def _dead(self) -> str:
        return f"{self._queue_name}.dead"

    def _wait(self, delay_ms: int) -> str:
        return f"{self._queue_name}.wait.{delay_ms}"

    def _dead_queue(self) -> Queue:
        return self._returning(self._dead, {})

    def _wait_queues(self) -> list[Queue]:
        back = {
            "x-dead-letter-exchange": self._returns.name,
            "x-dead-letter-routing-key": self._queue_name,
        }
        return [
            self._returning(self._wait(delay), {"x-message-ttl": delay, **back})
            for delay in self.retry_delays_ms
        ]

    def _main_arguments(self) -> dict[str, Any]:
        dead = {
            "x-dead-letter-exchange": self._returns.name,
            "x-dead-letter-routing-key": self._dead,
        }
        limit = {} if self._is_inprocess else {"x-delivery-limit": DELIVERY_LIMIT}
        return {**dead, **limit}

    def _returning(self, name: str, arguments: dict[str, Any]) -> Queue:
        """A queue that is reached by its name."""
        bindings = [binding(self._returns, routing_key=name)]
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


class EverywhereEventHandler(_Hearing):
    """Events heard by every process of a service, as long as it runs.

    For dropping what was remembered of somebody else's rows. Nothing is kept for a
    process that is away and nothing is tried again: whoever uses this must also be
    right without it, a few seconds later.
    """

    def setup(self) -> None:
        """A queue of this process alone, which goes when the process goes."""
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
on_events_everywhere = EverywhereEventHandler.decorator
