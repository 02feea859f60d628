"""Where services meet the broker: nameko's pieces, made outage-proof.

Services take every decorator from here and none from nameko.
"""

from clp_chassis.messaging.consumer import BROKER_ERRORS, QueueConsumer
from clp_chassis.messaging.event_consumer import (
    RETRY_DELAYS_MS,
    Drop,
    EventHandler,
    EverywhereEventHandler,
    on_events,
    on_events_everywhere,
    returns_exchange,
)
from clp_chassis.messaging.publishers import (
    EventPublisher,
    ReplyPublisher,
    RetryPublisher,
)
from clp_chassis.messaging.rpc_server import Rpc, RpcConsumer, rpc

__all__ = [
    "BROKER_ERRORS",
    "RETRY_DELAYS_MS",
    "Drop",
    "EventHandler",
    "EventPublisher",
    "EverywhereEventHandler",
    "QueueConsumer",
    "ReplyPublisher",
    "RetryPublisher",
    "Rpc",
    "RpcConsumer",
    "on_events",
    "on_events_everywhere",
    "returns_exchange",
    "rpc",
]
