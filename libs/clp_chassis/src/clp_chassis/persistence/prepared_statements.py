"""Execute constant statements with little around the driver.

SQLAlchemy prepares a context and a result for every execution, which takes two or three
times as long as the driver and the server need for a short statement. A statement that
is executed more than once as the same object is compiled here, and from then on goes to
the driver's cursor; so do not change a statement after its first use. Types, names and
errors are SQLAlchemy's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData

Parameters = Mapping[str, Any]
_Processor = Callable[[Any], Any]
# Of the statements that were executed as the same object, by dialect and parameters.
_Key = tuple[str, tuple[str, ...]]
_plans: Final[WeakKeyDictionary[Any, dict[_Key, "_Plan | None"]]] = WeakKeyDictionary()
CURSOR: Final = "clp_cursor"
REQUIRED: Final = object()


class PreparedResult(IteratorResult[Any]):
    """All rows of a result, and how many were found or changed."""

    def __init__(
        self, names: SimpleResultMetaData, rows: Iterable[Any], rowcount: int
    ) -> None:
        super().__init__(names, iter(rows))
        self.rowcount = rowcount


def execute(connection: Connection, statement: Any, params: Any) -> Any:
    """Execute a statement on a connection, the short way if it is known."""
    if params is None or isinstance(params, dict):
        plan = _plan_of(connection, statement, params or {})
        # Whoever listens to the statements of an engine must see all of them.
        if plan is not None and not _is_listened_to(connection):
            return plan.execute(connection, params or {})
    return connection.execute(statement, params)


def _is_listened_to(connection: Connection) -> bool:
    listeners = connection.dispatch
    return bool(listeners.before_cursor_execute or listeners.after_cursor_execute)


def _plan_of(connection: Connection, statement: Any, params: Parameters) -> Any:
    key = (connection.dialect.name, tuple(params))
    known = _plans.get(statement)
    if known is None:
        # It may have been built for this one execution.
        _plans[statement] = {}
        return None
    if key not in known:
        known[key] = _Plan.of(connection, statement, params)
    return known[key]


@dataclass(slots=True)
class _Bind:
    """A parameter: its name in the text, in what is given, its default and type."""

    name: str
    key: str
    default: Any
    process: _Processor | None

    def value(self, given: Parameters) -> Any:
        value = given.get(self.key, self.default)
        if value is REQUIRED:
            raise KeyError(self.key)
        return value if self.process is None else self.process(value)


class _Plan:
    """A compiled statement, and how to convert its parameters and rows."""

    def __init__(
        self, text: str, binds: tuple[_Bind, ...], names: list[str] | None
    ) -> None:
        self._text, self._binds, self._names = text, binds, names
        self._types: tuple[Any, ...] = ()
        self._columns: SimpleResultMetaData | None = None
        self._processors: tuple[_Processor | None, ...] = ()

    @classmethod
    def of(
        cls, connection: Connection, statement: Any, params: Parameters
    ) -> "_Plan | None":
        """Compile a statement; None if only SQLAlchemy knows how to execute it."""
        dialect = connection.dialect
        compiled: Any = statement.compile(dialect=dialect, column_keys=[*params])
        if _is_special(compiled):
            return None
        binds = tuple(
            _Bind(
                name=compiled.bind_names[bind],
                key=bind.key,
                default=REQUIRED if bind.required else bind.value,
                process=bind.type.dialect_impl(dialect).bind_processor(dialect),
            )
            for bind in compiled.binds.values()
        )
        plan = cls(compiled.string, binds, compiled.positiontup)
        plan._types = tuple(
            column.type for column in getattr(statement, "exported_columns", ())
        )
        return plan

    def execute(self, connection: Connection, given: Parameters) -> PreparedResult:
        parameters: Any = {bind.name: bind.value(given) for bind in self._binds}
        if self._names is not None:
            parameters = [parameters[name] for name in self._names]
        cursor: Any = None
        try:
            cursor = _cursor_of(connection)
            cursor.execute(self._text, parameters)
            rows = cursor.fetchall() if cursor.description else []
        except BaseException as error:  # noqa: BLE001 - it is raised again
            if cursor is not None:
                connection.info.pop(CURSOR, None)
            connection._handle_dbapi_exception(  # noqa: SLF001 - as for its own statements
                error, self._text, parameters, cursor, None
            )
        columns = self._columns or self._describe(connection, cursor.description or ())
        if any(self._processors):
            rows = [self._converted(row) for row in rows]
        return PreparedResult(columns, rows, cursor.rowcount)

    def _describe(self, connection: Connection, found: Any) -> SimpleResultMetaData:
        dialect = connection.dialect
        if len(found) == len(self._types):
            self._processors = tuple(
                one.dialect_impl(dialect).result_processor(dialect, column[1])
                for one, column in zip(self._types, found, strict=True)
            )
        self._columns = SimpleResultMetaData([column[0] for column in found])
        return self._columns

    def _converted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            value if process is None else process(value)
            for value, process in zip(row, self._processors, strict=True)
        )


def _is_special(compiled: Any) -> bool:
    """Whether parameters are made, or the text is completed, at each execution."""
    return bool(
        compiled.post_compile_params
        or compiled.literal_execute_params
        or compiled.insert_prefetch
        or compiled.update_prefetch
        or any(bind.callable for bind in compiled.binds.values())
    )


def _cursor_of(connection: Connection) -> Any:
    """The cursor of a connection: rows are always fetched, so one is enough."""
    cursor = connection.info.get(CURSOR)
    if cursor is None:
        cursor = connection.info[CURSOR] = connection.connection.cursor()
    return cursor
