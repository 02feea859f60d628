"""The feed of committed changes, and how far each reader of it has come."""

from dataclasses import dataclass
from datetime import datetime

from clp_contracts.methods import SERVICES, Method
from clp_contracts.serialization import Nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadChanges:
    """Ask for the changes after a position, oldest first."""

    after: int = 0
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One committed change: ids only, never a person's text."""

    position: int
    type: str
    subject: str
    project: str
    at: datetime
    detail: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A run of changes and the position of the newest one there is."""

    changes: tuple[Change, ...]
    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderProgress:
    """A reader of this service and the position up to which it has applied a feed."""

    reader: str
    source: str
    cursor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a service is: its feed, what waits, what it read of others."""

    head: int
    pending: int
    due: int
    readers: tuple[ReaderProgress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAside:
    """A change that a reader could not apply, with the error as a log may tell it."""

    reader: str
    position: int
    type: str
    subject: str
    error: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesAside:
    """What a service's readers have set aside, oldest first, up to a limit."""

    changes: tuple[ChangeAside, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAside:
    """Ask for what was set aside, after a position of the feed."""

    after: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyAgain:
    """Apply a change that was set aside, by its position, once more."""

    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedAgain:
    """Whether it could be applied now; if not, it stays aside with the new error."""

    applied: bool
    error: str = ""


def changes_of(service: str) -> Method[ReadChanges, Changes]:
    """The method with which other services read this one's feed."""
    return Method(service, "changes", ReadChanges, Changes, SERVICES)


def progress_of(service: str) -> Method[Nothing, Progress]:
    """The method that tells operators and tests whether a service is idle."""
    return Method(service, "progress", Nothing, Progress, SERVICES)


def aside_of(service: str) -> Method[AskAside, ChangesAside]:
    """The method that shows operators what a service's readers have set aside."""
    return Method(service, "aside", AskAside, ChangesAside, SERVICES)


def apply_again_of(service: str) -> Method[ApplyAgain, AppliedAgain]:
    """The method with which operators have a change applied that was set aside."""
    return Method(service, "apply_again", ApplyAgain, AppliedAgain, SERVICES)
