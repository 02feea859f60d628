"""The transport `inprocess://NAME/`: a broker for services that share one process.

Importing this module teaches kombu the scheme. Every NAME is a broker of its own, so
several suites run side by side. Nothing is durable: what must survive lives in rows
and positions, and a dropped broker (`forget`) heals like a wiped RabbitMQ.

A drain sleeps until something arrives and never polls. A confirmed publish lets other
greenthreads run once, as waiting for a real confirm would, so code that must not wait
(inside a write transaction) is caught misbehaving here too. For the greenthreads of one
OS thread; everything here relies on `clp_chassis.concurrency.monkey_patch`.
"""

from clp_chassis.inprocess.transport import (
    SCHEME,
    broker_named,
    forget,
    is_inprocess,
    unsettled,
)

__all__ = ["SCHEME", "broker_named", "forget", "is_inprocess", "unsettled"]
