"""The Kombu transport `inprocess://NAME/`, and the brokers behind the names."""

from __future__ import annotations

from typing import Final

from amqp.exceptions import (
    ChannelError,
    RecoverableConnectionError,
)
from amqp.exceptions import (
    ConnectionError as BrokerConnectionError,
)
from kombu import pools
from kombu.transport import TRANSPORT_ALIASES, base

from clp_chassis.inprocess.broker import Broker
from clp_chassis.inprocess.channel import Channel
from clp_chassis.inprocess.connection import Connection

SCHEME: Final = "inprocess"

_brokers: dict[str, Broker] = {}


def is_inprocess(broker_url: str) -> bool:
    """Whether a broker URL names an in-process broker."""
    return broker_url.startswith(f"{SCHEME}://")


def broker_named(name: str) -> Broker:
    """Return the broker of `inprocess://NAME/`; create it on first use."""
    return _brokers.setdefault(name.lower(), Broker())


def unacked(name: str) -> dict[str, int]:
    """Return the unacknowledged messages by queue; empty when idle."""
    return broker_named(name).unacked()


def reset(name: str) -> None:
    """Drop a broker with all its messages and disconnect its clients."""
    broker = _brokers.pop(name.lower(), None)
    if broker is not None:
        broker.close()
    for pool in (pools.producers, pools.connections):
        for key in [k for k in pool if _belongs_to(k, name.lower())]:
            dict.__delitem__(pool, key)


def _belongs_to(pool_key: list[object], name: str) -> bool:
    """Whether a pool of Kombu belongs to a broker; pools outlive their broker."""
    return list(pool_key[:2]) == [SCHEME, name]


class Transport(base.Transport):  # type: ignore[misc]
    """The Kombu transport."""

    driver_type = driver_name = SCHEME
    connection_errors = (BrokerConnectionError,)
    channel_errors = (ChannelError,)
    # Only a dropped broker is worth a retry. NO_ROUTE must reach the caller unchanged:
    # Kombu wraps recoverable errors, and Nameko would not recognize it.
    recoverable_connection_errors = (RecoverableConnectionError,)
    recoverable_channel_errors = ()

    def driver_version(self) -> str:
        return "1"

    def establish_connection(self) -> Connection:
        return Connection(self.client, broker_named(self.client.hostname))

    def verify_connection(self, connection: Connection) -> bool:
        return connection.is_open

    def close_connection(self, connection: Connection) -> None:
        connection.close()

    def create_channel(self, connection: Connection) -> Channel:
        connection.require_open()
        options = self.client.transport_options or {}
        return Channel(connection, confirms=bool(options.get("confirm_publish")))

    def drain_events(
        self, connection: Connection, timeout: float | None = None
    ) -> None:
        connection.drain(timeout)


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
