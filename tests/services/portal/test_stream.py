"""Live updates over HTTP: frames of readable messages only, resumed exactly."""

import contextlib
import fcntl
import json
import socket
import termios
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import eventlet
import pytest

from clp_chassis.http import HttpLimits
from clp_portal.live.frames import ALIVE, MESSAGE
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import CAST, put_cast
from tests.chassis.raw_http import Wire
from tests.services.portal.browser import Browser
from tests.services.portal.conftest import BROADCAST, NORTH, PROJECT, SOUTH
from tests.support.waiting import until

MAX_STREAMS = HttpLimits().max_streams_per_person
STREAM = f"/-/stream?project={PROJECT}"
MY_PROJECTS = "projects.my_projects"
Open = Callable[..., Browser]


def values_of(chunk: bytes) -> dict[str, str]:
    lines = chunk.decode().strip().split("\n")
    return dict(line.split(": ", 1) for line in lines if ": " in line)


class Stream:
    """A client of the event stream that resumes it as browsers do."""

    def __init__(
        self, browser: Browser, last_event_id: str = "", *, query: str = ""
    ) -> None:
        self._browser = browser
        self._query = query
        self.id = ""
        self._connect(last_event_id)

    def _connect(self, last_event_id: str) -> None:
        host, _, port = self._browser.url.removeprefix("http://").partition(":")
        self.wire = Wire((host, int(port)))
        cookies = "; ".join(f"{k}={v}" for k, v in self._browser.cookies.items())
        first = f"GET {STREAM}{self._query} HTTP/1.1"
        lines = [first, f"Host: {host}:{port}", f"Cookie: {cookies}"]
        if last_event_id:
            lines.append(f"Last-Event-ID: {last_event_id}")
        self.wire.send("\r\n".join([*lines, "", ""]).encode())
        self.status = self.wire.read_head()["status"]
        if self.status != "200":
            return
        self.opening = self.wire.read_chunk().decode()
        self.id = self.opening.partition("id: ")[2].strip()

    def read(self) -> bytes:
        """Read the bytes of the next event that is no heartbeat.

        A process that is late ends streams rather than send under an old lease.
        """
        with eventlet.Timeout(20):
            while True:
                chunk = self.wire.read_chunk()
                if not chunk:
                    self.wire.reset()
                    self._connect(self.id)
                    assert self.status == "200"
                    continue
                self.id = values_of(chunk).get("id", self.id)
                if values_of(chunk).get("event", ALIVE) != ALIVE:
                    return chunk

    def next(self) -> tuple[str, dict[str, Any]]:
        values = values_of(self.read())
        return values["event"], json.loads(values["data"])

    def texts(self, number: int) -> list[str]:
        """Read so many messages and return the texts drawn in them."""
        found: list[str] = []
        while len(found) < number:
            event, data = self.next()
            # A stream that is resumed tells once more of projects that are gone.
            if event == MESSAGE:
                text = data["html"].partition('dir="auto">')[2]
                found.append(text.partition("<")[0])
        return found

    def is_over(self) -> bool:
        with eventlet.Timeout(10):
            return self.wire.read_chunk() == b""

    def close(self) -> None:
        if self.wire.socket.fileno() >= 0:
            self.wire.reset()


Listen = Callable[..., Stream]


@pytest.fixture
def listen(browser: Open) -> Iterator[Listen]:
    """Open the stream of a signed-in person."""
    streams: list[Stream] = []

    def opened(
        person: str | Browser, last_event_id: str = "", *, query: str = ""
    ) -> Stream:
        one = browser(person) if isinstance(person, str) else person
        streams.append(Stream(one, last_event_id, query=query))
        assert streams[-1].status == "200"
        return streams[-1]

    yield opened
    for stream in streams:
        stream.close()


def post(suite: EmbeddedSuite, person: str, channel: str, text: str) -> str:
    return (
        suite.client(person)
        .messages.post(
            channel=channel, text=text, key=f"{person} {channel} {text}"[:100]
        )
        .id
    )


def test_without_a_session_there_is_a_problem(browser: Open) -> None:
    response = browser().send("GET", STREAM)
    assert response.status == 401
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_stream_costs_one_call_and_none_when_it_is_resumed_at_once(
    suite: EmbeddedSuite,
    browser: Open,
    listen: Listen,
    calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clp_portal.auth.identities.TTL_S", 600.0)
    nia = browser("nia")
    first = listen(nia)
    assert [call for call in calls if "projects." in call] == [MY_PROJECTS]

    def asked_when_resumed() -> list[str]:
        calls.clear()
        listen(nia, first.id).close()
        return list(calls)

    # What was put before this test may become known to the portal now.
    until(lambda: asked_when_resumed() == [], 20)
    # What she follows has changed: a resumed stream knows it.
    suite.client("nia").projects.unfollow(project=PROJECT)
    until(lambda: MY_PROJECTS in asked_when_resumed(), 20)
    suite.client("nia").projects.follow(project=PROJECT)
    suite.settle()


def test_each_reader_gets_the_frames_of_readable_messages_only(
    suite: EmbeddedSuite, listen: Listen
) -> None:
    nat, sam, ivy = listen("nat"), listen("sam"), listen("ivy")
    post(suite, "ivy", NORTH, "for North")
    post(suite, "ivy", SOUTH, "for South")
    post(suite, "ivy", BROADCAST, "for all")
    assert nat.texts(2) == ["for North", "for all"]
    assert sam.texts(2) == ["for South", "for all"]
    assert ivy.texts(3) == ["for North", "for South", "for all"]


def test_a_frame_holds_what_the_page_needs(
    suite: EmbeddedSuite, listen: Listen
) -> None:
    nat, ivy = listen("nat"), listen("ivy")
    post(suite, "nat", NORTH, "@Ivy Lane <b>")
    event, data = ivy.next()
    assert event == "message"
    assert {"channel": NORTH, "author": "nat", "revision": 1}.items() <= data.items()
    assert '<mark class="mention me">@Ivy Lane</mark> &lt;b&gt;' in data["html"]
    assert "data-edit" not in data["html"]
    assert '<span class="side">North Dubbing</span>' in data["html"]
    assert "data-edit" in nat.next()[1]["html"]


def test_event_ids_are_opaque_and_of_one_length(
    suite: EmbeddedSuite, listen: Listen
) -> None:
    nat = listen("nat")
    ids = [nat.id]
    for number in range(3):
        post(suite, "ivy", NORTH, f"length {number}")
        nat.next()
        ids.append(nat.id)
    assert {len(one) for one in ids} == {120}
    assert len(set(ids)) == len(ids)


def test_a_reconnect_brings_exactly_what_was_missed(
    suite: EmbeddedSuite, listen: Listen
) -> None:
    nat = listen("nat")
    first = post(suite, "ivy", NORTH, "one")
    assert nat.texts(1) == ["one"]
    nat.close()
    post(suite, "ivy", SOUTH, "not for Nat")
    post(suite, "ivy", NORTH, "two")
    suite.client("ivy").messages.edit(message=first, text="one, edited")
    again = listen("nat", nat.id)
    assert again.texts(2) == ["two", "one, edited"]
    suite.client("ivy").messages.delete(message=first)
    event, data = again.next()
    assert (event, data["deleted"]) == ("message", True)
    assert "This message was deleted." in data["html"]


def event_id_of(page: str) -> str:
    return page.partition('data-event-id="')[2].partition('"')[0]


def test_a_change_between_a_page_and_its_stream_is_shown(
    suite: EmbeddedSuite, listen: Listen, browser: Open
) -> None:
    message = post(suite, "ivy", NORTH, "as it was drawn")
    nat, nia = browser("nat"), listen("nia")
    drawn = event_id_of(nat.get(f"/{NORTH}").text)
    suite.client("ivy").messages.edit(message=message, text="as it is")
    post(suite, "ivy", NORTH, "written since")
    nia.texts(2)
    assert listen(nat, query=f"&after={drawn}").texts(2) == [
        "as it is",
        "written since",
    ]


def test_the_page_that_was_drawn_first_decides_where_a_stream_begins(
    suite: EmbeddedSuite, listen: Listen, browser: Open
) -> None:
    nat, nia = browser("nat"), listen("nia")
    first = event_id_of(nat.get("/").text)
    post(suite, "ivy", NORTH, "between the tabs")
    assert nia.texts(1) == ["between the tabs"]
    second = event_id_of(nat.get("/").text)
    stream = listen(nat, query=f"&after={second}&after={first}")
    assert stream.texts(1) == ["between the tabs"]


def test_an_access_that_ended_while_no_stream_was_open_is_told_at_once(
    suite: EmbeddedSuite, listen: Listen
) -> None:
    """A hidden project and a missing one alike."""
    suite.client(service="directory").projects.put_project(id="p7", title="Secret")
    nat = listen("nat", query="&project=p7&project=p777")
    told: set[str] = set()
    while len(told) < 2:
        event, data = nat.next()
        assert event == "gone"
        told.add(data["project"])
    assert told == {"p7", "p777"}
    post(suite, "ivy", NORTH, "what is left")
    assert nat.texts(1) == ["what is left"]


def test_a_change_of_a_person_ends_their_streams_to_be_asked_anew(
    suite: EmbeddedSuite, listen: Listen
) -> None:
    nat, nia = listen("nat"), listen("nia")
    cast = next(one for one in CAST if one.id == "nat")
    directory = suite.client(service="directory")
    put_cast(directory, [replace(cast, name="Nathan Moreau")])
    assert nat.is_over()
    post(suite, "ivy", NORTH, "after the change")
    assert nia.texts(1) == ["after the change"]
    assert listen("nat", nat.id).texts(1) == ["after the change"]
    put_cast(directory, [cast])


def test_whoever_turns_pages_has_a_seat(listen: Listen, browser: Open) -> None:
    """Each page opens a stream; the one before is gone without a word."""
    nat = browser("nat")
    for _ in range(MAX_STREAMS + 5):
        listen(nat).close()


def test_a_person_has_so_many_streams_and_others_have_theirs(
    listen: Listen, browser: Open
) -> None:
    nat = browser("nat")
    streams: list[Stream] = []

    def is_refused() -> bool:
        streams.append(Stream(nat))
        return streams[-1].status == "503"

    # More than their number where some ended, as those of a process that is late.
    until(is_refused, 60)
    assert len(streams) > MAX_STREAMS
    listen("nia")
    for stream in streams:
        stream.close()
    until(lambda: not is_refused())
    for stream in streams:
        stream.close()


def test_a_forged_id_is_an_empty_start(suite: EmbeddedSuite, listen: Listen) -> None:
    nia = listen("nia")
    post(suite, "ivy", NORTH, "before")
    assert nia.texts(1) == ["before"]
    nat = listen("nat", "gAAAAforged")
    post(suite, "ivy", NORTH, "after")
    assert nat.texts(1) == ["after"]


def test_more_than_a_stream_holds_is_begun_anew(
    suite: EmbeddedSuite, listen: Listen
) -> None:
    nat = listen("nat")
    nat.close()
    for number in range(110):
        post(suite, "ivy", NORTH, f"many {number}")
    again = listen("nat", nat.id)
    read = [again.next()[0]]
    while read[-1] == "message":
        read.append(again.next()[0])
    assert read[-1] == "again"
    assert len(read) < 110
    post(suite, "ivy", NORTH, "after many")
    # The portal may not have known of the last ones yet: those come as usual.
    known_later = again.texts(1)
    while known_later[-1] != "after many":
        known_later += again.texts(1)
    first = 110 - len(known_later) + 1
    assert known_later[:-1] == [f"many {number}" for number in range(first, 110)]


def test_an_ended_session_ends_its_streams(
    suite: EmbeddedSuite, listen: Listen, browser: Open
) -> None:
    window = browser("nat")
    nat, nia = listen(window), listen("nia")
    window.submit("/-/sign-out", [])
    assert nat.is_over()
    post(suite, "ivy", NORTH, "after the session")
    assert nia.texts(1) == ["after the session"]


def test_after_a_withdrawal_there_is_one_last_event(
    suite: EmbeddedSuite, listen: Listen, browser: Open
) -> None:
    directory = suite.client(service="directory")
    window = browser("sam")
    sam, ivy = listen(window), listen("ivy")
    directory.projects.withdraw_partner(project=PROJECT, partner="south")
    for number in range(5):
        post(suite, "ivy", BROADCAST, f"withdrawn {number}")
    assert sam.next() == ("gone", {"project": PROJECT})
    assert len(ivy.texts(5)) == 5
    directory.projects.assign_partner(
        project=PROJECT, partner="south", languages=["es"]
    )
    # Reading on would wait for more: the assignment ended the stream, nothing before it.
    assert sam.is_over()


def arrived(sock: socket.socket) -> int:
    """Bytes that the client's kernel has received and nobody has read."""
    return int.from_bytes(fcntl.ioctl(sock, termios.FIONREAD, bytes(4)), "little")


def rest_of(sock: socket.socket) -> bytes:
    """Read what still arrives in 30 seconds, up to the end or a reset."""
    received = bytearray()
    with contextlib.suppress(ConnectionError), eventlet.Timeout(30, exception=False):
        while data := sock.recv(65536):
            received += data
    return bytes(received)


def test_no_byte_of_a_message_leaves_after_a_confirmed_withdrawal(
    suite: EmbeddedSuite, listen: Listen
) -> None:
    """Not even what waits for a client that reads slowly."""
    directory = suite.client(service="directory")
    sam, nia = listen("sam"), listen("nia")
    sock = sam.wire.socket
    post(suite, "ivy", BROADCAST, "quick")
    assert sam.texts(1) == nia.texts(1) == ["quick"]
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    # She reads all the time: what waits for too long ends a stream.
    reading = eventlet.spawn(nia.texts, 20)
    for number in range(20):
        post(suite, "ivy", BROADCAST, f"slow {number} {'x' * 9000}")
    assert len(reading.wait()) == 20
    assert arrived(sock) < 20 * 9000
    directory.projects.withdraw_partner(project=PROJECT, partner="south")
    before = arrived(sock)
    assert b"xx" not in rest_of(sock)[before:]
    directory.projects.assign_partner(
        project=PROJECT, partner="south", languages=["es"]
    )
