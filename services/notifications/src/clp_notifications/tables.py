"""Rows: who was told of what, the mails that carry it, and every step on the way."""

from datetime import datetime
from typing import Final, cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
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
from clp_chassis.persistence.column_types import Instant

ID: Final = String(64)
CHANNEL: Final = String(200)
CODE: Final = String(64)


def _partial(
    name: str, columns: tuple[str, ...], where: ColumnElement[bool] | TextClause
) -> Index:
    """An index of the few rows that anybody looks for."""
    return Index(name, *columns, postgresql_where=where, sqlite_where=where)


class Base(DeclarativeBase):
    """The tables of notifications."""


OUTBOX: Final = Outbox(Base.metadata)
CURSORS: Final = Cursors(Base.metadata)


class RoutedMessage(Base):
    """A message that was routed, and whom its text mentioned then."""

    __tablename__ = "routed_messages"

    message: Mapped[str] = mapped_column(ID, primary_key=True)
    channel: Mapped[str] = mapped_column(CHANNEL)
    author: Mapped[str] = mapped_column(ID)
    mentioned: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class Mail(Base):
    """One mail to one person about one channel: the unit of work.

    It has work to do while ``due_at`` is set, and a worker while ``lease_until`` is.
    What joins it before it is claimed travels with it, on every try.
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
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    lease: Mapped[str | None] = mapped_column(ID)
    attempts: Mapped[int]
    first_tried_at: Mapped[datetime | None] = mapped_column(Instant)
    made_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        _partial("mails_due", ("due_at", "number"), due_at.is_not(None)),
        _partial("mails_open", ("person", "channel"), due_at.is_not(None)),
        _partial("mails_held", ("lease_until",), lease_until.is_not(None)),
        Index("mails_made", "person", "made_at"),
    )


class Notification(Base):
    """The record that one recipient hears of one message; there is one, ever."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("message", "person"),
        Index("notifications_mail", "mail"),
        _partial("notifications_dead", ("id",), text("state = 'dead'")),
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


class Step(Base):
    """One step of a notification; rows are only ever added."""

    __tablename__ = "steps"
    __table_args__ = (Index("steps_notification", "notification", "id"),)

    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True)
    notification: Mapped[str] = mapped_column(ID, ForeignKey("notifications.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(CODE)
    reason: Mapped[str] = mapped_column(CODE)


class Outcome(Base):
    """Why somebody who might ask was not told of a message (rule 25)."""

    __tablename__ = "outcomes"

    message: Mapped[str] = mapped_column(ID, primary_key=True)
    person: Mapped[str] = mapped_column(ID, primary_key=True)
    rule: Mapped[str] = mapped_column(CODE)
    reason: Mapped[str] = mapped_column(CODE)
    at: Mapped[datetime] = mapped_column(Instant)


class MailSetting(Base):
    """When a person wants mails: for one project, or (project empty) in general."""

    __tablename__ = "mail_settings"

    person: Mapped[str] = mapped_column(ID, primary_key=True)
    project: Mapped[str] = mapped_column(ID, primary_key=True)
    mode: Mapped[str] = mapped_column(CODE)
    at: Mapped[datetime] = mapped_column(Instant)


class Bounce(Base):
    """A mail that came back, counted once for each kind of coming back."""

    __tablename__ = "bounces"

    mail: Mapped[str] = mapped_column(ID, primary_key=True)
    kind: Mapped[str] = mapped_column(CODE, primary_key=True)
    address: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (Index("bounces_address", "address"),)


class MailPreference(Base):
    """How a person wants mails written; who never said so has no row."""

    __tablename__ = "mail_preferences"

    person: Mapped[str] = mapped_column(ID, primary_key=True)
    content: Mapped[bool]
    at: Mapped[datetime] = mapped_column(Instant)


class SuppressedAddress(Base):
    """An address that refused mail for good; a changed address is another one."""

    __tablename__ = "suppressed_addresses"

    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    reason: Mapped[str] = mapped_column(CODE)
    mail: Mapped[str] = mapped_column(ID)
    at: Mapped[datetime] = mapped_column(Instant)


# For statements that run for every few mails: mapping rows to objects costs more than
# most of them take.
MAILS: Final = cast(Table, Mail.__table__)
NOTIFICATIONS: Final = cast(Table, Notification.__table__)
OUTCOMES: Final = cast(Table, Outcome.__table__)
STEPS: Final = cast(Table, Step.__table__)
MAIL_SETTINGS: Final = cast(Table, MailSetting.__table__)
MAIL_PREFERENCES: Final = cast(Table, MailPreference.__table__)
SUPPRESSED_ADDRESSES: Final = cast(Table, SuppressedAddress.__table__)
