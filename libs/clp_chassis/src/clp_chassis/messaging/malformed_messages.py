"""Messages whose properties cannot be decoded arrive without any.

py-amqp decodes them inside the loop of a connection: an error there ends the process,
the message goes back to its queue and ends the next process as well. RabbitMQ sends
whatever bytes a sender wrote. Here such a message arrives, and is rejected like
any other without a content type. The import is the effect, for every connection of this
process.
"""

import logging
import struct
from collections.abc import Mapping
from typing import Any, Final, SupportsIndex

from amqp import abstract_channel, basic_message, method_framing, serialization
from amqp.exceptions import AMQPError
from typing_extensions import override

log = logging.getLogger(__name__)

# Times beyond the calendar, tables nested too deeply, types nobody knows, cut values.
UNDECODABLE: Final = (
    AMQPError,
    ArithmeticError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
# py-amqp decodes a body as its sender says, however long that takes: 200 kB of
# punycode take a second, four times as many sixteen seconds.
ENCODINGS: Final = frozenset({None, "utf-8"})


class ReceivedMessage(basic_message.Message):  # type: ignore[misc]
    """A message that has no properties where they cannot be decoded."""

    @override
    def _load_properties(self, class_id: int, buf: bytes, offset: int) -> Any:
        try:
            end = super()._load_properties(class_id, buf, offset)
            fault = fault_in(self.properties)
        except UNDECODABLE as error:
            end, fault = len(buf), type(error).__name__
        if fault is not None:
            log.error("properties of a message dropped: %s", fault)
            self.properties: dict[str, Any] = {}
        return end


def fault_in(properties: Mapping[str, Any]) -> str | None:
    """What is wrong with decoded properties."""
    if properties.get("content_encoding") not in ENCODINGS:
        return "another encoding than UTF-8"
    headers = properties.get("application_headers") or {}
    return None if all(isinstance(k, str) for k in headers) else "a name is no text"


class _Replacing(bytes):
    """Bytes that are text whatever they hold."""

    @override
    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        part = super().__getitem__(key)
        return part if isinstance(part, int) else _Replacing(part)

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        del errors
        return super().decode(encoding, "replace")


def load_arguments(shape: str, buffer: bytes, offset: int) -> Any:
    """Decode the arguments of a method; a routing key may be no text."""
    try:
        return serialization.loads(shape, buffer, offset)
    except UnicodeDecodeError:
        return serialization.loads(shape, _Replacing(buffer), offset)


method_framing.Message = ReceivedMessage
abstract_channel.loads = load_arguments
