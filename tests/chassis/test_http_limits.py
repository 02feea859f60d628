"""T29: connections without a passport and slow senders keep nobody out."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_chassis.http import HttpLimits, TrustedProxies, request_body
from clp_chassis.http.seats import key_of
from tests.chassis.http_service import FilesService, Served, served_in
from tests.chassis.raw_http import Wire, request
from tests.support.waiting import until

LIMITS = HttpLimits(
    max_connections=24,
    max_connections_per_client=16,
    max_requests=6,
    max_requests_per_client=4,
    max_requests_per_person=2,
    head_timeout_s=0.5,
)
PROXY = "127.0.0.9"
BEHIND_A_PROXY = HttpLimits(
    max_requests=6, max_requests_per_client=2, trusted_proxies=TrustedProxies([PROXY])
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with served_in(tmp_path, LIMITS) as running:
        yield running


def waiting(
    served: Served, person: str, source: str = "127.0.0.1", **more: str
) -> Wire:
    """A connection whose request runs until the test lets it end."""
    wire = served.wire(source)
    wire.send(request("GET", "/wait", Authorization=served.passport_of(person), **more))
    return wire


def status(served: Served, source: str, person: str = "nat", **more: str) -> int:
    with served.wire(source) as wire:
        passport = served.passport_of(person)
        response = wire.request("GET", "/hello/x", Authorization=passport, **more)
    if response.status == 503:
        assert response.code == "service.unavailable"
        assert int(response.headers["retry-after"]) > 0
    return response.status


def running_requests(served: Served) -> int:
    server = next(e for e in served.container.extensions if hasattr(e, "seats"))
    return int(server.seats.requests.taken)


def test_t29_silent_connections_of_one_client_keep_no_other_out(served: Served) -> None:
    silent = [served.wire("127.0.0.2") for _ in range(16)]
    with served.wire("127.0.0.2") as refused:
        response = refused.read_response()
        assert response.status == 503
        assert response.headers["x-content-type-options"] == "nosniff"
    assert status(served, "127.0.0.3") == 200
    # A head has its time: what sends none is closed, and its seat is free again.
    until(lambda: all(wire.is_closed() for wire in silent[:2]))
    until(lambda: status(served, "127.0.0.2") == 200)
    for wire in silent:
        wire.close()


def trickle(wire: Wire, piece: bytes, seconds: float = 5.0) -> bytes:
    """Send a piece every few milliseconds until the server responds."""
    deadline = time.monotonic() + seconds
    wire.socket.settimeout(0.05)
    while time.monotonic() < deadline:
        wire.send(piece)
        try:
            if received := wire.socket.recv(10_000):
                return received
        except TimeoutError:
            continue
    raise AssertionError("no response")


def test_t29_a_head_that_trickles_in_is_refused_after_its_time(served: Served) -> None:
    with served.wire() as wire:
        began = time.monotonic()
        wire.send(b"GET /page HTTP/1.1\r\n")
        assert trickle(wire, b"X: 1\r\n").startswith(b"HTTP/1.1 408 ")
        assert LIMITS.head_timeout_s <= time.monotonic() - began < 3


def test_t29_an_idle_connection_may_wait_between_requests(served: Served) -> None:
    with served.wire() as wire:
        assert wire.request("GET", "/page").status == 200
        until(lambda: running_requests(served) == 0)
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 2 * LIMITS.head_timeout_s)
        assert wire.request("GET", "/page").status == 200


def test_t29_requests_of_one_client_leave_seats_for_others(served: Served) -> None:
    wires = [waiting(served, f"p{number}", "127.0.0.2") for number in range(4)]
    until(lambda: running_requests(served) == 4)
    assert status(served, "127.0.0.2") == 503
    assert status(served, "127.0.0.3") == 200
    FilesService.may_end.send()
    assert [wire.read_response().status for wire in wires] == [200] * 4
    until(lambda: status(served, "127.0.0.2") == 200)
    for wire in wires:
        wire.close()


def test_t29_one_person_takes_a_few_seats_from_wherever(served: Served) -> None:
    wires = [waiting(served, "nat", f"127.0.0.{number}") for number in (2, 3)]
    until(lambda: running_requests(served) == 2)
    assert status(served, "127.0.0.4", "nat") == 503
    assert status(served, "127.0.0.2", "ivy") == 200
    FilesService.may_end.send()
    for wire in wires:
        assert wire.read_response().status == 200
        wire.close()


def test_t29_a_full_server_is_not_ready(served: Served) -> None:
    server = next(e for e in served.container.extensions if hasattr(e, "seats"))
    check = server.readiness_checks()["http"]
    check()
    wires = [
        waiting(served, f"p{number}", f"127.0.0.{2 + number % 3}")
        for number in range(6)
    ]
    until(lambda: running_requests(served) == 6)
    with pytest.raises(OSError, match="all 6 seats for requests are taken"):
        check()
    assert status(served, "127.0.0.8") == 503
    FilesService.may_end.send()
    for wire in wires:
        assert wire.read_response().status == 200
        wire.close()
    until(lambda: running_requests(served) == 0)
    check()


def test_t29_a_client_is_known_by_what_a_trusted_proxy_says(tmp_path: Path) -> None:
    with served_in(tmp_path, BEHIND_A_PROXY) as served:
        wires = [
            waiting(served, person, PROXY, X_Forwarded_For=f"{person}, 203.0.113.7")
            for person in ("a", "b")
        ]
        until(lambda: running_requests(served) == 2)
        forged = {"X_Forwarded_For": "198.51.100.1, 203.0.113.7"}
        assert status(served, PROXY, "c", **forged) == 503
        assert status(served, PROXY, "c", X_Forwarded_For="203.0.113.8") == 200
        # Whoever is no proxy is known by its address, whatever it writes.
        more = [
            waiting(served, person, "127.0.0.2", X_Forwarded_For="203.0.113.9")
            for person in ("d", "e")
        ]
        until(lambda: running_requests(served) == 4)
        assert status(served, "127.0.0.2", "f", X_Forwarded_For="203.0.113.10") == 503
        FilesService.may_end.send()
        for wire in (*wires, *more):
            assert wire.read_response().status == 200
            wire.close()


CLIENTS = [
    # peer               X-Forwarded-For              the client
    ("198.51.100.7",     "",                          "198.51.100.7"),
    ("198.51.100.7",     "203.0.113.9",               "198.51.100.7"),
    ("10.0.0.1",         "203.0.113.9",               "203.0.113.9"),
    ("10.0.0.1",         "198.51.100.1, 203.0.113.9", "203.0.113.9"),
    ("10.0.0.1",         "203.0.113.9, 10.0.0.2",     "203.0.113.9"),
    ("10.0.0.1",         "",                          "10.0.0.1"),
    ("::ffff:10.0.0.1",  "203.0.113.9",               "203.0.113.9"),
    ("2001:db8::1",      "",                          "2001:db8::/64"),
    ("10.0.0.1",         "2001:db8::9",               "2001:db8::/64"),
    ("10.0.0.1",         "not an address",            "not an address"),
]  # fmt: skip


@pytest.mark.parametrize(("peer", "forwarded_for", "client"), CLIENTS)
def test_t29_what_a_client_is(peer: str, forwarded_for: str, client: str) -> None:
    proxies = TrustedProxies(["10.0.0.0/24"])
    assert proxies.client_of(peer, forwarded_for) == client


def test_addresses_of_one_ipv6_network_are_one_client() -> None:
    assert key_of("2001:db8::1") == key_of("2001:db8::ffff:2")
    assert key_of("2001:db8::1") != key_of("2001:db8:0:1::1")


def test_t29_a_body_that_trickles_in_is_refused_by_the_clock(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "CHUNK_TIMEOUT_S", 0.3)
    monkeypatch.setattr(request_body, "MIN_BYTES_PER_S", 1_000_000)
    with served.wire() as wire:
        began = time.monotonic()
        wire.send(
            b"POST /measure HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            b"Authorization: " + served.passport.encode() + b"\r\n\r\n"
        )
        received = trickle(wire, b"x")
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"body.too_slow" in received
    assert time.monotonic() - began < 5
