"""T35: a head that proxies may read differently is refused, and its connection closed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chassis.http_service import Served, served_in

START = b"GET /page HTTP/1.1\r\nHost: files.example\r\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with served_in(tmp_path) as running:
        yield running


MALFORMED = {
    "a bare CR in a header": START + b"X-A: 1\rX-B: 2\r\n\r\n",
    "a bare CR that begins a header": START + b"\rTransfer-Encoding: chunked\r\n\r\n",
    "a bare LF after a header": START + b"X-A: 1\n\r\n",
    "a bare CR in the request line": b"GET /page\r HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bare LF after the request line": b"GET /page HTTP/1.1\nHost: x\r\n\r\n",
    "a header without a colon": START + b"Transfer-Encoding chunked\r\n\r\n",
    "a space before the colon": START + b"Content-Length : 5\r\n\r\n",
    "a folded header": START + b"X-A: 1\r\n  2\r\n\r\n",
    "a folded first header": b"GET /page HTTP/1.1\r\n Host: x\r\n\r\n",
    "a NUL": START + b"X-A: 1\x002\r\n\r\n",
    "no name": START + b": 1\r\n\r\n",
    "two spaces in the request line": b"GET  /page HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /page\r\nHost: x\r\n\r\n",
    "no host": b"GET /page HTTP/1.1\r\n\r\n",
    "two hosts": START + b"Host: b.example\r\n\r\n",
    "two hosts of HTTP/1.0": b"GET /page HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "a host with a path": b"GET /page HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with a person": b"GET /page HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "a transfer coding of HTTP/1.0": b"GET /page HTTP/1.0\r\nHost: a\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("head", MALFORMED.values(), ids=MALFORMED)
def test_t35_a_head_that_proxies_read_differently_is_refused(
    served: Served, head: bytes
) -> None:
    with served.wire() as wire:
        # Behind it stands a request that a proxy may not have seen as one.
        wire.send(head, b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
        response = wire.read_response()
        assert (response.status, response.code) == (400, "request.malformed")
        assert response.headers["connection"] == "close"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert wire.is_closed()


WELL_FORMED = {
    "an empty value": START + b"X-A:\r\n\r\n",
    "a tab and UTF-8 in a value": START + "X-A:\tcafé 字\r\n\r\n".encode(),
    "an odd but valid name": START + b"!#$%&'*+-.^_`|~: 1\r\n\r\n",
    "no host of HTTP/1.0": b"GET /page HTTP/1.0\r\n\r\n",
    "a host with a port": b"GET /page HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
    "a multipart type": START
    + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n",
}


@pytest.mark.parametrize("head", WELL_FORMED.values(), ids=WELL_FORMED)
def test_a_valid_head_is_accepted(served: Served, head: bytes) -> None:
    with served.wire() as wire:
        wire.send(head)
        assert wire.read_response().status == 200
