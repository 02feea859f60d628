"""State and routing of the in-process broker: exchanges, queues, deliveries.

`clp_chassis.inprocess.transport` makes it a Kombu transport. Nothing in this module
waits, so no other green thread sees a half-done change. It stands in for RabbitMQ in
tests, so it refuses what it does not support: an unknown argument is an error.
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
    SUPPORTED_ARGUMENTS,
    Client,
    Message,
    Queue,
    QueuedMessage,
    Subscription,
)
from clp_chassis.inprocess.routing import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

DEATHS: Final = "x-death"


class Broker:
    """One named in-process broker."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self._exchanges: dict[str, Exchange] = {}
        self._queues: dict[str, Queue] = {}
        self._numbers = count()

    # ---- declarations

    def declare_exchange(self, name: str, kind: str) -> None:
        known = self._exchanges.setdefault(name, Exchange(name, kind))
        if known.kind != kind:
            raise PreconditionFailed(f"exchange {name!r} is {known.kind}, not {kind}")

    def delete_exchange(self, name: str) -> None:
        self._exchanges.pop(name, None)

    def declare_queue(
        self, name: str, client: Client, *, shape: dict[str, Any], args: dict[str, Any]
    ) -> Queue:
        """Find or create a queue; refuse a name that exists with other arguments."""
        if unknown := set(args) - SUPPORTED_ARGUMENTS:
            raise AMQPNotImplementedError(f"in-process queues do not support {unknown}")
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue(name, shape, client, args)
            self._watch_unused(queue)
        self._require_owner(queue, client)
        queue.owner = client
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

    def unacked(self) -> dict[str, int]:
        """Return the number of unacknowledged messages of each queue that has any."""
        sizes = {q.name: len(q.ready) + q.unacked_count for q in self._queues.values()}
        return {name: size for name, size in sizes.items() if size}

    # ---- publishing

    def publish(self, message: Message) -> bool:
        """Add a message to every queue its key routes to; False when there is none."""
        if message.exchange:
            names = self._exchange(message.exchange).queues_for(message.routing_key)
        else:
            names = {message.routing_key}
        queues = [self._queues[name] for name in names if name in self._queues]
        for queue in queues:
            queue.add(message, next(self._numbers))
            self._flow(queue)
        return bool(queues)

    # ---- consuming

    def subscribe(self, subscription: Subscription, client: Client) -> None:
        queue = subscription.queue
        self._require_owner(queue, client)
        queue.subscriptions.append(subscription)
        self._watch_unused(queue)
        self._flow(queue)

    def unsubscribe(self, subscription: Subscription) -> None:
        queue = subscription.queue
        if subscription in queue.subscriptions:
            queue.subscriptions.remove(subscription)
        if queue.shape.get("auto_delete") and not queue.subscriptions:
            self.delete_queue(queue.name)
        else:
            self._watch_unused(queue)

    def get(self, queue: Queue) -> QueuedMessage | None:
        """Deliver one message without a subscription."""
        self._drop_expired(queue)
        if not queue.ready:
            return None
        queue.unacked_count += 1
        return queue.ready.popleft()

    def ack(self, queue: Queue, subscription: Subscription | None) -> None:
        """Count a message as acknowledged, and deliver the next."""
        queue.unacked_count -= 1
        if subscription is not None:
            subscription.unacked_count -= 1
        self._flow(queue)

    def requeue(self, queue: Queue, queued: QueuedMessage) -> None:
        """Return a message to its queue, and to no other queue of its exchange."""
        if self._queues.get(queue.name) is queue:
            queue.requeue(queued)

    def dead_letter(self, queue: Queue, queued: QueuedMessage, reason: str) -> None:
        """Publish a message to the queue's dead letter exchange, if it has one."""
        if DEAD_EXCHANGE not in queue.arguments:
            return
        old = queued.message
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

    def disconnect(self, client: Client) -> None:
        """Remove a client, its exclusive queues and its unused reply queues.

        RabbitMQ keeps an expiring queue for a client that reconnects. Here no client
        reconnects, so keeping them would only collect the reply queue of every caller.
        """
        self.clients.discard(client)
        for queue in list(self._queues.values()):
            unused = EXPIRES in queue.arguments and not queue.subscriptions
            if queue.owner is client and (queue.is_exclusive or unused):
                self.delete_queue(queue.name)

    def close(self) -> None:
        """Stop as a killed broker does: disconnect all clients, lose everything."""
        for queue in self._queues.values():
            queue.stop_timers()
        clients, self.clients = self.clients, set()
        self._queues.clear()
        self._exchanges.clear()
        for client in clients:
            client.on_broker_closed()

    # ---- private

    def _exchange(self, name: str) -> Exchange:
        try:
            return self._exchanges[name]
        except KeyError:
            raise NotFound(f"no exchange {name!r}") from None

    @staticmethod
    def _require_owner(queue: Queue, client: Client) -> None:
        if queue.is_exclusive and queue.owner is not client:
            raise ResourceLocked(f"queue {queue.name!r} belongs to another connection")

    def _flow(self, queue: Queue) -> None:
        """Deliver ready messages to consumers with capacity, in rotation."""
        self._drop_expired(queue)
        while queue.ready and (subscription := queue.next_subscription()):
            queued = queue.ready.popleft()
            if subscription.needs_ack:
                subscription.unacked_count += 1
                queue.unacked_count += 1
            subscription.deliver(subscription, queued)
        self._watch_expiry(queue)

    def _drop_expired(self, queue: Queue) -> None:
        now = monotonic()
        while queue.ready and (at := queue.ready[0].expires_at) is not None:
            if at > now:
                return
            self.dead_letter(queue, queue.ready.popleft(), "expired")

    def _watch_expiry(self, queue: Queue) -> None:
        """Set a timer for the expiry of the oldest message."""
        if queue.expiry_timer is not None:
            queue.expiry_timer.cancel()
            queue.expiry_timer = None
        if queue.ready and (at := queue.ready[0].expires_at) is not None:
            delay = max(0.0, at - monotonic())
            queue.expiry_timer = _later(delay, lambda: self._flow(queue))

    def _watch_unused(self, queue: Queue) -> None:
        if queue.unused_timer is not None:
            queue.unused_timer.cancel()
            queue.unused_timer = None
        if EXPIRES in queue.arguments and not queue.subscriptions:
            seconds = queue.arguments[EXPIRES] / 1000
            queue.unused_timer = _later(seconds, lambda: self.delete_queue(queue.name))


def _later(seconds: float, then: Callable[[], object]) -> Any:
    return hubs.get_hub().schedule_call_global(seconds, then)
