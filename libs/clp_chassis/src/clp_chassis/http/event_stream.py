"""Server-sent events (HTML standard, section 9.2): queue, heartbeats and a clean end.

A client that went away is noticed only by writing to it. So a stream sends a comment
whenever it has been silent for a while. A client that reads too slowly gets one last
frame and is disconnected: it reconnects and starts anew.

A frame may have a deadline: the end of the lease under which it was checked. It is
compared when the frame is written and not when it is queued, and a connection is reset
when bytes of a frame are still unsent at its deadline.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eventlet.event import Event
from eventlet.hubs import get_hub
from werkzeug.wrappers import Response

from clp_chassis.concurrency.loop_timer import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clp_chassis.http.client_socket import ClientSocket

HEARTBEAT_S: Final = 15.0
HEARTBEAT: Final = b":\n\n"
MAX_QUEUED: Final = 100
# What the kernel may hold for a client that reads slowly.
SEND_BUFFER_BYTES: Final = 32 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes to be sent before a time of the monotonic clock."""

    data: bytes
    deadline: float = math.inf


class EventStream:
    """The frames of one client, ready to be sent. One reader, any number of senders.

    Args:
        last_frame: sent before the end to a client that reads too slowly.
        on_close: called once, when the stream ends for whatever reason.
        heartbeat_s: seconds of silence after which a heartbeat is sent.
        heartbeat: makes it; a comment unless given.
        max_queued: frames that may wait to be sent.
    """

    def __init__(
        self,
        *,
        last_frame: bytes = b"",
        on_close: Callable[[], object] | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        heartbeat: Callable[[], bytes] = lambda: HEARTBEAT,
        max_queued: int = MAX_QUEUED,
    ) -> None:
        self._last_frame = last_frame
        self._on_close = on_close
        self._heartbeat_s = heartbeat_s
        self._heartbeat = heartbeat
        self._max_queued = max_queued
        self._frames: deque[Frame] = deque()
        self._is_closed = False
        self._wakeup: Event | None = None
        self._client: ClientSocket | None = None
        # The deadline of the oldest bytes that were written and may be unsent.
        self._timer: Any = None
        self._is_writing = False

    @property
    def is_closed(self) -> bool:
        """Whether the stream has ended, or ends after its queued frames."""
        return self._is_closed

    def attach(self, client: ClientSocket) -> None:
        """Write to this client from now on."""
        client.limit_send_buffer(SEND_BUFFER_BYTES)
        self._client = client

    def end_if_gone(self) -> bool:
        """End a stream whose client went away; return whether it did."""
        if self._client is None or not self._client.is_gone():
            return False
        self.abort()
        return True

    def send(self, frame: bytes, *, deadline: float = math.inf) -> bool:
        """Queue a frame; return False when the stream has ended.

        A stream whose frame cannot be written before its deadline is ended: its client
        resumes after the last frame that arrived.
        """
        if self._is_closed:
            return False
        if len(self._frames) >= self._max_queued:
            self.abort(self._last_frame)
            return False
        self._frames.append(Frame(frame, deadline))
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

    def abort(self, last_frame: bytes = b"") -> None:
        """End the stream in place of its queued frames, with one last frame or none."""
        self._frames.clear()
        if last_frame and not self._is_closed:
            self._frames.append(Frame(last_frame))
        self.close()

    def interrupt(self, frame: bytes) -> None:
        """Send a frame now; end the stream with it when leased ones wait before it."""
        is_waiting = any(one.deadline < math.inf for one in self._frames)
        if is_waiting or self._timer is not None:
            self.abort(frame)
        else:
            self.send(frame)

    def __iter__(self) -> Iterator[bytes]:
        """Yield frames and heartbeats until the stream is closed."""
        try:
            while True:
                while self._frames:
                    yield from self._written(self._frames.popleft())
                if self._is_closed:
                    return
                if not self._wait():
                    yield self._heartbeat()
        finally:
            self._finish()

    def _written(self, frame: Frame) -> Iterator[bytes]:
        """Yield a frame that is in time; whoever iterates writes it meanwhile."""
        left = frame.deadline - time.monotonic()
        if left <= 0:
            self.abort()
            return
        if self._timer is None and left < math.inf:
            self._timer = get_hub().schedule_call_global(left, self._reset_unsent)
        self._is_writing = True
        yield frame.data
        self._is_writing = False
        if self._timer is not None and not self._has_unsent():
            self._timer.cancel()
            self._timer = None

    def _reset_unsent(self) -> None:
        """At a deadline: end the connection unless the frame has left."""
        self._timer = None
        if self._is_writing or self._has_unsent():
            self._reset()

    def _finish(self) -> None:
        """Leave nothing to the kernel that it would send after a deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            if self._is_writing or self._has_unsent():
                self._reset()

    def _reset(self) -> None:
        self.abort()
        if self._client is not None:
            self._client.reset()

    def _has_unsent(self) -> bool:
        return self._client is not None and self._client.unsent() > 0

    def _wait(self) -> bool:
        """Wait for a frame or the end; return False after a time of silence."""
        self._wakeup = Event()
        wait_for(self._wakeup, self._heartbeat_s)
        self._wakeup = None
        return bool(self._frames) or self._is_closed

    def _notify(self) -> None:
        if self._wakeup is not None and not self._wakeup.ready():
            self._wakeup.send()


class EventStreamResponse(Response):
    """The response that sends an event stream, seated for a person if one is named."""

    def __init__(self, stream: EventStream, *, person: str = "") -> None:
        super().__init__(stream, 200, content_type="text/event-stream; charset=utf-8")
        self.headers["Cache-Control"] = "no-store"
        # For proxies that buffer responses (nginx).
        self.headers["X-Accel-Buffering"] = "no"
        self.event_stream = stream
        self.person = person
