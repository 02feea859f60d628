"""Column types that behave alike on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, TypeDecorator
from typing_extensions import override


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC with microseconds; on SQLite the zone is added on read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Any) -> Any:
        """Store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is ambiguous")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    @override
    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        """Return UTC."""
        if value is None:
            return None
        stored: datetime = value
        if dialect.name == "sqlite":
            return stored.replace(tzinfo=UTC)
        return stored.astimezone(UTC)
