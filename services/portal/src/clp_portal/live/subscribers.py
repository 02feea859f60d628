"""The open streams of this process, and what each of them covers."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clp_chassis.http import EventStream
from clp_contracts.projects import Me
from clp_portal.metrics import FRAMES
from clp_portal.translation import Locale


@dataclass(slots=True, kw_only=True, eq=False)
class Subscriber:
    """An open stream: its reader, session and projects.

    ``named`` are the projects that an open page shows; the others are followed.
    ``position`` is the last position of the feed that the stream has dealt with,
    ``sent`` the number of its frames, ``resent`` of those since it was last in step
    with the others.
    """

    stream: EventStream
    me: Me
    session: str
    locale: Locale
    followed: set[str]
    named: set[str]
    position: int = 0
    sent: int = 0
    resent: int = 0

    def covers(self, project: str) -> bool:
        """Whether changes of a project belong to this stream."""
        return project in self.followed or project in self.named

    def send(self, event: str, frame: bytes, *, deadline: float = math.inf) -> None:
        """Send a frame unless it is still unsent at its deadline."""
        if self.stream.send(frame, deadline=deadline):
            self.sent += 1
            FRAMES.labels(event).inc()

    def advance(self, position: int) -> None:
        """Have dealt with the feed up to a position."""
        self.position = max(self.position, position)

    def interrupt(self, event: str, frame: bytes) -> None:
        """Send a frame before what is queued, which is never sent."""
        self.stream.interrupt(frame)
        FRAMES.labels(event).inc()

    def drop(self, project: str) -> None:
        """Leave out a project."""
        self.followed.discard(project)
        self.named.discard(project)


class Subscribers:
    """The subscribers of this process."""

    def __init__(self) -> None:
        self._all: set[Subscriber] = set()

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(tuple(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, subscriber: Subscriber) -> None:
        """Keep a subscriber until its stream ends."""
        if not subscriber.stream.is_closed:
            self._all.add(subscriber)

    def discard(self, subscriber: Subscriber) -> None:
        """Forget a subscriber."""
        self._all.discard(subscriber)

    def of_person(self, person: str) -> Iterator[Subscriber]:
        """Return the streams of a person."""
        return (one for one in self if one.me.id == person)

    def of_partner(self, partner: str) -> Iterator[Subscriber]:
        """Return the streams of the people of a partner."""
        return (one for one in self if one.me.partner == partner)

    def close_where(self, is_over: Callable[[Subscriber], bool]) -> None:
        """End streams, what is queued included; browsers reconnect and are checked."""
        for subscriber in self:
            if is_over(subscriber):
                subscriber.stream.abort()
