"""Live updates: changes of the feed become frames of those who may read them.

The feed of `messages` is read on a fixed tick of the clock, never from the first event
on: how late a frame is must not tell that another partner spoke a moment before. The
events only say that a tick has something to read.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from clp_chassis.http import EventStream
from clp_contracts import events
from clp_contracts.client import Clients
from clp_contracts.errors import CallFailed
from clp_contracts.feed import Change
from clp_contracts.projects import Me
from clp_portal.auth.sessions import Sessions
from clp_portal.live.eligibility import Eligibility, Screens
from clp_portal.live.event_ids import EventIds
from clp_portal.live.frames import AGAIN, GONE, MESSAGE, OVERFLOW, frame, opening
from clp_portal.live.message_frames import MessageFrames
from clp_portal.live.subscribers import Subscriber, Subscribers
from clp_portal.translation import Locale

log = logging.getLogger(__name__)

# Without any event the feed is read at this interval: events may be lost.
POLL_S: Final = 2.0
MAX_BEHIND: Final = 500
# Fewer than a stream may queue.
MAX_REPLAYED: Final = 90
REPLAY_PAGE: Final = 20
MAX_CHECKS: Final = 3
# Streams served between two pauses, in which what is queued is written: drawing for
# hundreds of streams must not outlast the lease of what was drawn first.
STREAMS_PER_PAUSE: Final = 10
FOLLOWING: Final = frozenset({events.PROJECT_FOLLOWED, events.PROJECT_UNFOLLOWED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """Who opens a stream, with which projects, and after which event."""

    me: Me
    session: str
    locale: Locale
    followed: Iterable[str] = ()
    named: Iterable[str] = ()
    last_event_id: str = ""


@dataclass(slots=True, kw_only=True)
class LiveUpdates:
    """The streams of this process and their place in the feed."""

    clients: Clients
    sessions: Sessions
    event_ids: EventIds
    message_frames: MessageFrames
    eligibility: Eligibility
    monotonic: Callable[[], float] = time.monotonic
    # Lets others run: streams write what is queued for them.
    pause: Callable[[], object] = lambda: time.sleep(0)
    subscribers: Subscribers = field(default_factory=Subscribers)
    _cursor: int | None = None
    _is_woken: bool = False
    _read_at: float = 0.0

    # ---- streams

    def open(self, request: StreamRequest) -> EventStream:
        """Open a stream; after an event id of ours it begins with what was missed."""
        stream = EventStream(last_frame=OVERFLOW, on_close=lambda: self._left(one))
        one = Subscriber(
            stream=stream,
            me=request.me,
            session=request.session,
            locale=request.locale,
            followed=set(request.followed),
            named=set(request.named),
        )
        after = self.event_ids.decrypt(request.last_event_id)
        if after is None:
            one.position = self._newest()
            stream.send(opening(self.event_ids.encrypt(one.position)))
        else:
            stream.send(opening(request.last_event_id))
            self._replay(one, after)
        # Nothing yields between here and the comparison with the cursor.
        if self._cursor is None:
            self._cursor = one.position
        one.position = max(one.position, self._cursor)
        self.subscribers.add(one)
        return stream

    def _left(self, subscriber: Subscriber) -> None:
        self.subscribers.discard(subscriber)
        if not self.subscribers:
            self._cursor = None

    def _newest(self) -> int:
        if self._cursor is None:
            return self.clients.messages.changes(limit=1).head
        return self._cursor

    def _replay(self, one: Subscriber, after: int) -> None:
        """Send what a stream missed, up to where all the others are."""
        one.position = reached = after
        while True:
            batch = self.clients.messages.changes(after=reached, limit=REPLAY_PAGE)
            is_full = bool(batch.changes) and one.sent > MAX_REPLAYED - REPLAY_PAGE
            if batch.head - reached > MAX_BEHIND or is_full:
                one.position = max(batch.head, self._cursor or 0)
                event_id = self.event_ids.encrypt(one.position)
                one.send(AGAIN, frame(AGAIN, {}, event_id=event_id))
                return
            if batch.changes:
                self._deliver([one], batch.changes)
                one.position = reached = batch.changes[-1].position
            elif reached >= (self._cursor or 0):
                return

    # ---- what happens

    def wake(self) -> None:
        """Read the feed at the next tick."""
        self._is_woken = True

    def tick(self) -> None:
        """Send what was committed since the last tick."""
        if self._cursor is None:
            return
        at = self.monotonic()
        if not self._is_woken and at - self._read_at < POLL_S:
            return
        self._is_woken, self._read_at = False, at
        self.close_ended_sessions()
        while self._read():
            pass

    def _read(self) -> bool:
        cursor = self._cursor
        if cursor is None:
            return False
        batch = self.clients.messages.changes(after=cursor)
        if self._cursor != cursor or not batch.changes:
            return False
        self._cursor = last = batch.changes[-1].position
        self._deliver(list(self.subscribers), batch.changes)
        return last < batch.head

    def project_changed(self, change: Mapping[str, Any]) -> None:
        """Apply a change of people, partners, assignments or followers at once."""
        kind, subject, project = change["type"], change["subject"], change["project"]
        if kind == events.PERSON_CHANGED:
            self.subscribers.close_where(lambda one: one.me.id == subject)
        elif kind == events.PARTNER_WITHDRAWN:
            self._withdraw(project, subject)
        elif kind == events.PARTNER_ASSIGNED:
            self.subscribers.close_where(lambda one: one.me.partner == subject)
        elif kind in FOLLOWING:
            self._follow(subject, project, following=kind == events.PROJECT_FOLLOWED)
        elif kind == events.PARTNER_CHANGED:
            self.message_frames.forget_titles()

    def _follow(self, person: str, project: str, *, following: bool) -> None:
        for one in self.subscribers.of_person(person):
            if following:
                one.followed.add(project)
            else:
                one.followed.discard(project)

    def _withdraw(self, project: str, partner: str) -> None:
        for one in self.subscribers.of_partner(partner):
            if one.covers(project):
                one.drop(project)
                one.interrupt(GONE, frame(GONE, {"project": project}))

    def close_ended_sessions(self) -> None:
        """End the streams of sessions that are over, wherever they were ended."""
        open_keys = {one.session for one in self.subscribers}
        if open_keys:
            in_force = self.sessions.in_force(open_keys)
            self.subscribers.close_where(lambda one: one.session not in in_force)

    # ---- frames

    def _deliver(self, pending: list[Subscriber], changes: Sequence[Change]) -> None:
        """Send changes to those who may read them, with one check for all.

        A stream that cannot be served is ended: its browser resumes where it was.
        """
        # The last change of each message: a frame shows the message as it is now.
        latest = sorted(
            {change.subject: change for change in changes}.values(),
            key=lambda change: change.position,
        )
        pending = [one for one in pending if any(map(one.covers, _projects(latest)))]
        try:
            for _ in range(MAX_CHECKS):
                if not pending:
                    return
                pending = self._checked(pending, latest)
        except CallFailed as failure:
            log.warning("live updates: %s", failure)
        for one in pending:
            one.stream.close()

    def _checked(
        self, pending: list[Subscriber], changes: Sequence[Change]
    ) -> list[Subscriber]:
        """Send to as many as the leased facts allow; return the others."""
        wanted = [
            change.subject
            for change in changes
            if any(one.covers(change.project) for one in pending)
        ]
        people = {one.me.id for one in pending}
        screens = self.eligibility.check(people, wanted)
        in_force = self.sessions.in_force({one.session for one in pending})
        late: list[Subscriber] = []
        for served, one in enumerate(pending, start=1):
            if served % STREAMS_PER_PAUSE == 0:
                self.pause()
            if one.session not in in_force:
                one.stream.abort()
            elif not self._send_changes(one, changes, screens):
                late.append(one)
        return late

    def _send_changes(
        self, one: Subscriber, changes: Sequence[Change], screens: Screens
    ) -> bool:
        """Draw and send the changes of one stream; False when the lease is over."""
        for change in changes:
            if change.position <= one.position or not one.covers(change.project):
                continue
            message = screens.message(one.me.id, change.subject)
            if message is None:
                continue
            data = self.message_frames.drawn(message, one)
            if not self.eligibility.is_in_time(screens):
                return False
            # Drawing may have waited for a name.
            if not one.covers(change.project):
                continue
            event_id = self.event_ids.encrypt(change.position)
            encoded = frame(MESSAGE, data, event_id=event_id)
            one.send(MESSAGE, encoded, deadline=screens.deadline)
            one.position = change.position
        return True


def _projects(changes: Iterable[Change]) -> set[str]:
    return {change.project for change in changes}
