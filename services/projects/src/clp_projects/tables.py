"""The tables of `projects`: people, partners, projects, followers, announcements."""

from datetime import datetime
from typing import Final

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from clp_chassis.events.outbox import Outbox
from clp_chassis.persistence.column_types import UtcDateTime

ID: Final = String(64)
# Compared byte by byte on every database: indexes serve prefix searches, and the order
# of names does not depend on the locale of the server.
KEY: Final = Text().with_variant(Text(collation="C"), "postgresql")

# Internal people in columns that are not nullable; no partner has this id.
INTERNAL: Final = ""


class Base(DeclarativeBase):
    """All tables of the service."""


class PartnerRow(Base):
    """A partner."""

    __tablename__ = "partners"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class PersonRow(Base):
    """A person as the identity system holds them, with the lookup keys of mentions."""

    __tablename__ = "people"
    __table_args__ = (
        Index("people_by_name", "name_key", "partner", "id"),
        Index("people_by_address", "address_key", "partner", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    partner: Mapped[str | None] = mapped_column(ID, ForeignKey("partners.id"))
    active: Mapped[bool]
    language: Mapped[str | None] = mapped_column(ID)
    time_zone: Mapped[str | None] = mapped_column(ID)
    name_key: Mapped[str] = mapped_column(KEY)
    address_key: Mapped[str] = mapped_column(KEY)


class RoleRow(Base):
    """A role of a person."""

    __tablename__ = "person_roles"

    person: Mapped[str] = mapped_column(ID, ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(KEY, primary_key=True, index=True)


class PrefixEntryRow(Base):
    """A place in a name or mail address where autocomplete may match a prefix."""

    __tablename__ = "prefix_entries"
    __table_args__ = (
        Index("prefix_entries_in_order", "rank", "key", "person", "partner"),
    )

    person: Mapped[str] = mapped_column(ID, ForeignKey("people.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(KEY, primary_key=True)
    partner: Mapped[str] = mapped_column(ID)


class ProjectRow(Base):
    """A project."""

    __tablename__ = "projects"
    __table_args__ = (Index("projects_by_title", "title_key", "id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    # The beginning of the title, folded: the order of lists, and what is searched.
    title_key: Mapped[str] = mapped_column(KEY)


class AssignmentRow(Base):
    """A partner on a project, now or in the past; never deleted (rule 7)."""

    __tablename__ = "assignments"
    __table_args__ = (Index("assignments_of_partner", "partner", "project"),)

    project: Mapped[str] = mapped_column(
        ID, ForeignKey("projects.id"), primary_key=True
    )
    partner: Mapped[str] = mapped_column(
        ID, ForeignKey("partners.id"), primary_key=True
    )
    languages: Mapped[list[str]] = mapped_column(JSON)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FollowerRow(Base):
    """A person who chose to hear about a project, with or without access (rule 8)."""

    __tablename__ = "followers"

    project: Mapped[str] = mapped_column(
        ID, ForeignKey("projects.id"), primary_key=True
    )
    person: Mapped[str] = mapped_column(
        ID, ForeignKey("people.id"), primary_key=True, index=True
    )
    followed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AnnouncementRow(Base):
    """A schedule fact to announce once per idempotency key (rule 37)."""

    __tablename__ = "announcements"
    __table_args__ = (UniqueConstraint("project", "key"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    project: Mapped[str] = mapped_column(ID, ForeignKey("projects.id"))
    key: Mapped[str] = mapped_column(KEY)
    kind: Mapped[str] = mapped_column(ID)
    facts: Mapped[dict[str, str]] = mapped_column(JSON)
    announced_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReadLeaseRow(Base):
    """Until when facts about people of a partner in a project are leased."""

    __tablename__ = "read_leases"
    __table_args__ = (
        Index("read_leases_of_partner", "partner", "project"),
        Index("read_leases_of_person", "person"),
        Index("read_leases_by_end", "until"),
    )

    # The four columns after it, as one text.
    key: Mapped[str] = mapped_column(KEY, primary_key=True)
    scope: Mapped[str] = mapped_column(ID)
    person: Mapped[str] = mapped_column(ID)
    partner: Mapped[str] = mapped_column(ID)
    project: Mapped[str] = mapped_column(ID)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


# Frequent statements name tables: they do not pass through the object mapper.
PEOPLE: Final = Base.metadata.tables["people"]
ROLES: Final = Base.metadata.tables["person_roles"]
FOLLOWERS: Final = Base.metadata.tables["followers"]
PROJECTS: Final = Base.metadata.tables["projects"]
ASSIGNMENTS: Final = Base.metadata.tables["assignments"]
PARTNERS: Final = Base.metadata.tables["partners"]
READ_LEASES: Final = Base.metadata.tables["read_leases"]
OUTBOX: Final = Outbox(Base.metadata)
