"""Tables: routed messages, notifications, mails, transitions and settings."""

from datetime import datetime
from typing import Final, cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from clp_chassis.events.outbox import BIG, Outbox
from clp_chassis.events.projections import Cursors
from clp_chassis.persistence.column_types import UtcDateTime

ID: Final = String(64)
CHANNEL: Final = String(200)
CODE: Final = String(64)


def _partial(
    name: str, columns: tuple[str, ...], where: ColumnElement[bool] | TextClause
) -> Index:
    """Return a partial index of the few rows that are searched for."""
    return Index(name, *columns, postgresql_where=where, sqlite_where=where)


class Base(DeclarativeBase):
    """The tables of `notifications`."""


OUTBOX: Final = Outbox(Base.metadata)
CURSORS: Final = Cursors(Base.metadata)


class RoutedMessage(Base):
    """A routed message, and the people its text mentioned then."""

    __tablename__ = "routed_messages"

    message: Mapped[str] = mapped_column(ID, primary_key=True)
    channel: Mapped[str] = mapped_column(CHANNEL)
    author: Mapped[str] = mapped_column(ID)
    mentioned: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Mail(Base):
    """A mail to one person about one channel: the unit of work.

    It is pending while ``due_at`` is set, and claimed while ``lease_until`` is set.
    Notifications join it until it is claimed.
    """

    __tablename__ = "mails"

    number: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(ID, unique=True)
    person: Mapped[str] = mapped_column(ID)
    project: Mapped[str] = mapped_column(ID)
    channel: Mapped[str] = mapped_column(CHANNEL)
    kind: Mapped[str] = mapped_column(CODE)
    first_message: Mapped[str] = mapped_column(ID)
    joinable: Mapped[bool]
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(ID)
    attempts: Mapped[int]
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When it was claimed first: the date of a digest, the same for every attempt.
    dated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        _partial("mails_due", ("due_at", "number"), due_at.is_not(None)),
        _partial("mails_open", ("person", "channel"), due_at.is_not(None)),
        _partial("mails_held", ("lease_until",), lease_until.is_not(None)),
        Index("mails_made", "person", "made_at"),
    )


class Notification(Base):
    """The record that one recipient is told of one message; unique (rule 24)."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("message", "person"),
        Index("notifications_mail", "mail"),
        _partial("notifications_dead", ("id",), text("state = 'dead'")),
        _partial("notifications_suppressed", ("id",), text("state = 'suppressed'")),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    message: Mapped[str] = mapped_column(ID)
    number: Mapped[int]
    person: Mapped[str] = mapped_column(ID)
    project: Mapped[str] = mapped_column(ID)
    channel: Mapped[str] = mapped_column(CHANNEL)
    trigger: Mapped[str] = mapped_column(CODE)
    rule: Mapped[str] = mapped_column(CODE)
    routing_reason: Mapped[str] = mapped_column(CODE)
    mail: Mapped[str] = mapped_column(ID, ForeignKey("mails.id"))
    state: Mapped[str] = mapped_column(CODE)
    reason: Mapped[str] = mapped_column(CODE)


class TransitionRow(Base):
    """A state transition of a notification; append-only."""

    __tablename__ = "transitions"
    __table_args__ = (Index("transitions_notification", "notification", "id"),)

    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    notification: Mapped[str] = mapped_column(ID, ForeignKey("notifications.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(CODE)
    reason: Mapped[str] = mapped_column(CODE)


class Outcome(Base):
    """Why a person was not told of a message (rule 25)."""

    __tablename__ = "outcomes"

    message: Mapped[str] = mapped_column(ID, primary_key=True)
    person: Mapped[str] = mapped_column(ID, primary_key=True)
    rule: Mapped[str] = mapped_column(CODE)
    reason: Mapped[str] = mapped_column(CODE)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class MailSetting(Base):
    """The mail mode of a person for a project, or by default (rule 40).

    The default has an empty project.
    """

    __tablename__ = "mail_settings"

    person: Mapped[str] = mapped_column(ID, primary_key=True)
    project: Mapped[str] = mapped_column(ID, primary_key=True)
    mode: Mapped[str] = mapped_column(CODE)
    # A complaint that turned the mails off, until the person chooses again.
    cause: Mapped[str | None] = mapped_column(CODE)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Bounce(Base):
    """A bounced mail, once per kind of bounce (rule 41)."""

    __tablename__ = "bounces"

    mail: Mapped[str] = mapped_column(ID, primary_key=True)
    kind: Mapped[str] = mapped_column(CODE, primary_key=True)
    address: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("bounces_address", "address"),)


class UnsubscribeToken(Base):
    """The token that stops the mails about a project to a person (rule 61)."""

    __tablename__ = "unsubscribe_tokens"

    person: Mapped[str] = mapped_column(ID, primary_key=True)
    project: Mapped[str] = mapped_column(ID, primary_key=True)
    token: Mapped[str] = mapped_column(ID, unique=True)


class MailPreference(Base):
    """Whether mails to a person contain the text of messages (rule 38)."""

    __tablename__ = "mail_preferences"

    person: Mapped[str] = mapped_column(ID, primary_key=True)
    content: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Suppression(Base):
    """A mail address that refused mail for good (rule 41)."""

    __tablename__ = "suppressions"

    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    reason: Mapped[str] = mapped_column(CODE)
    mail: Mapped[str] = mapped_column(ID)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class TicketRow(Base):
    """A request for help (rule 52); it has a mail to send while ``due_at`` is set."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    author: Mapped[str] = mapped_column(ID)
    key: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(CODE)
    # The other fields as JSON, and the screenshot until the mail was sent.
    fields: Mapped[str] = mapped_column(Text)
    screenshot: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int]

    __table_args__ = (
        UniqueConstraint("author", "key"),
        Index("tickets_created", "created_at", "id"),
        _partial("tickets_due", ("due_at",), due_at.is_not(None)),
    )


class Heartbeat(Base):
    """A sign of life of a delivery process, with the last refusal of its relay."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(ID, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    refusing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_refusal: Mapped[str] = mapped_column(String(200))


# For statements that run for every few mails, where the ORM would cost more than the
# statement.
MAILS: Final = cast(Table, Mail.__table__)
NOTIFICATIONS: Final = cast(Table, Notification.__table__)
ROUTED: Final = cast(Table, RoutedMessage.__table__)
OUTCOMES: Final = cast(Table, Outcome.__table__)
TRANSITIONS: Final = cast(Table, TransitionRow.__table__)
HEARTBEATS: Final = cast(Table, Heartbeat.__table__)
TICKETS: Final = cast(Table, TicketRow.__table__)
MAIL_SETTINGS: Final = cast(Table, MailSetting.__table__)
MAIL_PREFERENCES: Final = cast(Table, MailPreference.__table__)
SUPPRESSIONS: Final = cast(Table, Suppression.__table__)
BOUNCES: Final = cast(Table, Bounce.__table__)
UNSUBSCRIBE_TOKENS: Final = cast(Table, UnsubscribeToken.__table__)
