"""The projection of the feed of messages into documents of an engine."""

import json
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clp_chassis.clock import Clock
from clp_chassis.observability.metrics import DEAD_LETTERS as DEAD_LETTERS_TOTAL
from clp_contracts.client import Clients
from clp_contracts.feed import Change
from clp_contracts.message_feed import MessageFeed
from clp_contracts.messages import MessageChanges
from clp_contracts.search import SERVICE as READER
from clp_search.engine import (
    Document,
    Engine,
    EngineTimeout,
    IndexDamaged,
    TextTooLarge,
)
from clp_search.mapping import document_of
from clp_search.terms import text_length

log = logging.getLogger(__name__)

DEAD_LETTERS: Final = "dead_letters.jsonl"
# Of normalized characters: a batch keeps a worker busy for a hundredth of a second.
MAX_BATCH_LENGTH: Final = 10_000
# Half more than the longest text of a message: only signs that expand reach it.
MAX_TEXT_LENGTH: Final = 15_000
MAX_TIMEOUTS: Final = 3


@dataclass(frozen=True, slots=True)
class _Measured:
    """A document, and the length of its normalized text: measured once."""

    document: Document
    length: int


class MessagesProjection:
    """Keeps an engine up to date; its cursor is the engine's own.

    Changes only name messages. The state that comes with them is at least as new as the
    change, so a replay ends in the same state.
    """

    def __init__(
        self, engine: Engine, clients: Clients, *, clock: Clock, folder: Path
    ) -> None:
        self._engine = engine
        self._feed = MessageFeed(clients.messages)
        self._clock = clock
        self._folder = folder
        self._head = 0
        self._timeouts: Counter[int] = Counter()
        # A part of the index that is behind wants few of the changes.
        self._wants_all = False

    @property
    def lag(self) -> int:
        """The number of known changes that are not applied yet."""
        return max(0, self._head - self.cursor())

    def fetch(self, after: int) -> MessageChanges:
        """Fetch the changes after a position, and the head of the feed."""
        changes = self._feed.fetch(after, contents=self._wants_all)
        self._head = changes.head
        return changes

    def cursor(self) -> int:
        """Return the position up to which changes were applied."""
        return self._engine.cursor()

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Apply changes in order; a corrupt shard restarts at position zero.

        A batch that is too much work is halved, so that searches get through between
        its parts, and a text that is too much alone becomes a dead letter.
        """
        self._apply(changes, self._documents(changes))
        self.maintain()

    def _apply(
        self, changes: Sequence[Change], documents: Mapping[str, _Measured]
    ) -> None:
        ids = dict.fromkeys(c.subject for c in changes if c.subject in documents)
        part = [documents[message] for message in ids]
        try:
            self._apply_part(changes, part)
        except (TextTooLarge, EngineTimeout) as error:
            half = len(changes) // 2
            if half:
                self._apply(changes[:half], documents)
                self._apply(changes[half:], documents)
            elif isinstance(error, TextTooLarge) or self._has_failed_often(changes[0]):
                log.warning("dead letter %s: %s", changes[0].position, error)
                self.add_dead_letter(changes[0], type(error).__name__)
                DEAD_LETTERS_TOTAL.labels(READER).inc()
            else:
                raise

    def _apply_part(
        self, changes: Sequence[Change], measured: Sequence[_Measured]
    ) -> None:
        lengths = [each.length for each in measured]
        documents = [each.document for each in measured]
        if len(changes) > 1 and sum(lengths) > MAX_BATCH_LENGTH:
            raise TextTooLarge("a batch is too large")
        if any(length > MAX_TEXT_LENGTH for length in lengths):
            raise TextTooLarge("a text is too large to be indexed")
        first, last = changes[0].position, changes[-1].position
        try:
            self._engine.apply(documents, after=first - 1, upto=last)
        except EngineTimeout:
            raise
        except IndexDamaged as damage:
            log.warning("a part of the index is rebuilt from the feed: %s", damage)

    def _has_failed_often(self, change: Change) -> bool:
        """Count a timeout of a single change; a stuck disk is not to blame on it."""
        self._timeouts[change.position] += 1
        return self._timeouts[change.position] >= MAX_TIMEOUTS

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

    def count_dead_letters(self) -> int:
        """Return how many changes could not be indexed since the last rebuild."""
        try:
            with (self._folder / DEAD_LETTERS).open("rb") as file:
                return sum(1 for _ in file)
        except FileNotFoundError:
            return 0

    def maintain(self) -> None:
        """Do due maintenance; retry later when the disk is full, without loss."""
        try:
            self._engine.maintain(self._clock())
        except IndexDamaged as damage:
            log.warning("a part of the index is rebuilt from the feed: %s", damage)
        except OSError as error:
            log.warning("the index cannot be written: %s", error)

    def _documents(self, changes: tuple[Change, ...]) -> dict[str, _Measured]:
        """Return the documents of changes that the engine wants, by message."""
        wants = self._engine.wants
        wanted = [c for c in changes if wants(c.project, c.position)]
        self._wants_all = len(wanted) == len(changes)
        measured: dict[str, _Measured] = {}
        for content in self._feed.messages_of(wanted):
            document = document_of(content)
            measured[document.message] = _Measured(document, text_length(document))
            # Long texts take a while to measure: let searches through.
            time.sleep(0)
        return measured
