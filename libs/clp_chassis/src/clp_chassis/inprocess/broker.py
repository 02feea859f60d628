"""The broker inside this process: what exists and who is handed what.

Only state and routing live here; `clp_chassis.inprocess.transport` makes it kombu's.
Nothing in this module waits, so no other greenthread ever sees a half-done change.
It speaks for RabbitMQ in tests, therefore it refuses what it cannot do instead of
pretending: an argument it does not know is an error, not a promise broken in silence.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from amqp.exceptions import (
    AMQPNotImplementedError,
    NotFound,
    PreconditionFailed,
    ResourceLocked,
)
from eventlet import hubs

from clp_chassis.inprocess.queues import (
    DEAD_EXCHANGE,
    DEAD_ROUTING_KEY,
    EXPIRES,
    UNDERSTOOD,
    Client,
    Payload,
    Queue,
    Subscription,
    Waiting,
)
from clp_chassis.inprocess.routing import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

DEATHS: Final = "x-death"


class Broker:
    """Everything one named in-process broker knows."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self._exchanges: dict[str, Exchange] = {}
        self._queues: dict[str, Queue] = {}
        self._places = count()

    # ---- what exists

    def declare_exchange(self, name: str, kind: str) -> None:
        known = self._exchanges.setdefault(name, Exchange(name, kind))
        if known.kind != kind:
            raise PreconditionFailed(f"exchange {name!r} is {known.kind}, not {kind}")

    def delete_exchange(self, name: str) -> None:
        self._exchanges.pop(name, None)

    def declare_queue(
        self, name: str, client: Client, *, shape: dict[str, Any], args: dict[str, Any]
    ) -> Queue:
        """Find or make a queue; the same name with another shape is refused."""
        if unknown := set(args) - UNDERSTOOD:
            raise AMQPNotImplementedError(f"in-process queues know no {unknown}")
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue(name, shape, client, args)
            self._watch_disuse(queue)
        self._refuse_stranger(queue, client)
        queue.declared_by = client
        if (queue.shape, queue.arguments) != (shape, args):
            raise PreconditionFailed(f"queue {name!r} exists with other arguments")
        return queue

    def queue(self, name: str) -> Queue:
        try:
            return self._queues[name]
        except KeyError:
            raise NotFound(f"no queue {name!r}") from None

    def bind(self, queue: str, exchange: str, routing_key: str) -> None:
        self._exchange(exchange).bind(routing_key, queue)
        self.queue(queue).bound_to.add((exchange, routing_key))

    def unbind(self, queue: str, exchange: str, routing_key: str) -> None:
        self._exchange(exchange).unbind(routing_key, queue)
        self.queue(queue).bound_to.discard((exchange, routing_key))

    def delete_queue(self, name: str) -> int:
        queue = self._queues.pop(name, None)
        if queue is None:
            return 0
        queue.stop_timers()
        for exchange, routing_key in queue.bound_to:
            if exchange in self._exchanges:
                self._exchanges[exchange].unbind(routing_key, name)
        return len(queue.ready)

    def unsettled(self) -> dict[str, int]:
        """How many payloads wait or are being handled, for queues that have any."""
        sizes = {q.name: len(q.ready) + q.in_hand for q in self._queues.values()}
        return {name: size for name, size in sizes.items() if size}

    # ---- payloads in

    def publish(self, payload: Payload) -> bool:
        """Put a payload into every queue its key leads to; False when none does."""
        if payload.exchange:
            names = self._exchange(payload.exchange).queues_for(payload.routing_key)
        else:
            names = {payload.routing_key}
        queues = [self._queues[name] for name in names if name in self._queues]
        for queue in queues:
            queue.add(payload, next(self._places))
            self._flow(queue)
        return bool(queues)

    # ---- payloads out

    def subscribe(self, subscription: Subscription, client: Client) -> None:
        queue = subscription.queue
        self._refuse_stranger(queue, client)
        queue.subscriptions.append(subscription)
        self._watch_disuse(queue)
        self._flow(queue)

    def unsubscribe(self, subscription: Subscription) -> None:
        queue = subscription.queue
        if subscription in queue.subscriptions:
            queue.subscriptions.remove(subscription)
        if queue.shape.get("auto_delete") and not queue.subscriptions:
            self.delete_queue(queue.name)
        else:
            self._watch_disuse(queue)

    def take(self, queue: Queue) -> Waiting | None:
        """Hand out one payload without a subscription."""
        self._drop_expired(queue)
        if not queue.ready:
            return None
        queue.in_hand += 1
        return queue.ready.popleft()

    def settle(self, queue: Queue, subscription: Subscription | None) -> None:
        """One payload less in hand; whoever has room again gets the next."""
        queue.in_hand -= 1
        if subscription is not None:
            subscription.in_hand -= 1
        self._flow(queue)

    def put_back(self, queue: Queue, waiting: Waiting) -> None:
        """Requeue to the same queue: no other subscriber of the event sees it again."""
        if self._queues.get(queue.name) is queue:
            queue.put_back(waiting)

    def dead_letter(self, queue: Queue, waiting: Waiting, reason: str) -> None:
        """Pass a payload to the queue's dead letter exchange, if it has one."""
        if DEAD_EXCHANGE not in queue.arguments:
            return
        old = waiting.payload
        key = queue.arguments.get(DEAD_ROUTING_KEY, old.routing_key)
        death = {"queue": queue.name, "reason": reason, "count": 1}
        deaths = [death, *old.headers.get(DEATHS, [])]
        kept = {k: v for k, v in old.properties.items() if k != "expiration"}
        self.publish(
            replace(
                old,
                properties=kept,
                headers={**old.headers, DEATHS: deaths},
                exchange=queue.arguments[DEAD_EXCHANGE],
                routing_key=key,
            )
        )

    # ---- clients

    def leave(self, client: Client) -> None:
        """Forget a client: its exclusive queues and its unused reply queues go.

        RabbitMQ keeps an expiring queue for its time, for a client that reconnects.
        Here nobody can lose a connection and come back, so keeping them would only
        collect the reply queue of every caller there ever was.
        """
        self.clients.discard(client)
        for queue in list(self._queues.values()):
            unused = EXPIRES in queue.arguments and not queue.subscriptions
            if queue.declared_by is client and (queue.is_exclusive or unused):
                self.delete_queue(queue.name)

    def close(self) -> None:
        """Go away as a killed broker does: everybody is disconnected, all is lost."""
        for queue in self._queues.values():
            queue.stop_timers()
        clients, self.clients = self.clients, set()
        self._queues.clear()
        self._exchanges.clear()
        for client in clients:
            client.broken()

    # ---- inside

    def _exchange(self, name: str) -> Exchange:
        try:
            return self._exchanges[name]
        except KeyError:
            raise NotFound(f"no exchange {name!r}") from None

    @staticmethod
    def _refuse_stranger(queue: Queue, client: Client) -> None:
        if queue.is_exclusive and queue.declared_by is not client:
            raise ResourceLocked(f"queue {queue.name!r} belongs to another connection")

    def _flow(self, queue: Queue) -> None:
        """Hand out what is ready while somebody has room, in turns."""
        self._drop_expired(queue)
        while queue.ready and (taker := queue.next_taker()):
            waiting = queue.ready.popleft()
            if taker.settles:
                taker.in_hand += 1
                queue.in_hand += 1
            taker.hand_over(taker, waiting)
        self._watch_expiry(queue)

    def _drop_expired(self, queue: Queue) -> None:
        now = monotonic()
        while queue.ready and (at := queue.ready[0].expires_at) is not None:
            if at > now:
                return
            self.dead_letter(queue, queue.ready.popleft(), "expired")

    def _watch_expiry(self, queue: Queue) -> None:
        """Wake up when the eldest payload runs out; most never wait that long."""
        if queue.expiry_timer is not None:
            queue.expiry_timer.cancel()
            queue.expiry_timer = None
        if queue.ready and (at := queue.ready[0].expires_at) is not None:
            delay = max(0.0, at - monotonic())
            queue.expiry_timer = _later(delay, lambda: self._flow(queue))

    def _watch_disuse(self, queue: Queue) -> None:
        if queue.disuse_timer is not None:
            queue.disuse_timer.cancel()
            queue.disuse_timer = None
        if EXPIRES in queue.arguments and not queue.subscriptions:
            seconds = queue.arguments[EXPIRES] / 1000
            queue.disuse_timer = _later(seconds, lambda: self.delete_queue(queue.name))


def _later(seconds: float, then: Callable[[], object]) -> Any:
    return hubs.get_hub().schedule_call_global(seconds, then)
