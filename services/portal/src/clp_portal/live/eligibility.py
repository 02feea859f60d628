"""One access check for all readers of a batch of messages."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from clp_contracts.client import Clients
from clp_contracts.messages import Message, ScreenMessage

LEASE_S: Final = 0.5
# Time to write a frame that was judged in time.
SEND_MARGIN_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Screens:
    """Messages as each reader may see them, until the facts are no longer leased."""

    messages: dict[str, Message]
    by_person: dict[str, dict[str, ScreenMessage]]
    deadline: float

    def message(self, person: str, message_id: str) -> Message | None:
        """Return a message as a person sees it; None when it is not readable."""
        screen = self.by_person.get(person, {}).get(message_id)
        message = self.messages.get(message_id)
        if screen is None or message is None:
            return None
        return replace(message, mentions=screen.mentions, may=screen.may)


class Eligibility:
    """Ask `messages` who may read what now."""

    def __init__(
        self, clients: Clients, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._clients = clients
        self._monotonic = monotonic

    def check(self, people: Iterable[str], message_ids: Iterable[str]) -> Screens:
        """Check access of all people to all messages with one call."""
        started = self._monotonic()
        found = self._clients.messages.screen_messages(
            people=sorted(set(people)), message_ids=list(message_ids), lease_s=LEASE_S
        )
        return Screens(
            messages={message.id: message for message in found.messages},
            by_person={
                screen.person: {one.message: one for one in screen.messages}
                for screen in found.screens
            },
            deadline=started + found.lease_s - SEND_MARGIN_S,
        )

    def is_in_time(self, screens: Screens) -> bool:
        """Whether the end of an access cannot have been confirmed since the check."""
        return self._monotonic() < screens.deadline
