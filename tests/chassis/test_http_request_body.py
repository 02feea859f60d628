"""Bodies over HTTP: whole, refused unread, endless, broken; the response always arrives."""

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.chassis.http_service import Served, served_in
from tests.chassis.raw_http import request

MEBIBYTE = 1024 * 1024


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with served_in(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    "length",
    [
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Content-Length: +5",
        "Content-Length: 1_0",
        "Content-Length: 5\r\nContent-Length: 50",
    ],
)
def test_a_body_of_ambiguous_length_closes_the_connection(
    served: Served, length: str
) -> None:
    with served.wire() as wire:
        start = "POST /measure HTTP/1.1\r\nHost: files.example\r\n"
        head = f"{start}Authorization: {served.passport}\r\n{length}"
        wire.send(head.encode(), b"\r\n\r\nhello\r\n\r\n")
        response = wire.read_response()
        assert (response.status, response.code) == (400, "request.malformed")
        assert wire.is_closed()


def test_a_connection_is_reused_after_an_unread_body(served: Served) -> None:
    with served.wire() as wire:
        for path, status in (("/refuse", 413), ("/nowhere", 404), ("/hello/x", 405)):
            response = wire.request(
                "POST", path, b"x" * 40_000, Authorization=served.passport
            )
            assert response.status == status
        response = wire.request(
            "POST", "/measure", b"x" * 9, Authorization=served.passport
        )
        assert response.json == {"size": 9}


def test_a_large_body_arrives_whole(served: Served) -> None:
    assert served.request("POST", "/measure", b"x" * 3 * MEBIBYTE).json == {
        "size": 3 * MEBIBYTE
    }
    assert served.request("POST", "/measure").json == {"size": 0}


def test_a_refusal_reaches_a_client_that_sends_all_before_it_reads(
    served: Served,
) -> None:
    for close in (False, True):
        client = HTTPConnection(*served.address, timeout=20)
        headers = {"Authorization": served.passport}
        if close:
            headers["Connection"] = "close"
        client.request("POST", "/refuse", b"x" * 20 * MEBIBYTE, headers)
        response = client.getresponse()
        assert (response.status, response.getheader("Connection")) == (413, "close")
        assert b"attachment.too_large" in response.read()
        client.close()


def test_a_refusal_comes_before_the_body(served: Served) -> None:
    with served.wire() as wire:
        head = request(
            "POST",
            "/refuse",
            Content_Length=str(20 * MEBIBYTE),
            Authorization=served.passport,
        )
        wire.send(head, b"only the beginning")
        assert wire.read_response().code == "attachment.too_large"


def test_a_client_that_expects_100_continue_is_refused_before_its_body(
    served: Served,
) -> None:
    with served.wire() as wire:
        response = wire.request(
            "POST",
            "/refuse",
            Content_Length=str(20 * MEBIBYTE),
            Expect="100-continue",
            Authorization=served.passport,
        )
        assert response.status == 413


def test_an_endless_body_is_refused_and_its_connection_closed(served: Served) -> None:
    with served.wire() as wire:
        wire.send(
            request(
                "POST",
                "/refuse",
                Transfer_Encoding="chunked",
                Authorization=served.passport,
            )
        )
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

        def send_for_ever() -> None:
            while True:
                wire.send(piece)

        with pytest.raises(ConnectionError):
            send_for_ever()
    assert served.is_well()


def test_the_client_of_an_endless_body_gets_its_refusal(served: Served) -> None:
    with served.wire() as wire:
        wire.send(
            request(
                "POST",
                "/refuse",
                Transfer_Encoding="chunked",
                Authorization=served.passport,
            )
        )
        for _ in range(40):
            wire.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert wire.read_response().code == "attachment.too_large"


def test_a_body_in_chunks_is_read_to_its_end(served: Served) -> None:
    with served.wire() as wire:
        for _ in range(2):
            wire.send(
                request(
                    "POST",
                    "/measure",
                    Transfer_Encoding="chunked",
                    Authorization=served.passport,
                ),
                b"5\r\nhello\r\n",
                b"3;x=y\r\nyou\r\n0\r\nTrailer: x\r\n\r\n",
            )
            assert wire.read_response().json == {"size": 8}


@pytest.mark.parametrize(
    "body", [b"zz\r\nhello\r\n", b"5\r\nhel", b"-5\r\nhello\r\n"], ids=repr
)
def test_broken_chunks_are_refused(served: Served, body: bytes) -> None:
    with served.wire() as wire:
        wire.send(head_of_chunks(served), body)
        wire.no_more()
        assert wire.read_response().code == "body.broken"
    assert served.is_well()


def head_of_chunks(served: Served) -> bytes:
    passport = served.passport
    return request(
        "POST", "/measure", Transfer_Encoding="chunked", Authorization=passport
    )


@pytest.mark.parametrize(
    "body",
    [
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"0_5\r\nhello\r\n0\r\n\r\n",
        b" 5 \r\nhello\r\n0\r\n\r\n",
        b"5;x=\r\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhelloXX\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\n",
        b"5\r\nhello\r\n0\r\nGET /page HTTP/1.1\r\n\r\n",
    ],
    ids=repr,
)
def test_t35_chunks_that_proxies_read_differently_are_refused(
    served: Served, body: bytes
) -> None:
    with served.wire() as wire:
        # Behind it stands a request that a proxy may not have seen as one.
        wire.send(head_of_chunks(served), body, request("GET", "/page"))
        assert wire.read_response().code == "body.broken"
        assert wire.is_closed()


@pytest.mark.parametrize(
    "body",
    [b"1" * 5_000, b"5;" + b"x" * 5_000, b"0\r\nX-A: " + b"x" * 5_000],
    ids=["a size", "an extension", "a trailer"],
)
def test_t36_a_line_without_an_end_is_refused_before_it_is_kept(
    served: Served, body: bytes
) -> None:
    with served.wire() as wire:
        wire.send(head_of_chunks(served), body)
        assert wire.read_response().code == "body.broken"


def test_t36_trailers_without_an_end_are_refused(served: Served) -> None:
    with served.wire() as wire:
        wire.send(head_of_chunks(served), b"0\r\n", b"X-A: 1\r\n" * 100)
        assert wire.read_response().code == "body.broken"


def test_a_truncated_body_is_refused(served: Served) -> None:
    with served.wire() as wire:
        head = request(
            "POST", "/measure", Content_Length="100", Authorization=served.passport
        )
        wire.send(head, b"x" * 99)
        wire.no_more()
        response = wire.read_response()
        assert (response.status, response.code) == (400, "body.broken")
