"""Event streams: frames at once, heartbeats, seats of their own, a clean stop."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import eventlet
import pytest

from clp_chassis.http import EventStream, HttpLimits, HttpServer
from clp_chassis.http.event_stream import HEARTBEAT
from tests.chassis.http_service import FilesService, Served, served_in
from tests.chassis.raw_http import Wire
from tests.support.waiting import until

LIMITS = HttpLimits(max_streams=4, max_streams_per_person=3, max_requests=3)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with served_in(tmp_path, LIMITS) as running:
        yield running


def open_stream(served: Served, wire: Wire, person: str = "nat") -> EventStream:
    """Open a stream and read its head; return the server's end of it."""
    before = len(FilesService.streams)
    passport = served.passport_of(person)
    wire.send(
        f"GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: {passport}\r\n\r\n".encode()
    )
    until(lambda: len(FilesService.streams) > before)
    FilesService.streams[-1].send(b"data: first\n\n")
    head = wire.read_head()
    assert head["status"] == "200"
    assert head["content-type"] == "text/event-stream; charset=utf-8"
    assert wire.read_chunk() == b"data: first\n\n"
    return FilesService.streams[-1]


def server_of(served: Served) -> HttpServer:
    (server,) = (e for e in served.container.extensions if isinstance(e, HttpServer))
    return server


def test_a_frame_is_sent_at_once_however_short(served: Served) -> None:
    with served.wire() as wire:
        stream = open_stream(served, wire)
        stream.send(b"data: 1\n\n")
        with eventlet.Timeout(2):
            assert wire.read_chunk() == b"data: 1\n\n"


def test_a_silent_stream_sends_heartbeats(served: Served) -> None:
    with served.wire() as wire:
        open_stream(served, wire)
        assert wire.read_chunk() == HEARTBEAT


def test_a_client_that_left_ends_its_stream(served: Served) -> None:
    wire = served.wire()
    stream = open_stream(served, wire)
    wire.reset()
    until(lambda: stream.is_closed)
    with served.wire() as another:
        open_stream(served, another)


def test_a_client_that_reads_too_slowly_gets_one_last_frame() -> None:
    closed: list[str] = []
    stream = EventStream(
        last_frame=b"event: again\n\n",
        on_close=lambda: closed.append("closed"),
        max_queued=3,
    )
    assert [stream.send(b"data: %d\n\n" % number) for number in range(5)] == [
        *[True] * 3,
        *[False] * 2,
    ]
    assert list(stream) == [b"event: again\n\n"]
    stream.close()
    assert closed == ["closed"]


def test_a_closed_stream_sends_what_was_queued() -> None:
    stream = EventStream()
    stream.send(b"data: 1\n\n")
    stream.close()
    assert not stream.send(b"data: 2\n\n")
    assert list(stream) == [b"data: 1\n\n"]


def test_a_frame_is_not_written_after_its_deadline() -> None:
    stream = EventStream()
    stream.send(b"data: 1\n\n", deadline=time.monotonic() - 0.001)
    stream.send(b"data: 2\n\n")
    assert list(stream) == []
    assert stream.is_closed


def test_an_aborted_stream_sends_nothing_but_its_last_frame() -> None:
    stream = EventStream()
    stream.send(b"data: 1\n\n")
    stream.abort(b"event: gone\n\n")
    assert list(stream) == [b"event: gone\n\n"]


def test_an_interruption_drops_what_waits_before_it() -> None:
    stream = EventStream()
    stream.send(b"data: 1\n\n", deadline=time.monotonic() + 30)
    stream.interrupt(b"event: gone\n\n")
    assert list(stream) == [b"event: gone\n\n"]
    fresh = EventStream()
    fresh.send(b"id: x\n\n")
    fresh.interrupt(b"event: gone\n\n")
    assert not fresh.is_closed
    fresh.close()
    assert list(fresh) == [b"id: x\n\n", b"event: gone\n\n"]


def test_a_client_that_reads_in_time_keeps_its_stream(served: Served) -> None:
    with served.wire() as wire:
        stream = open_stream(served, wire)
        deadline = time.monotonic() + 0.3
        stream.send(b"data: leased\n\n", deadline=deadline)
        assert wire.read_chunk() == b"data: leased\n\n"
        while time.monotonic() < deadline + 0.2:
            assert wire.read_chunk() == HEARTBEAT
        assert not stream.is_closed


def fill(stream: EventStream) -> None:
    """Send until the kernel holds bytes that the client takes no more."""
    client = stream._client
    assert client is not None
    while not client.unsent():
        stream.send(b"data: %b\n\n" % (b"x" * 8192))
        until(lambda: not stream._frames)


def until_disconnected(served: Served) -> None:
    until(lambda: not server_of(served)._connections)


def rest_of(wire: Wire) -> bytes:
    """Read whatever still arrives, up to the end or a reset."""
    received = bytearray()
    try:
        while data := wire.socket.recv(65536):
            received += data
    except ConnectionError:
        pass
    wire.close()
    return bytes(received)


def test_what_the_kernel_holds_at_a_deadline_is_never_sent(served: Served) -> None:
    wire = served.wire()
    stream = open_stream(served, wire)
    fill(stream)
    stream.send(b"data: leased\n\n", deadline=time.monotonic() + 0.3)
    until(lambda: not stream._frames)
    until_disconnected(served)
    assert b"leased" not in rest_of(wire)


def test_what_waits_behind_a_slow_write_is_not_sent_after_its_deadline(
    served: Served,
) -> None:
    wire = served.wire()
    stream = open_stream(served, wire)
    stream.send(b"data: %b\n\n" % (b"y" * 2 * 1024 * 1024))
    deadline = time.monotonic() + 0.3
    stream.send(b"data: leased\n\n", deadline=deadline)
    until(lambda: time.monotonic() > deadline)
    assert b"leased" not in rest_of(wire)
    assert stream.is_closed


def test_a_blocked_write_ends_at_its_deadline(served: Served) -> None:
    wire = served.wire()
    stream = open_stream(served, wire)
    large = b"data: %b leased\n\n" % (b"y" * 2 * 1024 * 1024)
    stream.send(large, deadline=time.monotonic() + 0.3)
    until_disconnected(served)
    assert b"leased" not in rest_of(wire)


def test_the_kernel_sends_nothing_leased_after_the_end_of_a_stream(
    served: Served,
) -> None:
    wire = served.wire()
    stream = open_stream(served, wire)
    fill(stream)
    stream.send(b"data: leased\n\n", deadline=time.monotonic() + 30)
    until(lambda: not stream._frames)
    stream.abort()
    until_disconnected(served)
    assert b"leased" not in rest_of(wire)


def test_streams_take_no_seats_of_requests(served: Served) -> None:
    wires = [served.wire() for _ in range(4)]
    for wire, person in zip(wires, "aabb", strict=True):
        open_stream(served, wire, person)
    assert served.is_well()
    refused = served.request("GET", "/stream")
    assert (refused.status, refused.code) == (503, "service.unavailable")
    assert int(refused.headers["retry-after"]) > 0
    wires[0].reset()
    with served.wire() as wire:
        until(lambda: FilesService.streams[0].is_closed)
        open_stream(served, wire, "b")
    for wire in wires[1:]:
        wire.reset()


def test_one_person_has_a_number_of_streams(served: Served) -> None:
    wires = [served.wire() for _ in range(4)]
    for wire in wires[:3]:
        open_stream(served, wire, "nat")
    assert served.request("GET", "/stream").status == 503
    open_stream(served, wires[3], "ivy")
    for wire in wires:
        wire.reset()


def test_streams_are_closed_first_when_the_service_stops(served: Served) -> None:
    wires = [served.wire() for _ in range(3)]
    for wire in wires:
        open_stream(served, wire, "nat")
    began = time.monotonic()
    served.container.stop()
    assert time.monotonic() - began < 2
    for wire in wires:
        while (chunk := wire.read_chunk()) == HEARTBEAT:
            pass
        assert chunk == b"", "the chunked body has its end"
        wire.close()


def test_a_response_does_not_wait_for_acknowledgements(served: Served) -> None:
    """Without TCP_NODELAY its second segment waits 40 ms."""
    server = server_of(served)
    with served.wire() as wire:
        wire.request("GET", "/hello/x", Authorization=served.passport)
        (connection,) = server._connections.values()
        option = connection[1].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert option == 1


def test_a_page_sets_its_own_content_security_policy(served: Served) -> None:
    with served.wire() as wire:
        response = wire.request("GET", "/page")
    assert response.headers["content-security-policy"] == "default-src 'self'"
    assert response.headers["x-content-type-options"] == "nosniff"
