"""Points in time as columns: UTC with microseconds on every database."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, TypeDecorator
from typing_extensions import override


class Instant(TypeDecorator[datetime]):
    """A time with its zone; SQLite keeps none, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Any) -> Any:
        """Store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone says nothing")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    @override
    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        stored: datetime = value
        if dialect.name == "sqlite":
            return stored.replace(tzinfo=UTC)
        return stored.astimezone(UTC)
