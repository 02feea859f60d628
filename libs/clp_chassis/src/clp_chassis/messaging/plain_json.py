"""Read plain JSON from the broker, never compressed.

Kombu decompresses a message as soon as it arrives, however large the result, and its
JSON rebuilds objects from ``__type__`` marks. A sender decides about neither here. The
import is the effect, for every connection of this process.
"""

import json
from typing import Any, NoReturn

from kombu import compression, serialization
from kombu.exceptions import ContentDisallowed


def refuse(_data: object) -> NoReturn:
    """Refuse to compress or decompress."""
    raise ContentDisallowed("compressed messages are refused")


def decode(data: str | bytes) -> Any:
    """Decode plain JSON."""
    return json.loads(data)


for _name in compression.encoders():
    compression.register(refuse, refuse, _name)
serialization.register(
    "json", json.dumps, decode, "application/json", content_encoding="utf-8"
)
