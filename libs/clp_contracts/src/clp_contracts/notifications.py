"""Calls to `notifications`: why a mail came or did not, settings, dead letters."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clp_contracts.feed import apply_again_of, aside_of, progress_of
from clp_contracts.methods import (
    PEOPLE,
    PEOPLE_AND_SERVICES,
    SERVICES,
    Method,
)

SERVICE: Final = "notifications"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskExplain:
    """Ask why people were told of a message, or one person (rule 25)."""

    message: str
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a delivery."""

    at: datetime
    state: str
    reason: str
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonExplained:
    """Why one person was or was not told, and what became of the mail.

    ``facts`` are what the rules looked at, in sentences.
    """

    person: str
    told: bool
    trigger: str | None
    rule: str
    reason: str
    sentence: str
    state: str | None
    steps: tuple[Step, ...]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The explanation, by person id."""

    message: str
    people: tuple[PersonExplained, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMailSettings:
    """Read the actor's settings, or change the one of a project or the default.

    ``mode`` is ``at_once``, ``batched``, ``daily`` (a digest) or ``off``. ``content``
    says, for all projects, whether mails show what was written.
    """

    project: str | None = None
    mode: str | None = None
    content: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMailMode:
    """The mode a person chose for one project."""

    project: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The actor's modes, and whether mails show them what was written."""

    default: str
    projects: tuple[ProjectMailMode, ...]
    content: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDead:
    """Ask for notifications that were given up, oldest first."""

    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadNotification:
    """A notification that was given up, with its reason."""

    id: str
    message: str
    person: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadNotifications:
    """Given-up notifications."""

    notifications: tuple[DeadNotification, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """Put given-up notifications back to work; all of them when none is named."""

    notifications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """How many are due again."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSuppressed:
    """Ask for addresses that get no more mails (rule 41)."""

    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedAddress:
    """An address that refused a mail for good, and which mail that was."""

    address: str
    reason: str
    mail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedAddresses:
    """Suppressed addresses, in their order."""

    addresses: tuple[SuppressedAddress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Let mails go to a suppressed address again."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The address that gets mails again."""

    address: str


EXPLAIN: Final = Method(SERVICE, "explain", AskExplain, Explained, PEOPLE_AND_SERVICES)
MAIL_SETTINGS: Final = Method(
    SERVICE, "mail_settings", AskMailSettings, MailSettings, PEOPLE
)
DEAD: Final = Method(SERVICE, "dead", AskDead, DeadNotifications, SERVICES)
REDRIVE: Final = Method(SERVICE, "redrive", Redrive, Redriven, SERVICES)
SUPPRESSED: Final = Method(
    SERVICE, "suppressed", AskSuppressed, SuppressedAddresses, SERVICES
)
RELEASE: Final = Method(SERVICE, "release", Release, Released, SERVICES)
PROGRESS: Final = progress_of(SERVICE)
ASIDE: Final = aside_of(SERVICE)
APPLY_AGAIN: Final = apply_again_of(SERVICE)
