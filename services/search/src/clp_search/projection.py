"""The projection of the feed of messages into documents of an engine."""

import json
import logging
from pathlib import Path
from typing import Final

from clp_chassis.clock import Clock
from clp_contracts.client import Clients
from clp_contracts.feed import Change, Changes
from clp_search.engine import Document, Engine, IndexDamaged
from clp_search.mapping import document_of

log = logging.getLogger(__name__)

DEAD_LETTERS: Final = "dead_letters.jsonl"


class MessagesProjection:
    """Keeps an engine up to date; its cursor is the engine's own.

    Changes only name messages. Their state is fetched afterwards, so it is at least as
    new as the change, and a replay ends in the same state.
    """

    def __init__(
        self, engine: Engine, clients: Clients, *, clock: Clock, folder: Path
    ) -> None:
        self._engine = engine
        self._clients = clients
        self._clock = clock
        self._folder = folder
        self._head = 0

    @property
    def lag(self) -> int:
        """The number of known changes that are not applied yet."""
        return max(0, self._head - self.cursor())

    def fetch(self, after: int) -> Changes:
        """Fetch the changes after a position, and the head of the feed."""
        changes = self._clients.messages.changes(after=after)
        self._head = changes.head
        return changes

    def cursor(self) -> int:
        """Return the position up to which changes were applied."""
        return self._engine.cursor()

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Apply changes in order; a corrupt shard restarts at position zero."""
        first, last = changes[0].position, changes[-1].position
        documents = self._documents(changes)
        try:
            self._engine.apply(documents, after=first - 1, upto=last)
        except IndexDamaged as damage:
            log.warning("a part of the index is rebuilt from the feed: %s", damage)
        self.maintain()

    def add_dead_letter(self, change: Change, error: str) -> None:
        """Record a change that cannot be applied, by its ids only, and move past it."""
        note = {
            "position": change.position,
            "type": change.type,
            "subject": change.subject,
            "error": error.partition(":")[0],
            "at": self._clock().isoformat(),
        }
        with (self._folder / DEAD_LETTERS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        self._engine.apply((), after=change.position - 1, upto=change.position)

    def maintain(self) -> None:
        """Do due maintenance; retry later when the disk is full, without loss."""
        try:
            self._engine.maintain(self._clock())
        except IndexDamaged as damage:
            log.warning("a part of the index is rebuilt from the feed: %s", damage)
        except OSError as error:
            log.warning("the index cannot be written: %s", error)

    def _documents(self, changes: tuple[Change, ...]) -> list[Document]:
        wants = self._engine.wants
        ids = dict.fromkeys(c.subject for c in changes if wants(c.project, c.position))
        if not ids:
            return []
        response = self._clients.messages.get_messages(message_ids=list(ids))
        return [document_of(content) for content in response.messages]
