"""The loop that takes payloads from the broker, made to survive the broker.

As nameko ships it, an acknowledgement that cannot be sent or a reconnect at the wrong
moment ends the whole process. Here the loop goes on: whatever was not settled is
delivered again by the broker, and every handler may run twice anyway.

Extensions are shared by class: whatever takes the same subclass of this one shares a
connection, and waits for the others when one of their queues is slow to answer.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import eventlet
from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from kombu.serialization import registry
from nameko import messaging
from nameko.constants import CALL_ID_STACK_CONTEXT_KEY
from nameko.extensions import ProviderCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

BROKER_ERRORS: Final = (OSError, AMQPError, OperationalError)
DRAIN_SECONDS: Final = 0.25
RECONNECT_SECONDS: Final = 1.0


class _StoppedWhileApartError(Exception):
    """Nobody needs this connection any more, though it never came back."""


class QueueConsumer(messaging.QueueConsumer):  # type: ignore[misc]
    """nameko's consumer loop, surviving outages and stopping during one."""

    _kombu_connection: Any = None

    def ack_message(self, message: Any) -> None:
        self._settle(super().ack_message, message)

    def requeue_message(self, message: Any) -> None:
        self._settle(super().requeue_message, message)

    def reject_message(self, message: Any) -> None:
        """Give up on a payload: its queue's dead letter exchange decides."""
        self._settle(lambda rejected: rejected.reject(), message)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """What cannot be read is set aside, not acknowledged as if it had been."""
        log.error("unreadable payload set aside: %r", exc)
        self.reject_message(message)

    def run(self, **_: object) -> None:
        """Consume until stopped; after an outage, start again."""
        while not self.should_stop:
            try:
                super().run(safety_interval=DRAIN_SECONDS)
            except OperationalError as error:
                log.warning("lost the broker, connecting again: %s", error)
                eventlet.sleep(RECONNECT_SECONDS)
            except _StoppedWhileApartError:
                log.info("stopped while the broker was away")

    @contextmanager
    def establish_connection(self) -> Iterator[Any]:
        """Try every second: recovery must not lag far behind the broker's."""
        with self.create_connection() as connection:
            connection.ensure_connection(
                self.on_connection_error,
                self.connect_max_retries,
                interval_start=RECONNECT_SECONDS,
                interval_step=0,
                interval_max=RECONNECT_SECONDS,
                callback=self._leave_if_nobody_consumes,
            )
            yield connection

    def on_consume_ready(
        self, connection: Any, channel: Any, consumers: Any, **kwargs: object
    ) -> None:
        self._kombu_connection = connection
        super().on_consume_ready(connection, channel, consumers, **kwargs)

    def unregister_provider(self, provider: Any) -> None:
        """Stop consuming for one provider, at once if there is no connection yet."""
        if self._consumers_ready.ready():
            eventlet.spawn_n(self._wake)
            super().unregister_provider(provider)
        else:
            ProviderCollector.unregister_provider(self, provider)

    def on_iteration(self) -> None:
        super().on_iteration()
        if self.should_stop:
            self._wake()

    @staticmethod
    def _settle(settle: Callable[[Any], None], message: Any) -> None:
        try:
            settle(message)
        except BROKER_ERRORS as error:
            log.warning("not settled, the broker will deliver again: %r", error)

    def _wake(self) -> None:
        """Let the loop look around at once; only the in-process broker can."""
        transport_connection = getattr(self._kombu_connection, "_connection", None)
        wake = getattr(transport_connection, "wake", None)
        if wake is not None:
            wake()

    def _leave_if_nobody_consumes(self) -> None:
        leaving = dict(self._pending_remove_providers)
        self._pending_remove_providers.clear()
        for provider, removed in leaving.items():
            self._consumers.pop(provider, None)
            removed.send()
        if leaving and not self._consumers:
            self.should_stop = True
        if self.should_stop:
            raise _StoppedWhileApartError


def says_what_it_is(message: Any) -> bool:
    """Whether a payload names a kind of content that somebody here can read."""
    return message.properties.get("content_type") in registry.type_to_name


def without_broken_call_stack(context_data: dict[str, Any]) -> dict[str, Any]:
    """Drop a call chain that is none: nameko would die over it later."""
    stack = context_data.get(CALL_ID_STACK_CONTEXT_KEY, [])
    if isinstance(stack, list) and all(isinstance(call, str) for call in stack):
        return context_data
    return {k: v for k, v in context_data.items() if k != CALL_ID_STACK_CONTEXT_KEY}
