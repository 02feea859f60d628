"""`clp-ops aside`: what readers could not take, and one command to have it taken."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from clp_contracts.client import Callers
from clp_contracts.feed import AppliedAgain, ChangeAside, ChangesAside
from clp_ops.dead_letter_queues import DeadQueue, dead_queues, parked, send_back

AT_ONCE: Final = 100
BROKER: Final = "CLP_BROKER_URL"

Asks = Callable[..., ChangesAside]
Applies = Callable[..., AppliedAgain]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an operator sees what was set aside, and has it taken again."""

    clp: Callers
    environ: Mapping[str, str]
    console: Console

    def show(self) -> None:
        """Everything: who could not take it, what, and the error of the last try."""
        table = Table("reader", "set aside at", "what", "error")
        for _, change in self._changes():
            what = f"{change.position}: {change.type} {change.subject}"
            at = f"{change.at:%Y-%m-%d %H:%M:%S}"
            table.add_row(change.reader, at, what, change.error)
        for queue, address in self._queues():
            with self._if_allowed(queue):
                for event in parked(queue, address):
                    tries = f"after {event.attempts} tries" if event.attempts else ""
                    table.add_row(event.queue, tries, event.type, event.error)
        self.console.print(table if table.row_count else "Nothing was set aside.")

    def take_again(self) -> int:
        """Have all of it taken once more; 1 when something stays aside."""
        applied, stay, sent = 0, 0, 0
        for service, change in list(self._changes()):
            _, apply_again = self._services()[service]
            told = apply_again(position=change.position)
            applied += told.applied
            if not told.applied:
                stay += 1
                self.console.print(f"{change.reader} {change.position}: {told.error}")
        for queue, address in self._queues():
            with self._if_allowed(queue):
                sent += send_back(queue, address)
        self.console.print(
            f"{applied:,} changes were applied, {stay:,} stay aside;"
            f" {sent:,} events went back to their handlers."
        )
        return 1 if stay else 0

    def _services(self) -> dict[str, tuple[Asks, Applies]]:
        """Those whose readers keep in a database what they set aside."""
        inner = self.clp.notifications
        return {
            "messages": (self.clp.messages.aside, self.clp.messages.apply_again),
            "notifications": (inner.aside, inner.apply_again),
        }

    def _changes(self) -> Iterator[tuple[str, ChangeAside]]:
        for service, (asks, _) in self._services().items():
            after = 0
            while changes := asks(after=after, limit=AT_ONCE).changes:
                yield from ((service, change) for change in changes)
                after = changes[-1].position

    def _queues(self) -> Iterator[tuple[DeadQueue, str]]:
        for queue in dead_queues():
            own = self.environ.get(_variable(queue))
            if address := own or self.environ.get(BROKER):
                yield queue, address

    @contextmanager
    def _if_allowed(self, queue: DeadQueue) -> Iterator[None]:
        try:
            yield
        except PermissionError:
            self.console.print(
                f"{queue.name} is its owner's alone: name {_variable(queue)} to see"
                " what is parked there."
            )


def _variable(queue: DeadQueue) -> str:
    return f"CLP_{queue.owner.upper()}_BROKER_URL"
