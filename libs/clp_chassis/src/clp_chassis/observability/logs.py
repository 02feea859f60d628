"""Logs: a line of JSON or of text for each event, with the chain of calls behind it.

An exception's text may quote what a person wrote, a name or an address: a database
quotes the row it refuses. So a log tells an exception's type and where it was raised;
the text only of those that speak of machines alone.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import IO, Any, Final

from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

from clp_chassis.observability.call_chain import chain_of_calls
from clp_contracts.errors import CallFailed, Refused

SHAPES: Final = ("text", "json")
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
TEXT: Final = (
    "%(asctime)s %(levelname)s %(process_type)s %(name)s %(message)s%(in_call)s"
)
JSON: Final = "%(levelname)s %(name)s %(message)s %(process)d %(chain)s"
JSON_NAMES: Final = {"levelname": "level", "name": "logger", "process": "pid"}

# They tell of hosts, files and codes; nothing that a person chose is ever in them.
OF_MACHINES: Final = (OSError, AMQPError, OperationalError, CallFailed)

ExcInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
)


def configure_logs(
    process_type: str,
    *,
    level: str = "INFO",
    shape: str = "text",
    stream: IO[str] | None = None,
) -> None:
    """Have everything that this process logs written in one shape to one stream."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_json(process_type) if shape == "json" else _Text())
    handler.addFilter(_Discreet(process_type))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def told(error: BaseException) -> str:
    """An error as a log may tell it: its text only where that speaks of machines."""
    name = type(error).__name__
    if isinstance(error, Refused):
        return f"{name}: {error.code}"
    if isinstance(error, OF_MACHINES):
        return f"{name}: {error}"
    return name


class _Discreet(logging.Filter):
    """Adds the facts of the process, and leaves out what exceptions quote."""

    def __init__(self, process_type: str) -> None:
        super().__init__()
        self._process_type = process_type

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        chain = chain_of_calls()
        record.process_type = self._process_type
        record.chain = list(chain)
        record.in_call = f" [{chain[-1]}]" if chain else ""
        if isinstance(record.args, Mapping):
            record.args = {key: _safe(value) for key, value in record.args.items()}
        elif record.args:
            record.args = tuple(_safe(value) for value in record.args)
        return True


class _Told:
    """Stands in for an exception among the arguments of a log line."""

    def __init__(self, error: BaseException) -> None:
        self._words = told(error)

    @override
    def __repr__(self) -> str:
        return self._words


def _safe(value: object) -> object:
    return _Told(value) if isinstance(value, BaseException) else value


def _trace(error: BaseException | None) -> Iterator[str]:
    """An error and what caused it, the newest first: where each was raised."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield told(error)
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        error = error.__cause__ or error.__context__


class _Text(logging.Formatter):
    """Lines for people."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    @override
    def formatException(self, ei: ExcInfo) -> str:
        return "\n".join(_trace(ei[1]))


class _Json(JsonFormatter):
    """Lines for machines."""

    @override
    def formatException(self, ei: ExcInfo) -> Any:
        return list(_trace(ei[1]))


def _json(process_type: str) -> logging.Formatter:
    return _Json(
        JSON,
        timestamp="at",
        rename_fields=JSON_NAMES | {"exc_info": "trace"},
        static_fields={"process_type": process_type},
    )
