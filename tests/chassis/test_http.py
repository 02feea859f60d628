"""The HTTP edge: passports, JSON refusals, and clients of every kind."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import eventlet
import pytest

from clp_chassis.security.passports import Issuer
from clp_contracts.methods import PassportKind
from tests.chassis.http_service import FilesService, Served, served_in
from tests.chassis.raw_http import request


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with served_in(tmp_path) as running:
        yield running


def test_an_entrypoint_gets_the_passport(served: Served) -> None:
    response = served.request("GET", "/hello/z%C3%B6e")
    assert response.status == 200
    assert response.json == {"actor": "nat", "name": "zöe"}


def test_the_port_is_written_to_the_address_file(served: Served) -> None:
    host, port = served.address
    assert served.address_file.read_text() == f"{host}:{port}\n"
    assert port != 0


# Authorization                        | status | code
PASSPORTS: list[tuple[Callable[[Issuer], str], int, str]] = [
    (lambda _: "", 401, "passport.missing"),
    (lambda _: "Basic bmF0Og==", 401, "passport.missing"),
    (lambda _: "Bearer", 401, "passport.missing"),
    (lambda _: "Bearer ", 401, "passport.missing"),
    (lambda _: "Bearer x.y.z", 401, "passport.refused"),
    (lambda i: "bearer " + i.issue("nat", PassportKind.PERSON, audience="files"), 200, ""),
    (lambda i: "Bearer " + i.issue("nat", PassportKind.PERSON, audience="files")[:-9], 401, "passport.refused"),
    (lambda i: "Bearer " + i.issue("search", PassportKind.SERVICE, audience="files"), 403, "passport.wrong_kind"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "status", "code"), PASSPORTS)
def test_a_passport_is_required(
    served: Served, given: Callable[[Issuer], str], status: int, code: str
) -> None:
    response = served.request("GET", "/hello/x", Authorization=given(served.issuer))
    assert response.status == status
    if code:
        assert response.code == code
        assert response.headers.get("www-authenticate") == (
            "Bearer" if status == 401 else None
        )


# verb, path                | status | code
REFUSALS = [
    ("GET", "/nowhere", 404, "path.missing"),
    ("GET", "/hello/", 404, "path.missing"),
    ("GET", "/hello//x", 404, "path.missing"),
    ("DELETE", "/hello/x", 405, "verb.refused"),
    ("GET", "/break", 500, "service.failed"),
    ("GET", "/alone", 503, "service.unavailable"),
    ("POST", "/refuse", 413, "attachment.too_large"),
]


@pytest.mark.parametrize(("verb", "path", "status", "code"), REFUSALS)
def test_every_refusal_is_json_without_internals(
    served: Served, verb: str, path: str, status: int, code: str
) -> None:
    response = served.request(verb, path)
    assert (response.status, response.code) == (status, code)
    assert response.json["sentence"]
    assert response.headers.get("allow") == ("GET, HEAD" if status == 405 else None)
    assert b"planted" not in response.body
    assert b"Traceback" not in response.body
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]
    assert "no-store" in response.headers["cache-control"]


def test_a_failure_can_be_found_in_the_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    response = served.request("GET", "/break")
    assert response.json["incident"] in caplog.text
    assert served.is_well()


def test_the_log_holds_no_address_that_a_person_wrote(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    served.request("GET", "/hello/planted?name=planted")
    assert "200" in caplog.text
    assert "planted" not in caplog.text


@pytest.mark.parametrize("rest", [b"\r\n" + b"X: x\r\n" * 200, b" \r\n"], ids=len)
def test_t18_the_log_holds_no_address_of_a_refused_head(
    served: Served, capfd: pytest.CaptureFixture[str], rest: bytes
) -> None:
    with served.wire() as wire:
        wire.send(b"GET /hello/planted?name=planted HTTP/1.1", rest, b"\r\n")
        assert wire.read_response().code == "request.malformed"
    written = capfd.readouterr()
    assert "planted" not in written.out + written.err


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /measure HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /measure HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /measure HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 20_000 + b"\r\n",
    ],
)
def test_malformed_http_ends_its_own_connection_only(
    served: Served, sent: bytes
) -> None:
    with served.wire() as wire:
        try:
            wire.send(sent)
            wire.no_more()
            wire.socket.settimeout(5)
            while wire.socket.recv(65536):
                pass
        except ConnectionError:
            pass
    assert served.is_well()


def test_a_multipart_form_is_no_malformed_head(served: Served) -> None:
    with served.wire() as wire:
        response = wire.request(
            "POST",
            "/measure",
            b"--x\r\n\r\nhello\r\n--x--\r\n",
            Content_Type="multipart/form-data; boundary=x",
            Authorization=served.passport,
        )
    assert response.status == 200


def test_clients_that_crash_harm_no_other(served: Served) -> None:
    head = request(
        "POST", "/measure", Content_Length="100000", Authorization=served.passport
    )
    for sent in (b"", b"GET /hel", head, head + b"x" * 5000):
        wire = served.wire()
        wire.send(sent)
        wire.reset()
    assert served.is_well()


def test_slow_senders_do_not_use_up_the_workers(served: Served) -> None:
    head = request(
        "POST", "/measure", Content_Length="100000", Authorization=served.passport
    )
    slow = [served.wire() for _ in range(12)]
    for wire in slow:
        wire.send(head, b"x")
    assert served.is_well()
    for wire in slow:
        wire.reset()


def test_a_running_request_is_finished_before_the_stop(served: Served) -> None:
    with served.wire() as idle, served.wire() as wire:
        idle.request("GET", "/hello/x", Authorization=served.passport)
        wire.send(request("GET", "/wait", Authorization=served.passport))
        assert served.is_well()  # by now the one before is being served
        stopping = eventlet.spawn(served.container.stop)
        assert idle.is_closed()
        with pytest.raises(ConnectionError):
            served.wire()
        FilesService.may_end.send()
        # What it works with is still there.
        assert wire.read_response().json == {"lit": True}
        stopping.wait()
        assert wire.is_closed()


def test_stopping_without_requests_takes_no_time(served: Served) -> None:
    with eventlet.Timeout(1):
        served.container.stop()


def test_a_head_gets_headers_only(served: Served) -> None:
    with served.wire() as wire:
        response = wire.request("HEAD", "/hello/x", Authorization=served.passport)
        assert (response.status, int(response.headers["content-length"]) > 0) == (
            200,
            True,
        )
        assert (
            wire.request("HEAD", "/hello/x", Authorization=served.passport).status
            == 200
        )
