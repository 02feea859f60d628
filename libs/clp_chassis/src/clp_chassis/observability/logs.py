"""Log lines as JSON or text, each with the chain of calls behind it.

The text of an exception may quote a person's text, name or address: a database quotes
the row it refuses. So logs show an exception's type and traceback, and its text only
for errors that never quote data.
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

from clp_chassis.observability.call_chain import current_chain
from clp_contracts.errors import CallFailed, Refused

TEXT: Final = (
    "%(asctime)s %(levelname)s %(process_type)s %(name)s %(message)s%(in_call)s"
)
JSON: Final = "%(levelname)s %(name)s %(message)s %(process)d %(chain)s"
JSON_NAMES: Final = {"levelname": "level", "name": "logger", "process": "pid"}

# They name hosts, files and codes, and nothing that a person chose.
TECHNICAL_ERRORS: Final = (OSError, AMQPError, OperationalError, CallFailed)

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
    """Write all logs of this process in one format to one stream."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_json(process_type) if shape == "json" else _Text())
    handler.addFilter(_RedactingFilter(process_type))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def safe_error_text(error: BaseException) -> str:
    """Return an error as logs may show it: its text only if it never quotes data."""
    name = type(error).__name__
    if isinstance(error, Refused):
        return f"{name}: {error.code}"
    if isinstance(error, TECHNICAL_ERRORS):
        return f"{name}: {error}"
    return name


class _RedactingFilter(logging.Filter):
    """Add facts of the process, and remove the text of exceptions."""

    def __init__(self, process_type: str) -> None:
        super().__init__()
        self._process_type = process_type

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        chain = current_chain()
        record.process_type = self._process_type
        record.chain = list(chain)
        record.in_call = f" [{chain[-1]}]" if chain else ""
        if isinstance(record.args, Mapping):
            record.args = {key: _safe(value) for key, value in record.args.items()}
        elif record.args:
            record.args = tuple(_safe(value) for value in record.args)
        return True


class _SafeError:
    """Replace an exception among the arguments of a log line."""

    def __init__(self, error: BaseException) -> None:
        self._text = safe_error_text(error)

    @override
    def __repr__(self) -> str:
        return self._text


def _safe(value: object) -> object:
    return _SafeError(value) if isinstance(value, BaseException) else value


def _trace(error: BaseException | None) -> Iterator[str]:
    """Yield an error and its causes, newest first, with the lines that raised them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield safe_error_text(error)
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        error = error.__cause__ or error.__context__


class _Text(logging.Formatter):
    """Format lines for people."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    @override
    def formatException(self, ei: ExcInfo) -> str:
        return "\n".join(_trace(ei[1]))


class _Json(JsonFormatter):
    """Format lines for programs."""

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
