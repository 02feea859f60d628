"""Queues of the in-process broker: payloads in order, and consumers that take turns."""

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

UNDERSTOOD: Final = frozenset({EXPIRES, QUEUE_TTL, DEAD_EXCHANGE, DEAD_ROUTING_KEY})


class Client(Protocol):
    """A connection, as far as the broker cares."""

    def broken(self) -> None:
        """Hear that the broker is gone."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What a publisher handed over, never changed afterwards."""

    body: bytes
    properties: dict[str, Any]
    headers: dict[str, Any]
    exchange: str = ""
    routing_key: str = ""


@dataclass(slots=True)
class Waiting:
    """A payload at its place in one queue."""

    payload: Payload
    place: int
    expires_at: float | None
    redelivered: bool = False


@dataclass(slots=True, eq=False)
class Subscription:
    """One consumer of one queue, with room for so many unsettled payloads."""

    queue: Queue
    hand_over: Callable[[Subscription, Waiting], None]
    room: int = 0
    settles: bool = True
    in_hand: int = 0

    @property
    def can_take(self) -> bool:
        return not self.settles or not self.room or self.in_hand < self.room


@dataclass(slots=True, eq=False)
class Queue:
    """Payloads in order, and the consumers that take turns."""

    name: str
    shape: dict[str, Any]
    declared_by: Client
    arguments: dict[str, Any]
    ready: deque[Waiting] = field(default_factory=deque)
    subscriptions: deque[Subscription] = field(default_factory=deque)
    bound_to: set[tuple[str, str]] = field(default_factory=set)
    in_hand: int = 0
    expiry_timer: Any = None
    disuse_timer: Any = None

    @property
    def is_exclusive(self) -> bool:
        return bool(self.shape.get("exclusive"))

    def add(self, payload: Payload, place: int) -> None:
        limits = (payload.properties.get("expiration"), self.arguments.get(QUEUE_TTL))
        lives = [int(ms) / 1000 for ms in limits if ms is not None]
        expires_at = monotonic() + min(lives) if lives else None
        self.ready.append(Waiting(payload, place, expires_at))

    def next_taker(self) -> Subscription | None:
        """Whose turn it is among those with room."""
        for _ in range(len(self.subscriptions)):
            self.subscriptions.rotate(-1)
            if self.subscriptions[-1].can_take:
                return self.subscriptions[-1]
        return None

    def put_back(self, waiting: Waiting) -> None:
        """Return a payload to the place it had, in front of all younger ones."""
        waiting.redelivered = True
        younger: list[Waiting] = []
        while self.ready and self.ready[0].place < waiting.place:
            younger.append(self.ready.popleft())
        self.ready.appendleft(waiting)
        self.ready.extendleft(reversed(younger))

    def stop_timers(self) -> None:
        for timer in (self.expiry_timer, self.disuse_timer):
            if timer is not None:
                timer.cancel()
        self.expiry_timer = self.disuse_timer = None
