"""Bind queues again while they are consumed, and check the exchanges they need.

AMQP has no question for bindings, but to bind twice is to bind once. So a lost binding
is restored by the next check, and what remains a problem is what no service account may
restore: a shared exchange. A check needs no right beyond those of the first binding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from amqp.exceptions import ChannelError

from clp_chassis.observability.logs import safe_error_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kombu import Exchange, Queue

BIND_INTERVAL_S: Final = 5.0


def bind_again(
    connection: Any, queues: Iterable[Queue], exchanges: Iterable[Exchange]
) -> str | None:
    """Bind queues again and look for exchanges; return what is wrong, or None."""
    # What the broker refuses closes its AMQP channel.
    amqp_channel = connection.channel()
    try:
        for queue in queues:
            _bind(queue, amqp_channel)
        for exchange in exchanges:
            amqp_channel.exchange_declare(exchange.name, exchange.type, passive=True)
    except ChannelError as error:
        return f"exchanges or queues are missing: {safe_error_text(error)}"
    finally:
        if amqp_channel.is_open:
            amqp_channel.close()
    return None


def _bind(queue: Queue, amqp_channel: Any) -> None:
    if queue.exchange is not None:
        queue.queue_bind(channel=amqp_channel)
    for binding in queue.bindings:
        queue.bind_to(binding.exchange, binding.routing_key, channel=amqp_channel)
