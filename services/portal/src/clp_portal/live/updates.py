"""Live updates: changes of the feed become frames of those who may read them.

The feed of `messages` is read on a fixed tick of the clock, never from the first event
on: how late a frame is must not tell that another partner spoke a moment before. The
events only say that a tick has something to read.

Each stream has a position in the feed. One that resumes, or that a tick could not
serve, is behind the others and catches up at the same ticks, under access checks of
that time.
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
from clp_portal.live.frames import (
    AGAIN,
    ALIVE,
    GONE,
    MESSAGE,
    OVERFLOW,
    frame,
    opening,
)
from clp_portal.live.message_frames import MessageFrames
from clp_portal.live.subscribers import Subscriber, Subscribers
from clp_portal.translation import Locale

log = logging.getLogger(__name__)

# Without any event the feed is read at this interval: events may be lost.
POLL_S: Final = 2.0
MAX_BEHIND: Final = 500
# What a stream is sent while it catches up; fewer than it may queue.
MAX_RESENT: Final = 90
# Changes that are checked and drawn under one lease.
PAGE: Final = 20
# How long one tick lets streams catch up before it serves the others again.
CATCH_UP_S: Final = 0.25
# Streams end when nobody could be served for so long: their pages say so.
AWAY_S: Final = 10.0
# Drawing goes on for so long between two pauses, in which what is queued is written:
# drawing for hundreds of streams must not outlast the lease of what was drawn first.
PAUSE_AFTER_S: Final = 0.02
FOLLOWING: Final = frozenset({events.PROJECT_FOLLOWED, events.PROJECT_UNFOLLOWED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """The reader who opens a stream, the projects, and the event to begin after.

    ``last_event_ids`` are those of the open pages of a browser: the stream begins
    after the oldest. ``gone`` are named projects that the reader may not read.
    """

    me: Me
    session: str
    locale: Locale
    followed: Iterable[str] = ()
    named: Iterable[str] = ()
    gone: Iterable[str] = ()
    last_event_ids: Iterable[str] = ()


@dataclass(slots=True, kw_only=True)
class LiveUpdates:
    """The streams of this process and their place in the feed.

    ``_cursor`` is the position up to which the feed was read, None without streams;
    ``_newest`` is the newest position that this process knows.
    """

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
    _newest: int | None = None
    _is_woken: bool = False
    _read_at: float = 0.0
    _worked_at: float = 0.0
    _paused_at: float = 0.0

    # ---- streams

    def event_id(self) -> str:
        """Return the id from which a stream misses nothing of a page drawn from now.

        Changes after it may be on the page already: pages take each revision once.
        Without `messages` there is none, and pages look for what they missed.
        """
        try:
            return self.event_ids.encrypt(self._cached_newest())
        except CallFailed:
            return ""

    def open(self, request: StreamRequest) -> EventStream:
        """Open a stream; after an event id of ours it begins with what was missed."""
        stream = EventStream(
            last_frame=OVERFLOW,
            on_close=lambda: self._left(one),
            heartbeat=lambda: self._event(one.position, ALIVE),
        )
        one = Subscriber(
            stream=stream,
            me=request.me,
            session=request.session,
            locale=request.locale,
            followed=set(request.followed),
            named=set(request.named),
        )
        newest = self._cached_newest()
        after = self._oldest(request.last_event_ids)
        one.position = newest if after is None else after
        stream.send(opening(self.event_ids.encrypt(one.position)))
        for project in request.gone:
            one.drop(project)
            one.send(GONE, frame(GONE, {"project": project}))
        if newest - one.position > MAX_BEHIND:
            self._begin_again(one, newest)
        # Nothing yields between here and the comparison with the cursor.
        if self._cursor is None:
            self._cursor = max(newest, one.position)
            self._worked_at = self.monotonic()
        self.subscribers.add(one)
        self.wake()
        return stream

    def _oldest(self, event_ids: Iterable[str]) -> int | None:
        found = map(self.event_ids.decrypt, event_ids)
        return min((one for one in found if one is not None), default=None)

    def _left(self, subscriber: Subscriber) -> None:
        self.subscribers.discard(subscriber)
        if not self.subscribers:
            self._cursor = None

    def _cached_newest(self) -> int:
        if self._newest is None:
            self._keep_newest(self.clients.messages.changes(limit=1).head)
        return self._newest or 0

    def _keep_newest(self, position: int) -> None:
        self._newest = max(position, self._newest or 0)

    def _begin_again(self, one: Subscriber, position: int) -> None:
        """Tell a page to load anew what was missed before a position."""
        one.position, one.resent = position, 0
        one.send(AGAIN, self._event(position, AGAIN))

    def _event(self, position: int, event: str) -> bytes:
        return frame(event, {}, event_id=self.event_ids.encrypt(position))

    # ---- the tick

    def wake(self, position: int = 0) -> None:
        """Read the feed at the next tick; an event names its newest position."""
        self._is_woken = True
        if self._newest is not None:
            self._keep_newest(position)

    def tick(self) -> None:
        """Send what was committed since the last tick."""
        if self._cursor is None:
            return
        at = self.monotonic()
        if not self._is_woken and at - self._read_at < POLL_S:
            return
        self._is_woken, self._read_at = False, at
        self.close_ended_sessions()
        if self._has_worked():
            self._worked_at = at
        elif at - self._worked_at > AWAY_S:
            for one in self.subscribers:
                one.stream.close()

    def _has_worked(self) -> bool:
        """Serve all streams; return False when nobody behind could be served."""
        try:
            while self._read():
                pass
            return self._catch_up()
        except CallFailed as failure:
            log.warning("live updates: %s", failure)
            return False

    def _read(self) -> bool:
        """Serve the next changes to the streams that have all before them."""
        cursor = self._cursor
        if cursor is None:
            return False
        batch = self.clients.messages.changes(after=cursor)
        self._keep_newest(batch.head)
        if self._cursor != cursor or not batch.changes:
            return False
        self._cursor = last = batch.changes[-1].position
        in_step = [one for one in self.subscribers if one.position >= cursor]
        for start in range(0, len(batch.changes), PAGE):
            page = batch.changes[start : start + PAGE]
            # Whom a page did not reach must not get the next one before it.
            since = batch.changes[start - 1].position if start else cursor
            self._deliver([one for one in in_step if one.position >= since], page)
        return last < batch.head

    def _catch_up(self) -> bool:
        """Serve what streams missed, for a while; return False when that is stuck."""
        end = self.monotonic() + CATCH_UP_S
        while behind := self._behind():
            before = [one.position for one in behind]
            page = self.clients.messages.changes(after=min(before), limit=PAGE).changes
            self._resend(behind, page)
            if [one.position for one in behind] == before:
                return False
            self.wake()
            if self.monotonic() >= end:
                break
        return True

    def _behind(self) -> list[Subscriber]:
        cursor = self._cursor or 0
        return [one for one in self.subscribers if one.position < cursor]

    def _resend(self, behind: Sequence[Subscriber], page: Sequence[Change]) -> None:
        sent = {one: one.sent for one in behind}
        self._deliver(behind, page)
        cursor = self._cursor or 0
        for one in behind:
            one.resent += one.sent - sent[one]
            if one.position >= cursor:
                one.resent = 0
            elif one.resent > MAX_RESENT - PAGE:
                self._begin_again(one, cursor)

    # ---- what happens

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

    def _deliver(self, streams: Sequence[Subscriber], page: Sequence[Change]) -> None:
        """Send changes to those who may read them, with one check for all.

        A stream that cannot be served in time stays where it is.
        """
        if not page:
            return
        last = page[-1].position
        # The last change of each message: a frame shows the message as it is now.
        latest = sorted(
            {change.subject: change for change in page}.values(),
            key=lambda change: change.position,
        )
        projects = {change.project for change in latest}
        pending = []
        for one in streams:
            if any(map(one.covers, projects)) and one.position < last:
                pending.append(one)
            else:
                one.advance(last)
        if pending:
            self._check_and_send(pending, latest)

    def _check_and_send(
        self, pending: Sequence[Subscriber], changes: Sequence[Change]
    ) -> None:
        """Send to as many as the leased facts allow."""
        wanted = [
            change.subject
            for change in changes
            if any(one.covers(change.project) for one in pending)
        ]
        people = {one.me.id for one in pending}
        screens = self.eligibility.check(people, wanted)
        in_force = self.sessions.in_force({one.session for one in pending})
        # Encrypted once for all streams: an id says the same to each.
        with_ids = [(one, self.event_ids.encrypt(one.position)) for one in changes]
        for one in pending:
            if one.session not in in_force:
                one.stream.abort()
            elif self._send_changes(one, with_ids, screens):
                one.advance(changes[-1].position)

    def _send_changes(
        self,
        one: Subscriber,
        changes: Sequence[tuple[Change, str]],
        screens: Screens,
    ) -> bool:
        """Draw and send the changes of one stream; False when the lease is over."""
        for change, event_id in changes:
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
            encoded = frame(MESSAGE, data, event_id=event_id)
            one.send(MESSAGE, encoded, deadline=screens.deadline)
            one.advance(change.position)
            self._pause_now_and_then()
        return True

    def _pause_now_and_then(self) -> None:
        if self.monotonic() - self._paused_at >= PAUSE_AFTER_S:
            self.pause()
            self._paused_at = self.monotonic()
