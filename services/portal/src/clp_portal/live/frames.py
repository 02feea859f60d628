"""Frames of an event stream (HTML standard, section 9.2)."""

import json
from collections.abc import Mapping
from typing import Any, Final

RETRY_MS: Final = 2000
MESSAGE: Final = "message"
GONE: Final = "gone"
AGAIN: Final = "again"
# In place of a comment: a silent stream resumes from here, however long it was silent.
ALIVE: Final = "alive"


def frame(event: str, data: Mapping[str, Any], *, event_id: str = "") -> bytes:
    """Encode one event; JSON has no line breaks of its own."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    start = f"id: {event_id}\n" if event_id else ""
    return f"{start}event: {event}\ndata: {text}\n\n".encode()


def opening(event_id: str) -> bytes:
    """Encode the start of a stream: when to reconnect, and from where."""
    return f"retry: {RETRY_MS}\nid: {event_id}\n\n".encode()


# Sent before the end to a client that reads too slowly; it resumes at its last id.
OVERFLOW: Final = frame(AGAIN, {})
