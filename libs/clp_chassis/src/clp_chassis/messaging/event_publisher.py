"""Publish events in batches: wait for the confirms of the broker once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import eventlet
from amqp.exceptions import MessageNacked
from kombu import Connection
from nameko.constants import PERSISTENT

from clp_chassis.concurrency.loop_timer import timeout
from clp_chassis.inprocess import is_inprocess
from clp_chassis.messaging.consumer import BROKER_ERRORS, JSON
from clp_chassis.messaging.shared_bindings import BIND_INTERVAL_S, bind_again
from clp_chassis.observability.logs import safe_error_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kombu import Exchange

UTF_8: Final = "utf-8"


class EncodedEvent(NamedTuple):
    """An event as JSON, and the key that routes it."""

    routing_key: str
    body: bytes


class EventPublisher:
    """Publish events to one exchange: persistent, and confirmed together.

    It has a connection of its own: confirms are counted, so nobody else may publish on
    its channel. For one green thread at a time.
    """

    def __init__(
        self, broker_url: str, exchange: Exchange, *, ssl: Any, confirm_timeout: float
    ) -> None:
        self._broker_url = broker_url
        self._exchange = exchange
        self._ssl = ssl
        self._confirm_timeout = confirm_timeout
        self._connection: Connection | None = None
        self._channel: Any = None
        self._confirms = _Confirms()
        self._checked_at = 0.0
        # In words, why events cannot be published; None when they can.
        self.problem: str | None = None

    def publish(self, events: Sequence[EncodedEvent]) -> None:
        """Publish events and return when the broker has taken all of them.

        A broken connection is replaced once: the broker may have restarted.

        Raises:
            OSError, AMQPError, OperationalError: some events may not have been taken.
        """
        is_reused = self._connection is not None
        try:
            self._publish(self._connection or self._connect(), events)
        except BROKER_ERRORS as error:
            self.close()
            if not is_reused:
                self.problem = f"events are not published: {safe_error_text(error)}"
                raise
            self.publish(events)
        except BaseException:
            self.close()
            raise
        else:
            self.problem = None

    def check_exchange(self) -> None:
        """Look every few seconds whether the exchange still exists.

        Raises:
            OSError, AMQPError, OperationalError: the broker cannot be asked.
        """
        connection = self._connection
        if connection is None or is_inprocess(self._broker_url):
            return
        if time.monotonic() - self._checked_at > BIND_INTERVAL_S:
            self._checked_at = time.monotonic()
            with timeout(self._confirm_timeout):
                self.problem = bind_again(connection, (), (self._exchange,))

    def close(self) -> None:
        """Drop the connection without a handshake; the next publish opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()

    def _connect(self) -> Connection:
        connection = Connection(self._broker_url, ssl=self._ssl)
        channel = connection.default_channel
        self._exchange(channel).declare()
        self._channel = channel
        self._confirms = _Confirms()
        if not is_inprocess(self._broker_url):
            channel.confirm_select()
            channel.events["basic_ack"].add(self._confirms.ack)
            channel.events["basic_nack"].add(self._confirms.nack)
        self._connection = connection
        return connection

    def _publish(self, connection: Connection, events: Sequence[EncodedEvent]) -> None:
        with timeout(self._confirm_timeout):
            # Not Kombu's `default_channel`, which would reconnect.
            channel = self._channel
            for event in events:
                message = channel.prepare_message(
                    event.body,
                    content_type=JSON,
                    content_encoding=UTF_8,
                    properties={"delivery_mode": PERSISTENT},
                )
                channel.basic_publish(
                    message,
                    exchange=self._exchange.name,
                    routing_key=event.routing_key,
                )
            if is_inprocess(self._broker_url):
                # As a real confirm: other green threads run meanwhile.
                eventlet.sleep(0)
                return
            self._confirms.expected += len(events)
            while not self._confirms.are_complete:
                connection.drain_events(timeout=self._confirm_timeout)


class _Confirms:
    """Counts the confirms of a channel; the broker may send one for several events."""

    def __init__(self) -> None:
        self.expected = 0
        self._below = 0
        self._single: set[int] = set()

    def ack(self, delivery_tag: int, multiple: bool) -> None:  # noqa: FBT001 - as amqp calls it
        """Note that an event, or all up to it, were taken."""
        if multiple:
            self._below = max(self._below, delivery_tag)
        else:
            self._single.add(delivery_tag)
        while self._below + 1 in self._single:
            self._below += 1
        self._single = {tag for tag in self._single if tag > self._below}

    @staticmethod
    def nack(delivery_tag: int, multiple: bool) -> None:  # noqa: FBT001 - as amqp calls it
        """Raise for an event that the broker did not take."""
        del multiple
        raise MessageNacked(delivery_tag)

    @property
    def are_complete(self) -> bool:
        """Whether every published event was taken."""
        return self._below >= self.expected
