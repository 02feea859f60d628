"""Queues of the in-process broker: messages in order, consumers in rotation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

EXPIRES: Final = "x-expires"
QUEUE_TTL: Final = "x-message-ttl"
DEAD_EXCHANGE: Final = "x-dead-letter-exchange"
DEAD_ROUTING_KEY: Final = "x-dead-letter-routing-key"

SUPPORTED_ARGUMENTS: Final = frozenset(
    {EXPIRES, QUEUE_TTL, DEAD_EXCHANGE, DEAD_ROUTING_KEY}
)


class Client(Protocol):
    """The interface of a connection to the broker."""

    def on_broker_closed(self) -> None:
        """React to the end of the broker."""


@dataclass(frozen=True, slots=True)
class Message:
    """A published message; never changed."""

    body: bytes
    properties: dict[str, Any]
    headers: dict[str, Any]
    exchange: str = ""
    routing_key: str = ""


@dataclass(slots=True)
class QueuedMessage:
    """A message at its position in one queue."""

    message: Message
    order: int
    expires_at: float | None
    redelivered: bool = False


@dataclass(slots=True, eq=False)
class Subscription:
    """One consumer of one queue, with room for so many unacked payloads."""

    queue: Queue
    deliver: Callable[[Subscription, QueuedMessage], None]
    prefetch: int = 0
    needs_ack: bool = True
    unacked_count: int = 0

    @property
    def has_capacity(self) -> bool:
        return (
            not self.needs_ack
            or not self.prefetch
            or self.unacked_count < self.prefetch
        )


@dataclass(slots=True, eq=False)
class Queue:
    """Messages in order, and consumers in rotation."""

    name: str
    shape: dict[str, Any]
    owner: Client
    arguments: dict[str, Any]
    ready: deque[QueuedMessage] = field(default_factory=deque)
    subscriptions: deque[Subscription] = field(default_factory=deque)
    bound_to: set[tuple[str, str]] = field(default_factory=set)
    unacked_count: int = 0
    expiry_timer: Any = None
    unused_timer: Any = None

    @property
    def is_exclusive(self) -> bool:
        return bool(self.shape.get("exclusive"))

    def add(self, message: Message, order: int) -> None:
        limits = (message.properties.get("expiration"), self.arguments.get(QUEUE_TTL))
        lives = [int(ms) / 1000 for ms in limits if ms is not None]
        expires_at = monotonic() + min(lives) if lives else None
        self.ready.append(QueuedMessage(message, order, expires_at))

    def next_subscription(self) -> Subscription | None:
        """Return the next consumer with capacity."""
        for _ in range(len(self.subscriptions)):
            self.subscriptions.rotate(-1)
            if self.subscriptions[-1].has_capacity:
                return self.subscriptions[-1]
        return None

    def requeue(self, queued: QueuedMessage) -> None:
        """Return a message to its position, before all later ones."""
        queued.redelivered = True
        later: list[QueuedMessage] = []
        while self.ready and self.ready[0].order < queued.order:
            later.append(self.ready.popleft())
        self.ready.appendleft(queued)
        self.ready.extendleft(reversed(later))

    def stop_timers(self) -> None:
        for timer in (self.expiry_timer, self.unused_timer):
            if timer is not None:
                timer.cancel()
        self.expiry_timer = self.unused_timer = None
