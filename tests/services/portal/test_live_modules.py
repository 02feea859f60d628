"""The pieces of live updates: event ids, frames, subscribers, leased access checks."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from clp_chassis.clock import now
from clp_chassis.http import EventStream
from clp_chassis.persistence.database import Database, migrate
from clp_contracts import events
from clp_contracts.messages import Author, MentionMark, Message
from clp_contracts.projects import Me
from clp_portal.auth.encryption import Encryption
from clp_portal.auth.sessions import SessionPolicy, Sessions
from clp_portal.live.consumer import TICK_S, TickTimer
from clp_portal.live.eligibility import LEASE_S, SEND_MARGIN_S, Eligibility, Screens
from clp_portal.live.event_ids import EventIds
from clp_portal.live.frames import OVERFLOW, frame, opening
from clp_portal.live.message_frames import MessageFrames
from clp_portal.live.subscribers import Subscriber, Subscribers
from clp_portal.live.updates import LiveUpdates, StreamRequest
from clp_portal.rendering import Renderer
from clp_portal.translation import Locale
from clp_suite import EmbeddedSuite
from tests.services.portal.conftest import BROADCAST, NORTH, PROJECT
from tests.support.waiting import until

IDS = EventIds(Encryption("secret"), ttl_s=60)


def me(person: str = "nat", partner: str | None = "north") -> Me:
    return Me(
        id=person,
        name=person,
        side="external" if partner else "internal",
        partner=partner,
        partner_name=partner,
        access=True,
    )


def subscriber(person: str = "nat", *, named: tuple[str, ...] = ()) -> Subscriber:
    return Subscriber(
        stream=EventStream(),
        me=me(person),
        session=person,
        locale=Locale(),
        followed={"p1"},
        named=set(named),
    )


@pytest.mark.parametrize("position", [0, 7, 2**53])
def test_an_event_id_comes_back_as_its_position(position: int) -> None:
    assert IDS.decrypt(IDS.encrypt(position)) == position
    assert len(IDS.encrypt(position)) == len(IDS.encrypt(0))


@pytest.mark.parametrize(
    "event_id",
    [
        "",
        "7",
        "x" * 300,
        EventIds(Encryption("another"), ttl_s=60).encrypt(7),
        Encryption("secret").encrypt("notice", {"p": "7"}),
    ],
)
def test_an_id_that_is_not_ours_has_no_position(event_id: str) -> None:
    assert IDS.decrypt(event_id) is None


def test_frames_are_server_sent_events() -> None:
    assert frame("message", {"html": "a\nb"}, event_id="x") == (
        b'id: x\nevent: message\ndata: {"html":"a\\nb"}\n\n'
    )
    assert opening("x") == b"retry: 2000\nid: x\n\n"
    assert OVERFLOW == b"event: again\ndata: {}\n\n"


def test_a_stream_covers_followed_and_named_projects_until_they_are_dropped() -> None:
    one = subscriber(named=("p2",))
    assert [one.covers(project) for project in ("p1", "p2", "p3")] == [
        True,
        True,
        False,
    ]
    one.drop("p1")
    one.drop("p2")
    assert not one.covers("p1")
    assert not one.covers("p2")


def test_a_closed_stream_is_not_kept() -> None:
    subscribers = Subscribers()
    nat, nia = subscriber("nat"), subscriber("nia")
    nia.stream.close()
    subscribers.add(nat)
    subscribers.add(nia)
    assert list(subscribers) == [nat]
    subscribers.close_where(lambda one: one.me.id == "nat")
    assert nat.stream.is_closed


def test_what_was_judged_is_sent_within_the_lease_only() -> None:
    times = iter([10.0, 10.0 + LEASE_S - SEND_MARGIN_S])
    screens = Screens(
        messages={}, by_person={}, deadline=10.0 + LEASE_S - SEND_MARGIN_S
    )
    eligibility = Eligibility(None, lambda: next(times))  # type: ignore[arg-type]
    assert eligibility.is_in_time(screens)
    assert not eligibility.is_in_time(screens)


class Waits(TickTimer):
    """A timer that keeps how long it would wait."""

    def __init__(self, at: float) -> None:
        super().__init__(TICK_S, monotonic=lambda: at)
        self.waited: list[float] = []

    @override
    def _wait_for_wakeup(self, seconds: float) -> None:
        self.waited.append(seconds)


@pytest.mark.parametrize("at", [10.0, 10.013, 10.049])
def test_a_tick_is_at_a_multiple_of_the_clock_whenever_its_wait_began(
    at: float,
) -> None:
    timer = Waits(at)
    for _ in range(3):
        timer.wait()
    # The first tick is at once.
    assert len(timer.waited) == 2
    for waited in timer.waited:
        assert 0 < waited <= TICK_S
        assert (at + waited) / TICK_S == pytest.approx(round((at + waited) / TICK_S))


def test_readers_to_whom_a_message_is_equal_share_its_drawing() -> None:
    """Its author, who was meant by it and who reads in another language have theirs."""
    frames = MessageFrames(Renderer(str), lambda _: pytest.fail("nobody is asked"))
    nat, nia, sam = subscriber("nat"), subscriber("nia"), subscriber("sam")
    sam.locale = Locale("fr")
    message = Message(
        id="1",
        channel=BROADCAST,
        number=1,
        revision=1,
        author=Author(id="nat", name="Nat", side="external"),
        text="@nia hello",
        posted_at=now(),
        edited_at=None,
        deleted=False,
        attachments=(),
    )
    meant = replace(
        message, mentions=(MentionMark(start=0, end=4, person="nia", me=True),)
    )
    drawings = [
        frames.drawn(message, nat),
        frames.drawn(message, nia),
        frames.drawn(meant, nia),
        frames.drawn(message, sam),
    ]
    assert len({str(one["html"]) for one in drawings}) == len(drawings)
    assert frames.drawn(message, subscriber("ned")) is drawings[1]


Make = Callable[..., LiveUpdates]


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    url = f"sqlite:///{tmp_path}/live.db"
    migrate(url, "clp_portal")
    database = Database(url)
    yield Sessions(database, now, SessionPolicy())
    database.close()


@pytest.fixture
def make(suite: EmbeddedSuite, sessions: Sessions) -> Make:
    """Live updates beside those of the suite's portal, with a clock of their own."""

    def made(monotonic: Callable[[], float] = lambda: 1e6) -> LiveUpdates:
        clients = suite.client(service="portal")
        return LiveUpdates(
            clients=clients,
            sessions=sessions,
            event_ids=IDS,
            message_frames=MessageFrames(Renderer(str), suite.client),
            eligibility=Eligibility(clients, monotonic),
        )

    return made


def opened(live: LiveUpdates, person: str, partner: str | None) -> EventStream:
    """Open a stream with a session of its own."""
    session = live.sessions.find(live.sessions.create(person))
    assert session is not None
    return live.open(
        StreamRequest(
            me=me(person, partner),
            session=session.key,
            locale=Locale(),
            followed=[PROJECT],
        )
    )


def post(suite: EmbeddedSuite, channel: str, *texts: str) -> None:
    for text in texts:
        suite.client("ivy").messages.post(channel=channel, text=text, key=text)


def _is_read(live: LiveUpdates, suite: EmbeddedSuite) -> bool:
    live.wake()
    live.tick()
    return suite.client(service="operations").messages.progress().pending == 0


def frames_of(stream: EventStream) -> list[str]:
    """End a stream and return its frames."""
    stream.close()
    return [one.decode() for one in stream]


def test_a_late_answer_is_never_sent(suite: EmbeddedSuite, make: Make) -> None:
    seconds = itertools.count(0.0, 1.0)
    live = make(lambda: next(seconds))
    live.monotonic = lambda: next(seconds)
    stream = opened(live, "nat", "north")
    post(suite, NORTH, "judged too late")
    until(lambda: _is_read(live, suite) and stream.is_closed)
    assert [one.partition(":")[0] for one in frames_of(stream)] == ["retry"]


def test_a_reader_that_takes_nothing_is_told_to_begin_again(
    suite: EmbeddedSuite, make: Make
) -> None:
    live = make()
    stream = opened(live, "nat", "north")
    post(suite, NORTH, *(f"untaken {number}" for number in range(101)))
    until(lambda: _is_read(live, suite) and stream.is_closed)
    assert frames_of(stream) == [OVERFLOW.decode()]
    assert not len(live.subscribers)


def test_a_withdrawn_partner_gets_that_and_no_more(
    suite: EmbeddedSuite, make: Make
) -> None:
    live = make()
    nat, sam = opened(live, "nat", "north"), opened(live, "sam", "south")
    withdrawn = {"type": events.PARTNER_WITHDRAWN, "subject": "north"}
    live.project_changed({**withdrawn, "project": PROJECT})
    post(suite, BROADCAST, "after the withdrawal")
    until(lambda: _is_read(live, suite) and len(sam._frames) > 1)
    assert [one.partition("\n")[0] for one in frames_of(nat)][1:] == ["event: gone"]
    assert "after the withdrawal" in frames_of(sam)[1]


def test_what_waits_for_a_withdrawn_partner_is_never_sent(
    suite: EmbeddedSuite, make: Make
) -> None:
    live = make()
    nat = opened(live, "nat", "north")
    post(suite, BROADCAST, "waits to be sent")
    until(lambda: _is_read(live, suite) and len(nat._frames) > 1)
    withdrawn = {"type": events.PARTNER_WITHDRAWN, "subject": "north"}
    live.project_changed({**withdrawn, "project": PROJECT})
    assert frames_of(nat) == [frame("gone", {"project": PROJECT}).decode()]


@pytest.mark.parametrize("change", [events.PERSON_CHANGED, events.PARTNER_ASSIGNED])
def test_a_change_of_rights_ends_streams_to_be_asked_anew(
    make: Make, change: str
) -> None:
    live = make()
    nat, sam = opened(live, "nat", "north"), opened(live, "sam", "south")
    subject = "nat" if change == events.PERSON_CHANGED else "north"
    live.project_changed({"type": change, "subject": subject, "project": PROJECT})
    assert nat.is_closed
    assert not sam.is_closed


def test_following_begins_and_ends_within_a_stream(make: Make) -> None:
    live = make()
    opened(live, "nat", "north")
    (one,) = live.subscribers
    for kind, covers in (
        (events.PROJECT_FOLLOWED, True),
        (events.PROJECT_UNFOLLOWED, False),
    ):
        live.project_changed({"type": kind, "subject": "nat", "project": "p2"})
        assert one.covers("p2") is covers


def test_an_ended_session_ends_its_streams_at_the_next_tick(make: Make) -> None:
    live = make()
    nat, sam = opened(live, "nat", "north"), opened(live, "sam", "south")
    live.sessions.end_all("nat")
    live.wake()
    live.tick()
    assert nat.is_closed
    assert not sam.is_closed
