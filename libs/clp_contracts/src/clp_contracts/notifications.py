"""Contract of `notifications`: explanations, mail settings, failed notifications."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clp_contracts.feed import dead_letters_of, progress_of, redrive_dead_letter_of
from clp_contracts.messages import Mention
from clp_contracts.methods import (
    PEOPLE,
    PEOPLE_AND_SERVICES,
    SERVICES,
    Method,
)
from clp_contracts.serialization import Empty

SERVICE: Final = "notifications"
# The mode of a project for which nothing of its own is chosen.
DEFAULT_MODE: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetExplanation:
    """Explain who was told of a message and why, or one person only (rule 25).

    Sentences are in ``language`` (BCP 47) with times of ``time_zone`` (IANA); in
    English with UTC where the caller names none.
    """

    message: str
    person: str | None = None
    language: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One state transition of a delivery."""

    at: datetime
    state: str
    reason: str
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonExplained:
    """Why one person was or was not told, and the state of the delivery.

    ``facts`` are the facts the rule used, as sentences. ``name`` is empty when the
    directory does not know the person, and for people not concerned.
    """

    person: str
    told: bool
    trigger: str | None
    rule: str
    reason: str
    sentence: str
    state: str | None
    transitions: tuple[Transition, ...]
    facts: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageExplanation:
    """The explanation of a message, ordered by person id."""

    message: str
    people: tuple[PersonExplained, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPreview:
    """Preview whom a draft would reach, if it were posted now (rule 47)."""

    channel: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceGroup:
    """Recipients who follow the project, of one partner or of the studio (None).

    ``count`` is None where the actor may not know it.
    """

    partner: str | None
    name: str
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudiencePerson:
    """A recipient whom the draft mentions."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The audience of a draft.

    ``rule`` and ``trigger`` are those of a row of the routing table. ``nobody`` is the
    reason why nobody would be told, if so. ``mentions`` are the outcomes of the
    handles, as after posting.
    """

    rule: str
    trigger: str | None
    groups: tuple[AudienceGroup, ...]
    people: tuple[AudiencePerson, ...]
    mentions: tuple[Mention, ...]
    nobody: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMailSettings:
    """Read the actor's mail settings, or change the default or those of a project.

    ``mode`` is ``at_once``, ``batched``, ``daily`` (a digest) or ``off``; for a project
    also ``default``, which lets the default apply to it again. ``content`` sets, for
    all projects, whether mails contain the text of messages.
    """

    project: str | None = None
    mode: str | None = None
    content: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMailMode:
    """The mail mode of the actor for one project."""

    project: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The actor's mail modes, and whether mails contain the text of messages."""

    default: str
    projects: tuple[ProjectMailMode, ...]
    content: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDead:
    """List notifications that failed for good, oldest first."""

    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadNotification:
    """A notification that failed for good, with its reason."""

    id: str
    message: str
    person: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadNotifications:
    """Notifications that failed for good."""

    notifications: tuple[DeadNotification, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """Make failed notifications due again; all of them when none is named."""

    notification_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """The number of notifications, or of incoming mails, that are tried again."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSuppressions:
    """List suppressed mail addresses (rule 41)."""

    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A mail address that bounced for good, and the mail that did."""

    address: str
    reason: str
    mail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressions:
    """Suppressions, ordered by address."""

    suppressions: tuple[Suppression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSuppression:
    """Deliver mails to a suppressed address again."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionDeleted:
    """The address whose suppression was deleted."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitTicket:
    """Ask for help (rule 52); the idempotency ``key`` makes a replay harmless.

    ``urgency`` is ``blocks``, ``delays`` or ``neither``; ``deadline`` is an ISO 8601
    day. ``screenshot`` is a PNG or JPEG file in base64.
    """

    key: str
    summary: str
    steps: str = ""
    urgency: str = "neither"
    deadline: str | None = None
    workflow: str = ""
    url: str = ""
    mid: str = ""
    request_id: str = ""
    package_id: str = ""
    task_type: str = ""
    target_language: str = ""
    screenshot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as its author sees it; ``state`` is ``open`` or ``closed``.

    ``mailed`` is whether the mail to the support address was sent.
    """

    id: str
    summary: str
    urgency: str
    state: str
    created_at: datetime
    closed_at: datetime | None
    mailed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MyTickets:
    """The actor's tickets, newest first; no ticket can be submitted unless ``open``."""

    tickets: tuple[Ticket, ...]
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTickets:
    """List tickets, newest first, after the one with the id ``after``."""

    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportTicket:
    """A ticket as operators see it."""

    id: str
    author: str
    summary: str
    urgency: str
    state: str
    created_at: datetime
    closed_at: datetime | None
    mailed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tickets:
    """Tickets, newest first."""

    tickets: tuple[SupportTicket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRef:
    """Refer to a ticket by its id."""

    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDeadIncoming:
    """List incoming mails that could not be handled, ordered by id."""

    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadIncomingMail:
    """An incoming mail that could not be handled, with its reason."""

    id: str
    reason: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadIncoming:
    """Incoming mails that could not be handled."""

    mails: tuple[DeadIncomingMail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMailRef:
    """Refer to an incoming mail by its id."""

    incoming_mail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadIncomingShown:
    """A dead incoming mail with its header lines; what people wrote is left out."""

    id: str
    reason: str
    size: int
    at: datetime
    header: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveIncoming:
    """Handle dead incoming mails once more; all of them when none is named."""

    incoming_mail_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardIncoming:
    """Delete dead incoming mails."""

    incoming_mail_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """The number of dead incoming mails that were deleted."""

    count: int


EXPLAIN: Final = Method(
    SERVICE, "explain", GetExplanation, MessageExplanation, PEOPLE_AND_SERVICES
)
PREVIEW: Final = Method(SERVICE, "preview", GetPreview, Preview, PEOPLE)
MAIL_SETTINGS: Final = Method(
    SERVICE, "mail_settings", UpdateMailSettings, MailSettings, PEOPLE
)
SUBMIT_TICKET: Final = Method(SERVICE, "submit_ticket", SubmitTicket, Ticket, PEOPLE)
MY_TICKETS: Final = Method(SERVICE, "my_tickets", Empty, MyTickets, PEOPLE)
TICKETS: Final = Method(SERVICE, "tickets", ListTickets, Tickets, SERVICES)
CLOSE_TICKET: Final = Method(SERVICE, "close_ticket", TicketRef, Ticket, SERVICES)
DEAD: Final = Method(SERVICE, "dead", ListDead, DeadNotifications, SERVICES)
REDRIVE: Final = Method(SERVICE, "redrive", Redrive, Redriven, SERVICES)
SUPPRESSIONS: Final = Method(
    SERVICE, "suppressions", ListSuppressions, Suppressions, SERVICES
)
DELETE_SUPPRESSION: Final = Method(
    SERVICE, "delete_suppression", DeleteSuppression, SuppressionDeleted, SERVICES
)
DEAD_INCOMING: Final = Method(
    SERVICE, "dead_incoming", ListDeadIncoming, DeadIncoming, SERVICES
)
SHOW_DEAD_INCOMING: Final = Method(
    SERVICE, "show_dead_incoming", IncomingMailRef, DeadIncomingShown, SERVICES
)
REDRIVE_INCOMING: Final = Method(
    SERVICE, "redrive_incoming", RedriveIncoming, Redriven, SERVICES
)
DISCARD_INCOMING: Final = Method(
    SERVICE, "discard_incoming", DiscardIncoming, Discarded, SERVICES
)
PROGRESS: Final = progress_of(SERVICE)
DEAD_LETTERS: Final = dead_letters_of(SERVICE)
REDRIVE_DEAD_LETTER: Final = redrive_dead_letter_of(SERVICE)
