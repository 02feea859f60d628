"""A message as an open page takes it, drawn for one reader."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from clp_contracts.client import Clients
from clp_contracts.messages import Message
from clp_portal.live.subscribers import Subscriber
from clp_portal.rendering import Renderer
from clp_portal.views.conversation import BROADCAST, INTERNAL
from clp_portal.views.messages import Reader, message_view

# Drawings that readers with the same view of a message share: those of a few ticks.
MAX_KEPT: Final = 256
SOMEBODY_ELSE: Final = ""


class MessageFrames:
    """Draw messages; the studio's readers see the name of a channel's partner.

    A drawing is made once for all readers to whom the message and its marks are equal,
    who read in the same way and did not write it: it depends on nothing else.
    """

    def __init__(
        self, renderer: Renderer, clients_of: Callable[[str], Clients]
    ) -> None:
        self._renderer = renderer
        self._clients_of = clients_of
        self._titles: dict[str, str] = {}
        self._shared = lru_cache(MAX_KEPT)(self._draw)

    def forget_titles(self) -> None:
        """Ask for the names of partners again."""
        self._titles.clear()

    def drawn(self, message: Message, reader: Subscriber) -> Mapping[str, Any]:
        """Return the data of a frame."""
        me = reader.me
        return self._shared(
            message,
            Reader(
                id=me.id if me.id == message.author.id else SOMEBODY_ELSE,
                side=me.side,
                locale=reader.locale,
                partner_name=self._partner_name(message.channel, reader),
            ),
        )

    def _draw(self, message: Message, reader: Reader) -> Mapping[str, Any]:
        view = message_view(message, reader)
        values = {"message": view, "target": None}
        return {
            "channel": message.channel,
            "number": message.number,
            "revision": message.revision,
            "deleted": message.deleted,
            "author": message.author.id,
            "day": view.day.isoformat(),
            "day_heading": view.day_heading,
            "html": self._renderer.render(
                "message.html", reader.locale.language, values
            ),
        }

    def _partner_name(self, channel: str, reader: Subscriber) -> str | None:
        project, _, kind = channel.partition("/")
        if kind == BROADCAST:
            return None
        if reader.me.side != INTERNAL:
            return reader.me.partner_name
        if channel not in self._titles:
            found = self._clients_of(reader.me.id).messages.channels(project=project)
            self._titles |= {one.name: one.title for one in found.channels}
        return self._titles.get(channel)
