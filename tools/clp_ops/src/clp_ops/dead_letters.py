"""``clp-ops dead-letters`` and ``clp-ops queues``: show dead letters and redrive them.

A feed reader keeps the changes it could not apply in its database; an event handler
leaves the events it could not handle in a dead-letter queue of the broker.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from clp_contracts.client import Clients
from clp_contracts.feed import DeadLetter, DeadLetterRedriven, DeadLetters
from clp_ops.dead_letter_queues import (
    DeadEvent,
    DeadLetterQueue,
    dead_events,
    dead_letter_queues,
    redrive_queue,
)
from clp_ops.error_words import in_words
from clp_ops.output import print_json

BATCH: Final = 100
BROKER: Final = "CLP_BROKER_URL"

ListCall = Callable[..., DeadLetters]
RedriveCall = Callable[..., DeadLetterRedriven]


@dataclass(frozen=True, slots=True)
class ChangeCommand:
    """Dead letters of the feed readers, kept in the databases of their services."""

    clp: Clients
    console: Console
    json: bool

    def show(self) -> None:
        """Print the reader, the change and the last error of each dead letter."""
        if self.json:
            print_json(self.console, [letter for _, letter in self._dead_letters()])
            return
        table = Table("reader", "failed at", "change", "error")
        for _, letter in self._dead_letters():
            change = f"{letter.position}: {letter.type} {letter.subject}"
            at = f"{letter.at:%Y-%m-%d %H:%M:%S}"
            table.add_row(letter.reader, at, change, in_words(letter.error))
        self.console.print(table if table.row_count else "There are no dead letters.")

    def redrive(self) -> int:
        """Apply every dead letter once more; 1 when some failed again."""
        applied, failed = 0, 0
        for service, letter in list(self._dead_letters()):
            _, redrive = self._services()[service]
            response = redrive(position=letter.position)
            applied += response.applied
            if not response.applied:
                failed += 1
                if not self.json:
                    self.console.print(
                        f"{letter.reader} {letter.position}: {in_words(response.error)}"
                    )
        if self.json:
            print_json(self.console, {"applied": applied, "failed": failed})
            return 1 if failed else 0
        self.console.print(f"{applied:,} changes applied, {failed:,} failed again.")
        return 1 if failed else 0

    def _services(self) -> dict[str, tuple[ListCall, RedriveCall]]:
        """The services that keep dead letters of a feed in their database."""
        messages, notifications = self.clp.messages, self.clp.notifications
        return {
            "messages": (messages.dead_letters, messages.redrive_dead_letter),
            "notifications": (
                notifications.dead_letters,
                notifications.redrive_dead_letter,
            ),
        }

    def _dead_letters(self) -> Iterator[tuple[str, DeadLetter]]:
        for service, (list_call, _) in self._services().items():
            after = 0
            while letters := list_call(after=after, limit=BATCH).dead_letters:
                yield from ((service, letter) for letter in letters)
                after = letters[-1].position


@dataclass(frozen=True, slots=True)
class QueueCommand:
    """Dead-letter queues of the event handlers, each readable by its owner alone."""

    environ: Mapping[str, str]
    console: Console
    json: bool

    def show(self) -> None:
        """Print the event, its attempts and the last error of each dead event."""
        events: list[DeadEvent] = []
        for queue, url in self._queues():
            with self._report_no_access(queue):
                events += dead_events(queue, url)
        if self.json:
            print_json(self.console, events)
            return
        table = Table("queue", "attempts", "event", "error")
        for event in events:
            attempts = str(event.attempts or "")
            table.add_row(event.queue, attempts, event.type, in_words(event.error))
        self.console.print(
            table if table.row_count else "The dead-letter queues are empty."
        )

    def redrive(self) -> int:
        """Return every dead event to its handler."""
        sent = 0
        for queue, url in self._queues():
            with self._report_no_access(queue):
                sent += redrive_queue(queue, url)
        if self.json:
            print_json(self.console, {"returned": sent})
            return 0
        self.console.print(f"{sent:,} events were returned to their handlers.")
        return 0

    def _queues(self) -> Iterator[tuple[DeadLetterQueue, str]]:
        queues = dead_letter_queues()
        urls = {q: self.environ.get(_variable(q)) for q in queues}
        default = self.environ.get(BROKER)
        if default is None and not any(urls.values()):
            raise SystemExit(f"set {BROKER}, or {_variable(queues[0])} and its like")
        for queue, own in urls.items():
            if url := own or default:
                yield queue, url

    @contextmanager
    def _report_no_access(self, queue: DeadLetterQueue) -> Iterator[None]:
        try:
            yield
        except PermissionError:
            # Beside the output, which may be JSON.
            need = f"is readable by its owner alone: set {_variable(queue)}."
            sys.stderr.write(f"{queue.name} {need}\n")


def _variable(queue: DeadLetterQueue) -> str:
    return f"CLP_{queue.owner.upper()}_BROKER_URL"
