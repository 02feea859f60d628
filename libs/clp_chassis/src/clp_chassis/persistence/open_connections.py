"""Connections that stay out of their pool between uses.

To take one from the pool, to set how it commits, and to reset it afterwards costs about
as much as a short statement.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from sqlalchemy import Connection, Engine, event


class _CountingPool(Protocol):
    def checkedout(self) -> int: ...


class OpenConnections:
    """Up to ``most`` connections of each engine, the one used last first.

    The engines share a pool. Nothing is kept that others of the pool wait for: while
    more connections are out than all that may be kept, each goes back to it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: dict[Engine, list[Connection]] = {}

    def end_with(self, engine: Engine) -> None:
        """Close the idle connections whenever an engine is disposed of."""
        event.listen(engine, "engine_disposed", lambda _: self.discard())

    @contextmanager
    def use(self, engine: Engine) -> Iterator[Connection]:
        """Give a connection to one user; after an error it goes back to the pool."""
        idle = self._idle.setdefault(engine, [])
        connection = idle.pop() if idle else engine.connect()
        try:
            yield connection
        except BaseException:
            if connection.invalidated:
                # The server has ended the others as well.
                self.discard()
            connection.close()
            raise
        if connection.invalidated or self._are_enough(engine, idle):
            connection.close()
        else:
            idle.append(connection)

    def discard(self) -> None:
        """Close the idle connections instead of giving them back to the pool."""
        for idle in self._idle.values():
            while idle:
                connection = idle.pop()
                connection.invalidate()
                connection.close()

    def _are_enough(self, engine: Engine, idle: list[Connection]) -> bool:
        if len(idle) >= self._most:
            return True
        # Both kinds of one pool, and as many in use.
        return cast("_CountingPool", engine.pool).checkedout() > 3 * self._most
