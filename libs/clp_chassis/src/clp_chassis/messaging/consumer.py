"""Consumer loop that survives outages of the broker.

In Nameko's own loop an acknowledgement that cannot be sent, or a reconnect at the wrong
moment, ends the whole process. Here the loop goes on: the broker redelivers what was
not acknowledged, and every handler may run twice anyway.

Nameko shares extensions by class: entrypoints with the same subclass of this one share
a connection, and wait for each other when the broker is slow to answer for a queue.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import eventlet
import kombu
from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from nameko import messaging
from nameko.constants import CALL_ID_STACK_CONTEXT_KEY
from nameko.extensions import ProviderCollector

from clp_chassis.concurrency.loop_timer import timeout
from clp_chassis.inprocess import is_inprocess
from clp_chassis.messaging.shared_bindings import BIND_INTERVAL_S, bind_again
from clp_chassis.observability.logs import safe_error_text
from clp_contracts.serialization import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kombu import Exchange

log = logging.getLogger(__name__)

BROKER_ERRORS: Final = (OSError, AMQPError, OperationalError)
DRAIN_SECONDS: Final = 0.25
RECONNECT_SECONDS: Final = 1.0
BIND_TIMEOUT_S: Final = 5.0
JSON: Final = "application/json"


class _StoppedWhileDisconnectedError(Exception):
    """The container stopped while the broker was unreachable."""


class _AllAcknowledgedError(Exception):
    """The container stops, and nothing of this connection is running."""


class QueueConsumer(messaging.QueueConsumer):  # type: ignore[misc]
    """Nameko's consumer loop; survives outages and can stop during one."""

    # Exchanges that are needed besides those of the queues.
    exchanges: tuple[Exchange, ...] = ()
    _kombu_connection: Any = None
    # Why queues are not bound, if they are not; and when that was looked at.
    _binding_problem: str | None = None
    _bound_at: float = 0.0

    def ack_message(self, message: Any) -> None:
        self._send(super().ack_message, message)

    def requeue_message(self, message: Any) -> None:
        self._send(super().requeue_message, message)

    def reject_message(self, message: Any) -> None:
        """Reject a message: the dead letter exchange of its queue gets it, if any."""
        self._send(lambda rejected: rejected.reject(), message)

    def handle_message(self, provider: Any, body: Any, message: Any) -> None:
        """Handle a message in a green thread of its own, unless it only wakes loops."""
        if getattr(provider, "runs_in_loop", False):
            provider.handle_message(body, message)
        else:
            super().handle_message(provider, body, message)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Reject a message that cannot be decoded, instead of acknowledging it."""
        log.error("undecodable message rejected: %r", exc)
        self.reject_message(message)

    def readiness_checks(self) -> dict[str, Callable[[], None]]:
        """Return the readiness check of this connection and its queues."""
        return {type(self).__name__: self._check}

    def _check(self) -> None:
        """Raise while messages do not arrive here.

        Exchanges and bindings are declared before the consumers are ready, and again
        every few seconds: an operator may have deleted one meanwhile.
        """
        connection = self._kombu_connection
        if not self._providers:
            return
        if self._binding_problem is not None:
            raise OSError(self._binding_problem)
        if connection is None or not connection.connected:
            raise OSError("no connection to the broker")
        if len(self._consumers) < len(self._providers):
            raise OSError("queues are not consumed yet")

    def get_consumers(self, consumer_cls: Any, channel: Any) -> Any:
        """Consume with a bound on the size of messages."""
        bounded = partial(BoundedConsumer, *consumer_cls.args, **consumer_cls.keywords)
        try:
            for exchange in self.exchanges:
                exchange(channel).declare()
            consumers = super().get_consumers(bounded, channel)
        except AMQPError as error:
            self._binding_problem = f"queues are not bound: {safe_error_text(error)}"
            self._stop_if_unused()
            raise
        self._binding_problem = None
        self._bound_at = time.monotonic()
        return consumers

    def run(self, **_: object) -> None:
        """Consume until stopped; reconnect after an outage."""
        while not self.should_stop:
            try:
                super().run(safety_interval=DRAIN_SECONDS)
            except OperationalError as error:
                log.warning("connection to the broker lost, reconnecting: %s", error)
                eventlet.sleep(RECONNECT_SECONDS)
            except _StoppedWhileDisconnectedError:
                log.info("stopped while the broker was unreachable")
            except _AllAcknowledgedError:
                return

    @contextmanager
    def establish_connection(self) -> Iterator[Any]:
        """Connect, trying every second: recovery follows the broker's closely."""
        with self.create_connection() as connection:
            connection.ensure_connection(
                self.on_connection_error,
                self.connect_max_retries,
                interval_start=RECONNECT_SECONDS,
                interval_step=0,
                interval_max=RECONNECT_SECONDS,
                callback=self._stop_if_unused,
            )
            yield connection

    def on_consume_ready(
        self, connection: Any, channel: Any, consumers: Any, **kwargs: object
    ) -> None:
        self._kombu_connection = connection
        super().on_consume_ready(connection, channel, consumers, **kwargs)

    def unregister_provider(self, provider: Any) -> None:
        """Stop consuming for a provider; at once when there is no connection yet."""
        if self._consumers_ready.ready():
            eventlet.spawn_n(self._wake)
            super().unregister_provider(provider)
        else:
            ProviderCollector.unregister_provider(self, provider)

    def on_iteration(self) -> None:
        super().on_iteration()
        if self.should_stop:
            self._end_when_acknowledged()
        elif time.monotonic() - self._bound_at > BIND_INTERVAL_S:
            self._bind_again()

    def _end_when_acknowledged(self) -> None:
        """Keep the connection for the acknowledgements of running work, no longer.

        The broker redelivers what was not acknowledged at its end.
        """
        container = self.container
        if container._being_killed or not container._worker_pool.running():  # noqa: SLF001 - nameko has no other way to ask
            raise _AllAcknowledgedError
        self.should_stop = False

    def _bind_again(self) -> None:
        """Bind the queues again; here, since two threads must not read a socket."""
        self._bound_at = time.monotonic()
        if is_inprocess(self.amqp_uri):
            return
        queues = [provider.queue for provider in self._providers]
        with timeout(BIND_TIMEOUT_S):
            problem = bind_again(self._kombu_connection, queues, self.exchanges)
        if problem != self._binding_problem:
            log.warning("bindings: %s", problem or "restored")
        self._binding_problem = problem

    @staticmethod
    def _send(send: Callable[[Any], None], message: Any) -> None:
        try:
            send(message)
        except BROKER_ERRORS as error:
            log.warning("not acknowledged, will be redelivered: %r", error)

    def _wake(self) -> None:
        """End the wait of the loop at once; only the in-process broker can."""
        transport_connection = getattr(self._kombu_connection, "_connection", None)
        wake = getattr(transport_connection, "wake", None)
        if wake is not None:
            wake()

    def _stop_if_unused(self) -> None:
        removed = dict(self._pending_remove_providers)
        self._pending_remove_providers.clear()
        for provider, event in removed.items():
            self._consumers.pop(provider, None)
            event.send()
        if removed and not self._consumers:
            self.should_stop = True
        if self.should_stop:
            raise _StoppedWhileDisconnectedError


class BoundedConsumer(kombu.Consumer):  # type: ignore[misc]
    """Consume messages of a bounded size; reject others without decoding them."""

    def _receive_callback(self, message: Any) -> None:
        size = len(message.body or b"")
        if size > MAX_MESSAGE_BYTES:
            log.error("message rejected, %s bytes: %r", size, message.delivery_info)
            self.channel.basic_reject(message.delivery_tag, requeue=False)
        else:
            super()._receive_callback(message)


def is_plain_json(message: Any) -> bool:
    """Whether a message says that it is JSON, the only content type in use."""
    return bool(message.properties.get("content_type") == JSON)


def without_broken_call_stack(context_data: dict[str, Any]) -> dict[str, Any]:
    """Reject a call chain that is none: nameko would die over it later."""
    stack = context_data.get(CALL_ID_STACK_CONTEXT_KEY, [])
    if isinstance(stack, list) and all(isinstance(call, str) for call in stack):
        return context_data
    return {k: v for k, v in context_data.items() if k != CALL_ID_STACK_CONTEXT_KEY}
