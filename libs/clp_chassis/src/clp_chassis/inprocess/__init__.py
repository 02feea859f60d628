"""The transport `inprocess://NAME/`: a broker for services that share one process.

Importing this module registers the scheme with Kombu. Every NAME is a broker of its
own, so several suites run side by side. Nothing is durable: what must survive is in the
database, and a `reset` broker recovers like a wiped RabbitMQ.

A drain sleeps until a message arrives and never polls. A confirmed publish lets other
green threads run once, as waiting for a real confirm would, so that code which must not
wait (inside a write transaction) fails here too. For the green threads of one OS
thread; relies on `clp_chassis.concurrency.monkey_patch`.
"""

from clp_chassis.inprocess.transport import (
    SCHEME,
    broker_named,
    is_inprocess,
    reset,
    unacked,
)

__all__ = ["SCHEME", "broker_named", "is_inprocess", "reset", "unacked"]
