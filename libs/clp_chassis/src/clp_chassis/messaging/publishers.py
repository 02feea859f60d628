"""Publishers, one class for each promise, and none that spoils another's.

nameko keeps transport options in one dictionary for all publishers and every publish
writes its confirm mode into it; connection pools keep pointing at it. With two modes in
one process, confirms silently vanish. So each class here owns its dictionary and states
its mode once.
"""

from __future__ import annotations

from typing import Any, ClassVar

from nameko.amqp.publish import Publisher
from nameko.constants import NON_PERSISTENT, PERSISTENT


class EventPublisher(Publisher):  # type: ignore[misc]
    """Events outlive a restart of the broker and are confirmed."""

    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)
    use_confirms = True
    delivery_mode = PERSISTENT


class ReplyPublisher(Publisher):  # type: ignore[misc]
    """A reply that gets lost is a caller that times out, so nobody waits for it."""

    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)
    use_confirms = False
    delivery_mode = NON_PERSISTENT


class RetryPublisher(Publisher):  # type: ignore[misc]
    """Moves an event to a wait or dead queue, and must know that it got there."""

    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)
    use_confirms = True
    mandatory = True
    delivery_mode = PERSISTENT
