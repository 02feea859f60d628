"""A session whose plain statements do not pass through the object mapper."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session
from typing_extensions import override

from clp_chassis.persistence import prepared_statements


class DirectSession(Session):
    """A session on one connection, for statements on tables and for mapped classes.

    The mapper prepares, compiles and wraps every statement for the objects it may
    return. That takes longer than SQLite needs to execute most of them, so a statement
    on tables goes to the connection. The owner of the connection commits. What the
    mapper needs is made when it is first asked for anything.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        """Prepare the mapper, whose attributes are missing before."""
        if self._is_prepared or name.startswith("__"):
            raise AttributeError(name)
        super().__init__(self._connection, expire_on_commit=False)
        return getattr(self, name)

    @property
    def _is_prepared(self) -> bool:
        return "identity_map" in self.__dict__

    @override
    def get_bind(self, *_: Any, **__: Any) -> Any:
        """Return the connection."""
        return self._connection

    @override
    def flush(self, objects: Any = None) -> None:
        """Write what changed of mapped objects, if there are any."""
        if self._is_prepared:
            super().flush(objects)

    @override
    def close(self) -> None:
        """Forget the mapped objects, if there are any."""
        if self._is_prepared:
            super().close()

    @override
    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Execute a statement; with options or mapped classes, through the mapper."""
        if options or _is_mapped(statement):
            return super().execute(statement, params, **options)
        return prepared_statements.execute(self._connection, statement, params)

    @override
    def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Return the first column of the first row."""
        if options or _is_mapped(statement):
            return super().scalar(statement, params, **options)
        return self.execute(statement, params).scalar()

    @override
    def scalars(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Return the first column of each row."""
        if options or _is_mapped(statement):
            return super().scalars(statement, params, **options)
        return self.execute(statement, params).scalars()


def _is_mapped(statement: Any) -> bool:
    """Whether a statement names a mapped class or its attributes."""
    return bool(statement._propagate_attrs)  # noqa: SLF001 - set for the mapper alone
