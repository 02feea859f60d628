"""The HTTP edge: passports, JSON refusals, bounded bodies, and clients of every kind."""

import logging
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import ClassVar

import eventlet
import pytest
from eventlet.event import Event
from nameko.containers import ServiceContainer
from werkzeug.wrappers import Request, Response

from clp_chassis.assembly import HTTP_ADDRESS_FILE
from clp_chassis.clock import now
from clp_chassis.http_edge import chunks_of, http, http_address_of, json_answer
from clp_chassis.passports import Issuer, Passport, TrustedKey, Verifier, new_key
from clp_chassis.serving import VERIFIER
from clp_contracts.methods import PEOPLE, PassportKind
from clp_contracts.refusal import CallFailed, Refused
from tests.chassis.http_wire import Answer, Wire, request

MEBIBYTE = 1024 * 1024
STATUSES = {"attachment.too_large": 413}


class FilesService:
    """A service with nothing but HTTP."""

    name = "files"
    may_end: ClassVar[Event] = Event()

    @http("GET", "/hello/<name>", kinds=PEOPLE)
    def hello(self, _request: Request, actor: Passport, *, name: str) -> Response:
        return json_answer({"actor": actor.subject, "name": name}, 200)

    @http("POST", "/measure", kinds=PEOPLE)
    def measure(self, request: Request, _actor: Passport) -> Response:
        return json_answer({"size": sum(map(len, chunks_of(request)))}, 200)

    @http("POST", "/refuse", kinds=PEOPLE, statuses=STATUSES)
    def refuse(self, _request: Request, _actor: Passport) -> Response:
        raise Refused("attachment.too_large")

    @http("GET", "/break", kinds=PEOPLE)
    def break_down(self, _request: Request, _actor: Passport) -> Response:
        raise ValueError("planted words")

    @http("GET", "/alone", kinds=PEOPLE)
    def alone(self, _request: Request, _actor: Passport) -> Response:
        raise CallFailed("projects.facts: planted words")

    @http("GET", "/wait", kinds=PEOPLE)
    def wait(self, _request: Request, _actor: Passport) -> Response:
        self.may_end.wait()
        return json_answer({}, 200)


class Served:
    """A started container and how to reach it."""

    def __init__(self, folder: Path) -> None:
        key = new_key()
        kinds = frozenset(PassportKind)
        trusted = {"gateway": TrustedKey(key.public_key(), kinds)}
        self.issuer = Issuer("gateway", key, now)
        self.address_file = folder / "address"
        FilesService.may_end = Event()
        self.container = ServiceContainer(
            FilesService,
            {
                "WEB_SERVER_ADDRESS": "127.0.0.1:0",
                "max_workers": 2,
                VERIFIER: Verifier(trusted, now),
                HTTP_ADDRESS_FILE: str(self.address_file),
            },
        )
        self.container.start()
        self.address = http_address_of(self.container)

    @property
    def passport(self) -> str:
        return "Bearer " + self.issuer.issue("nat", PassportKind.PERSON)

    def wire(self) -> Wire:
        return Wire(self.address)

    def ask(
        self, verb: str, path: str, body: bytes | None = None, **headers: str
    ) -> Answer:
        headers.setdefault("Authorization", self.passport)
        with self.wire() as wire:
            return wire.ask(verb, path, body, **headers)

    def is_well(self) -> bool:
        return self.ask("GET", "/hello/x").status == 200


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path)
    yield running
    if not running.container._died.ready():
        if not FilesService.may_end.ready():
            FilesService.may_end.send()
        running.container.stop()


def test_an_entrypoint_knows_who_asks(served: Served) -> None:
    answer = served.ask("GET", "/hello/z%C3%B6e")
    assert answer.status == 200
    assert answer.json == {"actor": "nat", "name": "zöe"}


def test_who_started_it_learns_the_port(served: Served) -> None:
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
    (lambda i: "bearer " + i.issue("nat", PassportKind.PERSON), 200, ""),
    (lambda i: "Bearer " + i.issue("nat", PassportKind.PERSON)[:-9], 401, "passport.refused"),
    (lambda i: "Bearer " + i.issue("robot", PassportKind.ROBOT), 403, "passport.wrong_kind"),
    (lambda i: "Bearer " + i.issue("search", PassportKind.SERVICE), 403, "passport.wrong_kind"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "status", "code"), PASSPORTS)
def test_a_passport_is_asked_for(
    served: Served, given: Callable[[Issuer], str], status: int, code: str
) -> None:
    answer = served.ask("GET", "/hello/x", Authorization=given(served.issuer))
    assert answer.status == status
    if code:
        assert answer.code == code
        assert answer.headers.get("www-authenticate") == (
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
def test_every_refusal_is_json_and_tells_nothing_of_the_inside(
    served: Served, verb: str, path: str, status: int, code: str
) -> None:
    answer = served.ask(verb, path)
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["sentence"]
    assert b"planted" not in answer.body
    assert b"Traceback" not in answer.body
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "no-store" in answer.headers["cache-control"]


def test_a_failure_can_be_found_in_the_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    answer = served.ask("GET", "/break")
    assert answer.json["incident"] in caplog.text
    assert served.is_well()


def test_the_log_holds_no_address_that_a_person_wrote(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    served.ask("GET", "/hello/planted?name=planted")
    assert "200" in caplog.text
    assert "planted" not in caplog.text


@pytest.mark.parametrize(
    "said",
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
def test_what_is_no_http_ends_its_own_connection_only(
    served: Served, said: bytes
) -> None:
    with served.wire() as wire:
        try:
            wire.say(said)
            wire.no_more()
            wire.socket.settimeout(5)
            while wire.socket.recv(65536):
                pass
        except ConnectionError:
            pass
    assert served.is_well()


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
def test_a_body_of_doubtful_length_ends_the_connection(
    served: Served, length: str
) -> None:
    with served.wire() as wire:
        head = f"POST /measure HTTP/1.1\r\nAuthorization: {served.passport}\r\n{length}"
        wire.say(head.encode(), b"\r\n\r\nhello")
        answer = wire.hear()
        assert (answer.status, answer.code) == (400, "ask.malformed")
        assert wire.is_closed()


def test_a_connection_serves_again_after_a_body_nobody_read(served: Served) -> None:
    with served.wire() as wire:
        for path, status in (("/refuse", 413), ("/nowhere", 404), ("/hello/x", 405)):
            answer = wire.ask(
                "POST", path, b"x" * 40_000, Authorization=served.passport
            )
            assert answer.status == status
        answer = wire.ask("POST", "/measure", b"x" * 9, Authorization=served.passport)
        assert answer.json == {"size": 9}


def test_a_large_body_arrives_whole(served: Served) -> None:
    assert served.ask("POST", "/measure", b"x" * 3 * MEBIBYTE).json == {
        "size": 3 * MEBIBYTE
    }
    assert served.ask("POST", "/measure").json == {"size": 0}


def test_a_refusal_reaches_a_client_that_sends_first_and_listens_later(
    served: Served,
) -> None:
    for close in (False, True):
        client = HTTPConnection(*served.address, timeout=20)
        headers = {"Authorization": served.passport}
        if close:
            headers["Connection"] = "close"
        client.request("POST", "/refuse", b"x" * 20 * MEBIBYTE, headers)
        answer = client.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (413, "close")
        assert b"attachment.too_large" in answer.read()
        client.close()


def test_a_refusal_comes_before_the_body(served: Served) -> None:
    with served.wire() as wire:
        head = request(
            "POST",
            "/refuse",
            Content_Length=str(20 * MEBIBYTE),
            Authorization=served.passport,
        )
        wire.say(head, b"only the beginning")
        assert wire.hear().code == "attachment.too_large"


def test_a_client_that_asks_first_is_not_told_to_go_on(served: Served) -> None:
    with served.wire() as wire:
        answer = wire.ask(
            "POST",
            "/refuse",
            Content_Length=str(20 * MEBIBYTE),
            Expect="100-continue",
            Authorization=served.passport,
        )
        assert answer.status == 413


def test_an_endless_body_is_refused_and_its_connection_closed(served: Served) -> None:
    with served.wire() as wire:
        wire.say(
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
                wire.say(piece)

        with pytest.raises(ConnectionError):
            send_for_ever()
    assert served.is_well()


def test_an_endless_body_still_hears_its_refusal(served: Served) -> None:
    with served.wire() as wire:
        wire.say(
            request(
                "POST",
                "/refuse",
                Transfer_Encoding="chunked",
                Authorization=served.passport,
            )
        )
        for _ in range(40):
            wire.say(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert wire.hear().code == "attachment.too_large"


def test_a_body_in_chunks_is_read_to_its_end(served: Served) -> None:
    with served.wire() as wire:
        for _ in range(2):
            wire.say(
                request(
                    "POST",
                    "/measure",
                    Transfer_Encoding="chunked",
                    Authorization=served.passport,
                ),
                b"5\r\nhello\r\n",
                b"3;x=y\r\nyou\r\n0\r\nTrailer: x\r\n\r\n",
            )
            assert wire.hear().json == {"size": 8}


@pytest.mark.parametrize(
    "body", [b"zz\r\nhello\r\n", b"5\r\nhel", b"-5\r\nhello\r\n"], ids=repr
)
def test_broken_chunks_are_refused(served: Served, body: bytes) -> None:
    with served.wire() as wire:
        head = request(
            "POST",
            "/measure",
            Transfer_Encoding="chunked",
            Authorization=served.passport,
        )
        wire.say(head, body)
        wire.no_more()
        assert wire.hear().code == "body.broken"
    assert served.is_well()


def test_a_body_that_breaks_off_is_refused(served: Served) -> None:
    with served.wire() as wire:
        head = request(
            "POST", "/measure", Content_Length="100", Authorization=served.passport
        )
        wire.say(head, b"x" * 99)
        wire.no_more()
        answer = wire.hear()
        assert (answer.status, answer.code) == (400, "body.broken")


def test_clients_that_crash_harm_nobody(served: Served) -> None:
    head = request(
        "POST", "/measure", Content_Length="100000", Authorization=served.passport
    )
    for said in (b"", b"GET /hel", head, head + b"x" * 5000):
        wire = served.wire()
        wire.say(said)
        wire.reset()
    assert served.is_well()


def test_slow_senders_do_not_use_up_the_workers(served: Served) -> None:
    head = request(
        "POST", "/measure", Content_Length="100000", Authorization=served.passport
    )
    slow = [served.wire() for _ in range(12)]
    for wire in slow:
        wire.say(head, b"x")
    assert served.is_well()
    for wire in slow:
        wire.reset()


def test_a_request_in_hand_is_finished_before_the_end(served: Served) -> None:
    with served.wire() as idle, served.wire() as wire:
        idle.ask("GET", "/hello/x", Authorization=served.passport)
        wire.say(request("GET", "/wait", Authorization=served.passport))
        assert served.is_well()  # by now the one before is being served
        stopping = eventlet.spawn(served.container.stop)
        assert idle.is_closed()
        with pytest.raises(ConnectionError):
            served.wire()
        FilesService.may_end.send()
        assert wire.hear().status == 200
        stopping.wait()
        assert wire.is_closed()


def test_ending_without_requests_takes_no_time(served: Served) -> None:
    with eventlet.Timeout(1):
        served.container.stop()


def test_a_head_gets_headers_only(served: Served) -> None:
    with served.wire() as wire:
        answer = wire.ask("HEAD", "/hello/x", Authorization=served.passport)
        assert (answer.status, int(answer.headers["content-length"]) > 0) == (200, True)
        assert wire.ask("HEAD", "/hello/x", Authorization=served.passport).status == 200
