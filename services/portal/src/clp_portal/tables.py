"""The tables of `portal`: sessions, and nothing else."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from clp_chassis.persistence.column_types import UtcDateTime


class Base(DeclarativeBase):
    """All tables of the service."""


class SessionRow(Base):
    """A signed-in browser; the session id itself is stored nowhere."""

    __tablename__ = "sessions"

    # SHA-256 of the session id, in hexadecimal.
    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(64), index=True)
    # The identity provider's ``sid``, for back-channel logout.
    provider_session: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_sessions_provider_session", "provider_session"),
        Index("ix_sessions_seen_at", "seen_at"),
    )
