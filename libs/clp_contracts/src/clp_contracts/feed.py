"""Contract of every feed: committed changes, progress and dead letters."""

from dataclasses import dataclass
from datetime import datetime

from clp_contracts.health import SignValue
from clp_contracts.methods import SERVICES, Method
from clp_contracts.serialization import Empty


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadChanges:
    """Read the changes after a position, oldest first."""

    after: int = 0
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A committed change: ids only, never a person's text."""

    position: int
    type: str
    subject: str
    project: str
    at: datetime
    detail: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Consecutive changes, and the position of the newest change of the feed."""

    changes: tuple[Change, ...]
    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderProgress:
    """The cursor of one feed reader: the position up to which it applied a feed."""

    reader: str
    source: str
    cursor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Progress of a service.

    ``head`` is the newest position of its feed, ``pending`` the outbox events without a
    position, ``due`` the mails that wait, ``readers`` the cursors in other feeds,
    ``signs`` what it measures of its health (`clp_contracts.health`).
    """

    head: int
    pending: int
    due: int
    readers: tuple[ReaderProgress, ...]
    signs: tuple[SignValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A change that a feed reader failed to apply, with the error as logged."""

    reader: str
    position: int
    type: str
    subject: str
    error: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """The dead letters of a service's feed readers, oldest first, up to a limit."""

    dead_letters: tuple[DeadLetter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDeadLetters:
    """List dead letters after a position of the feed."""

    after: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveDeadLetter:
    """Apply the dead letter at a position once more."""

    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterRedriven:
    """Whether the change was applied; if not, the dead letter keeps the new error."""

    applied: bool
    error: str = ""


def changes_of(service: str) -> Method[ReadChanges, Changes]:
    """Return the method that reads the feed of a service."""
    return Method(service, "changes", ReadChanges, Changes, SERVICES)


def progress_of(service: str) -> Method[Empty, Progress]:
    """Return the method that reports the progress of a service."""
    return Method(service, "progress", Empty, Progress, SERVICES)


def dead_letters_of(service: str) -> Method[ListDeadLetters, DeadLetters]:
    """Return the method that lists the dead letters of a service."""
    return Method(service, "dead_letters", ListDeadLetters, DeadLetters, SERVICES)


def redrive_dead_letter_of(
    service: str,
) -> Method[RedriveDeadLetter, DeadLetterRedriven]:
    """Return the method that applies a dead letter of a service once more."""
    return Method(
        service, "redrive_dead_letter", RedriveDeadLetter, DeadLetterRedriven, SERVICES
    )
