"""One client of the in-process broker, and its sleep until something arrives."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from amqp.exceptions import RecoverableConnectionError
from eventlet.event import Event

if TYPE_CHECKING:
    from clp_chassis.inprocess.broker import Broker
    from clp_chassis.inprocess.queues import Subscription, Waiting


class Receiver(Protocol):
    """An AMQP channel, as far as its connection cares."""

    connection: Connection | None

    def close(self) -> None: ...

    def hand_over(self, subscription: Subscription, waiting: Waiting) -> None: ...


class Connection:
    """One client of a broker, and what has arrived for it."""

    def __init__(self, client: Any, broker: Broker) -> None:
        self.client = client
        self.broker = broker
        self.is_open = True
        self.channels: set[Receiver] = set()
        self.arrived: deque[tuple[Receiver, Subscription, Waiting]] = deque()
        self._bell: Event | None = None
        self._woken = False
        broker.clients.add(self)

    def ring(self) -> None:
        """Wake every drain of this connection."""
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.send()

    def wake(self) -> None:
        """Make the present or the next drain return, though nothing arrived."""
        self._woken = True
        self.ring()

    def drain(self, timeout: float | None) -> None:
        """Hand over one payload, waiting for it if there is none."""
        if not self._has_news():
            bell = self._bell = self._bell or Event()
            bell.wait(timeout)
            if not bell.ready():
                raise TimeoutError("timed out")
        self.demand_open()
        self._woken = False
        if self.arrived:
            channel, subscription, waiting = self.arrived.popleft()
            channel.hand_over(subscription, waiting)

    def _has_news(self) -> bool:
        return bool(self.arrived) or self._woken or not self.is_open

    def demand_open(self) -> None:
        if not self.is_open:
            raise RecoverableConnectionError("connection to the broker is closed")

    def close(self) -> None:
        if self.is_open:
            for channel in list(self.channels):
                channel.close()
            self.broker.leave(self)
            self.broken()

    def broken(self) -> None:
        self.is_open = False
        self.arrived.clear()
        for channel in self.channels:
            channel.connection = None
        self.channels.clear()
        self.ring()
