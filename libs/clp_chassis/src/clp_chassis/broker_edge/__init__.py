"""Where services meet the broker: nameko's pieces, made outage-proof.

Services take every decorator from here and none from nameko.
"""

from clp_chassis.broker_edge.answering import Rpc, RpcConsumer, rpc
from clp_chassis.broker_edge.consuming import BROKER_ERRORS, QueueConsumer
from clp_chassis.broker_edge.hearing import (
    RETRY_DELAYS_MS,
    Drop,
    EventHandler,
    EverywhereEventHandler,
    on_events,
    on_events_everywhere,
    returns_exchange,
)
from clp_chassis.broker_edge.publishing import (
    EventPublisher,
    ReplyPublisher,
    RetryPublisher,
)

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
