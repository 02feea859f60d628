"""Count the events in the dead-letter queues of a service, for its signs of health."""

import logging
from typing import Any, Final

from amqp.exceptions import NotFound
from kombu import Connection
from nameko.constants import (
    AMQP_SSL_CONFIG_KEY,
    AMQP_URI_CONFIG_KEY,
    LOGIN_METHOD_CONFIG_KEY,
)
from typing_extensions import override

from clp_chassis.concurrency.loop_timer import LoopTimer, timeout
from clp_chassis.concurrency.periodic import BackgroundLoop
from clp_chassis.messaging.consumer import BROKER_ERRORS
from clp_chassis.observability.metrics import DEAD_EVENTS
from clp_contracts import health
from clp_contracts.health import SignValue

log = logging.getLogger(__name__)

INTERVAL_S: Final = 15.0
TIMEOUT_S: Final = 5.0


class DeadEvents(BackgroundLoop):
    """The number of events in each named dead-letter queue, counted now and then.

    The owner of a queue may count; a queue that was never declared holds none. While
    the broker does not respond the last count stands.
    """

    loop_name = "dead event counter"

    def __init__(self, *queues: str) -> None:
        self.queues = queues

    @override
    def setup(self) -> None:
        """Begin with no dead event."""
        self._counts = dict.fromkeys(self.queues, 0)
        super().setup()

    @override
    def make_timer(self) -> LoopTimer:
        """Return a timer of a fixed interval."""
        return LoopTimer(INTERVAL_S)

    def get_dependency(self, worker_ctx: Any) -> "DeadEvents":
        """Return the counter itself, for its signs."""
        del worker_ctx
        return self

    def signs(self) -> tuple[SignValue, ...]:
        """The last count of each queue."""
        return tuple(
            SignValue(metric=health.DEAD_EVENTS.metric, of=queue, value=float(count))
            for queue, count in self._counts.items()
        )

    @override
    def run_once(self) -> None:
        """Count all queues over a connection of this run."""
        config = self.container.config
        with (
            timeout(TIMEOUT_S),
            Connection(
                config[AMQP_URI_CONFIG_KEY],
                ssl=config.get(AMQP_SSL_CONFIG_KEY),
                login_method=config.get(LOGIN_METHOD_CONFIG_KEY),
            ) as connection,
        ):
            for queue in self.queues:
                self._counts[queue] = count = _count(connection, queue)
                DEAD_EVENTS.labels(queue).set(count)

    @override
    def on_error(self, error: Exception) -> float | None:
        """Try again at the next interval; consumers tell of a broker that is away."""
        if isinstance(error, BROKER_ERRORS):
            log.debug("dead events not counted: %r", error)
            return None
        return super().on_error(error)


def _count(connection: Any, queue: str) -> int:
    # A missing queue closes its channel.
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except NotFound:
            return 0
