"""The exchanges that all services share: requests, replies and each service's events.

The broker's definitions declare them, and no account may declare or delete them. Where
nothing has declared them (a broker of a test, or in this process), their first user
does.
"""

from typing import Any, Final

from amqp.exceptions import NotFound
from kombu import Exchange

REQUESTS: Final = "nameko-rpc"
REPLIES: Final = "clp-replies"
# The routing key of a reply: a UUID of its caller. Accounts publish no other replies.
REPLY_KEY: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class SharedExchange(Exchange):  # type: ignore[misc]
    """A durable topic exchange, declared passively where it exists."""

    def declare(
        self,
        nowait: bool = False,  # noqa: FBT001, FBT002 - Kombu's signature
        passive: bool | None = None,  # noqa: FBT001 - Kombu's signature
        channel: Any = None,
    ) -> Any:
        """Check that the exchange exists; declare it otherwise."""
        channel = channel or self.channel
        if not passive and self._exists(channel):
            return None
        return super().declare(nowait=nowait, passive=passive, channel=channel)

    def _exists(self, channel: Any) -> bool:
        # A failed check closes its channel, so it has one of its own.
        open_channel = getattr(channel.connection, "channel", None)
        if open_channel is None:
            return False
        probe = open_channel()
        try:
            probe.exchange_declare(self.name, self.type, passive=True)
        except NotFound:
            return False
        finally:
            if probe.is_open:
                probe.close()
        return True


def shared_exchange(name: str) -> SharedExchange:
    """Return a shared exchange by its name."""
    return SharedExchange(name, type="topic", durable=True, auto_delete=False)


def event_exchange(service: str) -> SharedExchange:
    """Return the exchange of a service's events."""
    return shared_exchange(f"{service}.events")
