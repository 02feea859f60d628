"""AMQP entrypoints and publishers: Nameko's, made to survive outages.

Services import every decorator from here and none from Nameko.
"""

from clp_chassis.messaging import malformed_messages as malformed_messages
from clp_chassis.messaging import plain_json as plain_json
from clp_chassis.messaging.consumer import BROKER_ERRORS, QueueConsumer
from clp_chassis.messaging.dead_events import DeadEvents
from clp_chassis.messaging.event_consumer import (
    RETRY_DELAYS_MS,
    BroadcastEventHandler,
    EventHandler,
    Reject,
    dead_letter_queue,
    on_broadcast_events,
    on_events,
    retry_exchange,
)
from clp_chassis.messaging.event_publisher import EncodedEvent, EventPublisher
from clp_chassis.messaging.publishers import ReplyPublisher, RetryPublisher
from clp_chassis.messaging.rpc_server import EncodedResponse, Rpc, RpcConsumer, rpc

__all__ = [
    "BROKER_ERRORS",
    "RETRY_DELAYS_MS",
    "BroadcastEventHandler",
    "DeadEvents",
    "EncodedEvent",
    "EncodedResponse",
    "EventHandler",
    "EventPublisher",
    "QueueConsumer",
    "Reject",
    "ReplyPublisher",
    "RetryPublisher",
    "Rpc",
    "RpcConsumer",
    "dead_letter_queue",
    "on_broadcast_events",
    "on_events",
    "retry_exchange",
    "rpc",
]
