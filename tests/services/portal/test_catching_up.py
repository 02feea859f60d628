"""Streams that are behind: each change once, under an access check of its time."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import eventlet
import pytest
from typing_extensions import override

from clp_chassis.clock import now
from clp_chassis.http import EventStream
from clp_chassis.persistence.database import Database, migrate
from clp_contracts.errors import CallFailed
from clp_contracts.projects import Me
from clp_portal.auth.encryption import Encryption
from clp_portal.auth.sessions import SessionPolicy, Sessions
from clp_portal.live.eligibility import Eligibility, Screens
from clp_portal.live.event_ids import EventIds
from clp_portal.live.message_frames import MessageFrames
from clp_portal.live.updates import AWAY_S, POLL_S, LiveUpdates, StreamRequest
from clp_portal.rendering import Renderer
from clp_portal.translation import Locale
from clp_suite import EmbeddedSuite
from tests.services.portal.conftest import NORTH, PROJECT
from tests.support.waiting import until

IDS = EventIds(Encryption("secret"), ttl_s=60)


class Clock:
    """A clock that moves when something is done."""

    def __init__(self) -> None:
        self.at = 1e6

    def monotonic(self) -> float:
        return self.at


class SlowChecks(Eligibility):
    """Access checks that take their time, and fail when told to.

    Streams write while an answer is waited for.
    """

    clock: Clock
    write: Callable[[], None] = staticmethod(lambda: None)
    check_s = 0.0
    is_away = False

    @override
    def check(self, people: object, message_ids: object) -> Screens:
        if self.is_away:
            raise CallFailed("messages does not answer")
        self.write()
        screens = super().check(people, message_ids)  # type: ignore[arg-type]
        self.clock.at += self.check_s
        return screens


class SlowDrawing(MessageFrames):
    """Frames that take their time."""

    clock: Clock
    draw_s = 0.0

    @override
    def drawn(self, message: object, reader: object) -> Mapping[str, object]:
        self.clock.at += self.draw_s
        return super().drawn(message, reader)  # type: ignore[arg-type]


class Reader:
    """A client that takes what is queued, as the web server does."""

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.frames: list[str] = []
        eventlet.spawn(self._take)

    def _take(self) -> None:
        for one in self.stream:
            self.frames.append(one.decode())

    def read(self) -> None:
        """Let it take what is queued."""
        until(lambda: not self.stream._frames)

    @property
    def events(self) -> list[str]:
        found = (one.partition("event: ")[2].partition("\n")[0] for one in self.frames)
        return [one for one in found if one]

    @property
    def numbers(self) -> list[int]:
        lines = [one.partition("\ndata: ")[2] for one in self.frames]
        return [json.loads(one)["number"] for one in lines if '"number"' in one]

    @property
    def last_id(self) -> str:
        return [one.partition("id: ")[2][:120] for one in self.frames][-1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """One clock for the updates, their leases, and the deadlines of frames."""
    clock = Clock()
    time = SimpleNamespace(monotonic=clock.monotonic)
    monkeypatch.setattr("clp_chassis.http.event_stream.time", time)
    return clock


@pytest.fixture
def live(suite: EmbeddedSuite, clock: Clock, tmp_path: Path) -> Iterator[LiveUpdates]:
    """Live updates beside those of the suite's portal."""
    url = f"sqlite:///{tmp_path}/live.db"
    migrate(url, "clp_portal")
    database = Database(url)
    clients = suite.client(service="portal")
    eligibility = SlowChecks(clients, clock.monotonic)
    frames = SlowDrawing(Renderer(str), suite.client)
    eligibility.clock = frames.clock = clock
    yield LiveUpdates(
        clients=clients,
        sessions=Sessions(database, now, SessionPolicy()),
        event_ids=IDS,
        message_frames=frames,
        eligibility=eligibility,
        monotonic=clock.monotonic,
    )
    database.close()


Open = Callable[..., Reader]


@pytest.fixture
def read(live: LiveUpdates) -> Open:
    """Open a stream with a session of its own."""

    def opened(person: str = "nat", *event_ids: str) -> Reader:
        session = live.sessions.find(live.sessions.create(person))
        assert session is not None
        me = Me(
            id=person,
            name=person,
            side="external",
            partner="north",
            partner_name="North Dubbing",
            access=True,
        )
        request = StreamRequest(
            me=me,
            session=session.key,
            locale=Locale(),
            followed=[PROJECT],
            last_event_ids=event_ids,
        )
        return Reader(live.open(request))

    return opened


def checks(live: LiveUpdates) -> SlowChecks:
    assert isinstance(live.eligibility, SlowChecks)
    return live.eligibility


def drawing(live: LiveUpdates) -> SlowDrawing:
    assert isinstance(live.message_frames, SlowDrawing)
    return live.message_frames


def post(suite: EmbeddedSuite, *texts: str) -> None:
    """Post as Ivy, and wait until the feed has it."""
    for text in texts:
        suite.client("ivy").messages.post(channel=NORTH, text=text, key=text)
    operator = suite.client(service="operations").messages
    until(lambda: operator.progress().pending == 0)


def tick(live: LiveUpdates, *readers: Reader) -> None:
    """Let one tick pass, in which everybody reads."""

    def write() -> None:
        for one in readers:
            one.read()

    live.pause = checks(live).write = write
    live.wake()
    live.tick()
    write()


def event_id_of(live: LiveUpdates) -> str:
    """An event id of now, as pages have it."""
    return live.event_ids.encrypt(live.clients.messages.changes(limit=1).head)


def test_a_long_replay_under_slow_checks_ends_with_everything_once(
    suite: EmbeddedSuite, live: LiveUpdates, read: Open
) -> None:
    """Frames of the first pages must not wait until the last page is checked."""
    before = event_id_of(live)
    post(suite, *(f"missed {number}" for number in range(80)))
    checks(live).check_s = 0.3
    nat = read("nat", before)
    for _ in range(20):
        tick(live, nat)
    assert not nat.stream.is_closed
    assert nat.events == ["message"] * 80
    assert nat.numbers == sorted(set(nat.numbers))


@pytest.mark.parametrize(
    ("people", "posts"), [(("nat", "nia", "nat"), 5), (("nat",), 25)]
)
def test_who_was_not_served_in_time_is_served_by_the_next_check(
    suite: EmbeddedSuite,
    live: LiveUpdates,
    read: Open,
    people: tuple[str, ...],
    posts: int,
) -> None:
    """Also when there were more changes than are checked at once."""
    readers = [read(person) for person in people]
    drawing(live).draw_s = 0.15
    post(suite, *(f"{posts} slowly {number}" for number in range(posts)))
    for _ in range(20):
        tick(live, *readers)
    for one in readers:
        assert not one.stream.is_closed
        assert len(one.numbers) == posts
        assert one.numbers == sorted(set(one.numbers))


def test_what_happens_while_nobody_answers_comes_afterwards(
    suite: EmbeddedSuite, live: LiveUpdates, read: Open
) -> None:
    nat = read()
    checks(live).is_away = True
    post(suite, "said meanwhile")
    tick(live, nat)
    assert nat.numbers == []
    checks(live).is_away = False
    tick(live, nat)
    tick(live, nat)
    assert len(nat.numbers) == 1
    assert not nat.stream.is_closed


def test_a_lost_event_makes_a_frame_late_and_not_lost(
    suite: EmbeddedSuite, live: LiveUpdates, clock: Clock, read: Open
) -> None:
    nat = read()
    tick(live, nat)
    post(suite, "without an event")
    for at, numbers in ((clock.at + POLL_S - 0.01, 0), (clock.at + POLL_S, 1)):
        clock.at = at
        live.tick()
        nat.read()
        assert len(nat.numbers) == numbers


def test_a_stream_that_nobody_can_serve_ends_and_resumes_where_it_was(
    suite: EmbeddedSuite, live: LiveUpdates, clock: Clock, read: Open
) -> None:
    nat = read()
    nat.read()
    checks(live).is_away = True
    post(suite, "said while away")
    tick(live, nat)
    clock.at += AWAY_S + 1
    tick(live, nat)
    assert nat.stream.is_closed
    checks(live).is_away = False
    resumed = read("nat", nat.last_id)
    tick(live, resumed)
    assert len(resumed.numbers) == 1


def test_a_stream_begins_after_the_oldest_of_several_ids(
    suite: EmbeddedSuite, live: LiveUpdates, read: Open
) -> None:
    first = event_id_of(live)
    post(suite, "between two tabs")
    second = event_id_of(live)
    post(suite, "after both tabs")
    both, one = read("nat", second, first), read("nat", second)
    tick(live, both, one)
    assert len(both.numbers) == 2
    assert both.numbers[1:] == one.numbers


def test_a_heartbeat_says_from_where_to_resume(
    suite: EmbeddedSuite, live: LiveUpdates, read: Open
) -> None:
    """However long a stream was silent, it is not behind for that."""
    nia = read("nia")
    project = suite.client(service="directory").projects
    project.put_project(id="p8", title="Elsewhere")
    project.assign_partner(project="p8", partner="south", languages=["es"])
    for number in range(3):
        suite.client("ivy").messages.post(
            channel="p8/direct/south", text=f"elsewhere {number}", key=f"p8 {number}"
        )
    operator = suite.client(service="operations").messages
    until(lambda: operator.progress().pending == 0)
    tick(live, nia)
    heartbeat = nia.stream._heartbeat().decode()
    assert heartbeat.startswith("id: ")
    assert "event: alive\n" in heartbeat
    head = live.clients.messages.changes(limit=1).head
    assert IDS.decrypt(heartbeat.partition("id: ")[2][:120]) == head


def test_many_changes_behind_a_stream_begins_anew_at_once(
    suite: EmbeddedSuite,
    live: LiveUpdates,
    read: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clp_portal.live.updates.MAX_BEHIND", 3)
    before = event_id_of(live)
    post(suite, *(f"far behind {number}" for number in range(4)))
    nat = read("nat", before)
    tick(live, nat)
    assert nat.events == ["again"]


def test_many_frames_behind_a_stream_begins_anew(
    suite: EmbeddedSuite, live: LiveUpdates, read: Open
) -> None:
    before = event_id_of(live)
    post(suite, *(f"many {number}" for number in range(120)))
    nat = read("nat", before)
    for _ in range(20):
        tick(live, nat)
    assert nat.events[-1] == "again"
    assert nat.events.count("again") == 1
    post(suite, "after the new beginning")
    tick(live, nat)
    assert nat.events[-1] == "message"
