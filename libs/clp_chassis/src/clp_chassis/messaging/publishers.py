"""Publishers, one class for each delivery guarantee.

Nameko keeps transport options in one dictionary for all publishers, and every publish
writes its confirm mode into it; connection pools keep pointing at it. With two modes in
one process, confirms silently vanish. So each class here owns its dictionary and sets
its mode once.
"""

from __future__ import annotations

from typing import Any, ClassVar

from nameko.amqp.publish import Publisher
from nameko.constants import NON_PERSISTENT, PERSISTENT


class ReplyPublisher(Publisher):  # type: ignore[misc]
    """Publish replies, unconfirmed: for a lost reply the caller times out."""

    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)
    use_confirms = False
    delivery_mode = NON_PERSISTENT


class RetryPublisher(Publisher):  # type: ignore[misc]
    """Publish to a retry or dead letter queue: confirmed and mandatory."""

    transport_options: ClassVar[dict[str, Any]] = dict(Publisher.transport_options)
    use_confirms = True
    mandatory = True
    delivery_mode = PERSISTENT
