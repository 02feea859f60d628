"""One client of the in-process broker, and its wait for messages."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from amqp.exceptions import RecoverableConnectionError
from eventlet.event import Event

if TYPE_CHECKING:
    from clp_chassis.inprocess.broker import Broker
    from clp_chassis.inprocess.queues import QueuedMessage, Subscription


class Receiver(Protocol):
    """The interface of a channel to its connection."""

    connection: Connection | None

    def close(self) -> None: ...

    def deliver(self, subscription: Subscription, queued: QueuedMessage) -> None: ...


class Connection:
    """One client of a broker, with its undelivered messages."""

    def __init__(self, client: Any, broker: Broker) -> None:
        self.client = client
        self.broker = broker
        self.is_open = True
        self.channels: set[Receiver] = set()
        self.inbox: deque[tuple[Receiver, Subscription, QueuedMessage]] = deque()
        self._wakeup: Event | None = None
        self._is_woken = False
        broker.clients.add(self)

    def notify(self) -> None:
        """Wake every drain of this connection."""
        bell, self._wakeup = self._wakeup, None
        if bell is not None:
            bell.send()

    def wake(self) -> None:
        """Make the current or next drain return without a message."""
        self._is_woken = True
        self.notify()

    def drain(self, timeout: float | None) -> None:
        """Deliver one message; wait for it if there is none."""
        if not self._has_work():
            bell = self._wakeup = self._wakeup or Event()
            bell.wait(timeout)
            if not bell.ready():
                raise TimeoutError("timed out")
        self.require_open()
        self._is_woken = False
        if self.inbox:
            channel, subscription, queued = self.inbox.popleft()
            channel.deliver(subscription, queued)

    def _has_work(self) -> bool:
        return bool(self.inbox) or self._is_woken or not self.is_open

    def require_open(self) -> None:
        if not self.is_open:
            raise RecoverableConnectionError("connection to the broker is closed")

    def close(self) -> None:
        if self.is_open:
            for channel in list(self.channels):
                channel.close()
            self.broker.disconnect(self)
            self.on_broker_closed()

    def on_broker_closed(self) -> None:
        self.is_open = False
        self.inbox.clear()
        for channel in self.channels:
            channel.connection = None
        self.channels.clear()
        self.notify()
