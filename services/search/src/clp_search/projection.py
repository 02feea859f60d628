"""Messages as documents of an engine, up to a position of the feed."""

import json
import logging
from pathlib import Path
from typing import Final

from clp_chassis.clock import Clock
from clp_contracts.client import Callers
from clp_contracts.feed import Change, Changes
from clp_search.engine import Document, Engine, IndexDamaged
from clp_search.mapping import document_of

log = logging.getLogger(__name__)

SET_ASIDE: Final = "set_aside.jsonl"


class MessagesProjection:
    """Keeps an engine up to date; its cursor is the engine's own.

    Changes say only which messages changed. Their state is asked for afterwards, so it
    is at least as new as the change, and a replay ends in the same state.
    """

    def __init__(
        self, engine: Engine, callers: Callers, *, clock: Clock, folder: Path
    ) -> None:
        self._engine = engine
        self._callers = callers
        self._clock = clock
        self._folder = folder
        self._head = 0

    @property
    def lag(self) -> int:
        """How many changes are known to exist and are not found yet."""
        return max(0, self._head - self.cursor())

    def fetch(self, after: int) -> Changes:
        """The changes after a position, and how far the feed goes."""
        changes = self._callers.messages.changes(after=after)
        self._head = changes.head
        return changes

    def cursor(self) -> int:
        """The position up to which changes were applied."""
        return self._engine.cursor()

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Apply changes in their order; a damaged part begins at zero by itself."""
        first, last = changes[0].position, changes[-1].position
        documents = self._documents(changes)
        try:
            self._engine.apply(documents, after=first - 1, upto=last)
        except IndexDamaged as damage:
            log.warning("a part of the index is read anew: %s", damage)
        self.tidy()

    def set_aside(self, change: Change, error: str) -> None:
        """Note a change that cannot be applied, with ids only, and move past it."""
        note = {
            "position": change.position,
            "type": change.type,
            "subject": change.subject,
            "error": error.partition(":")[0],
            "at": self._clock().isoformat(),
        }
        with (self._folder / SET_ASIDE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        self._engine.apply((), after=change.position - 1, upto=change.position)

    def tidy(self) -> None:
        """Write what is due; a full disk is tried again, and nothing is lost by it."""
        try:
            self._engine.tidy(self._clock())
        except IndexDamaged as damage:
            log.warning("a part of the index is read anew: %s", damage)
        except OSError as error:
            log.warning("the index cannot be written: %s", error)

    def _documents(self, changes: tuple[Change, ...]) -> list[Document]:
        wants = self._engine.wants
        ids = dict.fromkeys(c.subject for c in changes if wants(c.project, c.position))
        if not ids:
            return []
        told = self._callers.messages.contents(messages_=list(ids))
        return [document_of(content) for content in told.contents]
