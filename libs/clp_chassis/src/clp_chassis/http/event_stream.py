"""Server-sent events (HTML standard, section 9.2): queue, heartbeats and a clean end.

A client that went away is noticed only by writing to it. So a stream sends a comment
whenever it has been silent for a while. A client that reads too slowly gets one last
frame and is disconnected: it reconnects and starts anew.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from eventlet.event import Event
from eventlet.timeout import Timeout
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEARTBEAT_S: Final = 15.0
HEARTBEAT: Final = b":\n\n"
MAX_QUEUED: Final = 100


class EventStream:
    """The frames of one client, ready to be sent. One reader, any number of senders.

    Args:
        last_frame: sent before the end to a client that reads too slowly.
        on_close: called once, when the stream ends for whatever reason.
        heartbeat_s: seconds of silence after which a comment is sent.
        max_queued: frames that may wait to be sent.
    """

    def __init__(
        self,
        *,
        last_frame: bytes = b"",
        on_close: Callable[[], object] | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        max_queued: int = MAX_QUEUED,
    ) -> None:
        self._last_frame = last_frame
        self._on_close = on_close
        self._heartbeat_s = heartbeat_s
        self._max_queued = max_queued
        self._frames: deque[bytes] = deque()
        self._is_closed = False
        self._wakeup: Event | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the stream has ended, or ends after its queued frames."""
        return self._is_closed

    def send(self, frame: bytes) -> bool:
        """Queue a frame; return False when the stream has ended."""
        if self._is_closed:
            return False
        if len(self._frames) >= self._max_queued:
            self._frames.clear()
            if self._last_frame:
                self._frames.append(self._last_frame)
            self.close()
            return False
        self._frames.append(frame)
        self._notify()
        return True

    def close(self) -> None:
        """End the stream after its queued frames."""
        if self._is_closed:
            return
        self._is_closed = True
        self._notify()
        if self._on_close is not None:
            self._on_close()

    def __iter__(self) -> Iterator[bytes]:
        """Yield frames and heartbeats until the stream is closed."""
        while True:
            while self._frames:
                yield self._frames.popleft()
            if self._is_closed:
                return
            if not self._wait():
                yield HEARTBEAT

    def _wait(self) -> bool:
        """Wait for a frame or the end; return False after a time of silence."""
        self._wakeup = Event()
        with Timeout(self._heartbeat_s, False):  # noqa: FBT003
            self._wakeup.wait()
        self._wakeup = None
        return bool(self._frames) or self._is_closed

    def _notify(self) -> None:
        if self._wakeup is not None and not self._wakeup.ready():
            self._wakeup.send()


class EventStreamResponse(Response):
    """The response that sends an event stream."""

    def __init__(self, stream: EventStream) -> None:
        super().__init__(stream, 200, content_type="text/event-stream; charset=utf-8")
        self.headers["Cache-Control"] = "no-store"
        # For proxies that buffer responses (nginx).
        self.headers["X-Accel-Buffering"] = "no"
        self.event_stream = stream
