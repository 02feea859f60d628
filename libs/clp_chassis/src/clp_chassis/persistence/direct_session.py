"""A session whose plain statements do not pass through the object mapper."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session
from typing_extensions import override


class DirectSession(Session):
    """A session on one connection, for statements on tables and for mapped classes.

    The mapper prepares, compiles and wraps every statement for the objects it may
    return. That takes longer than SQLite needs to execute most of them, so a statement
    on tables goes to the connection. The owner of the connection commits.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, expire_on_commit=False)
        self._connection = connection

    @override
    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Execute a statement; with options or mapped classes, through the mapper."""
        if options or _is_mapped(statement):
            return super().execute(statement, params, **options)
        return self._connection.execute(statement, params)

    @override
    def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Return the first column of the first row."""
        if options or _is_mapped(statement):
            return super().scalar(statement, params, **options)
        return self._connection.scalar(statement, params)

    @override
    def scalars(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Return the first column of each row."""
        if options or _is_mapped(statement):
            return super().scalars(statement, params, **options)
        return self._connection.scalars(statement, params)


def _is_mapped(statement: Any) -> bool:
    """Whether a statement names a mapped class or its attributes."""
    return bool(statement._propagate_attrs)  # noqa: SLF001 - set for the mapper alone
