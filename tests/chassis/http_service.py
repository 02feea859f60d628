"""A service with nothing but HTTP, in a container of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from eventlet.event import Event
from nameko.containers import ServiceContainer
from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request, Response

from clp_chassis.bootstrap import HTTP_ADDRESS_FILE
from clp_chassis.clock import now
from clp_chassis.http import (
    HTTP_LIMITS,
    EventStream,
    EventStreamResponse,
    HttpLimits,
    http,
    http_address_of,
    iter_chunks,
    json_response,
    public_http,
)
from clp_chassis.rpc import VERIFIER
from clp_chassis.security.passports import (
    Issuer,
    Passport,
    TrustedKey,
    Verifier,
    new_key,
)
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.methods import PEOPLE, PassportKind
from tests.chassis.raw_http import HttpResponse, Wire

STATUSES = {"attachment.too_large": 413}


class Lamp(DependencyProvider):  # type: ignore[misc]
    """A dependency of entrypoints; off once it is stopped."""

    is_lit = True

    def get_dependency(self, worker_ctx: object) -> "Lamp":
        del worker_ctx
        return self

    def stop(self) -> None:
        self.is_lit = False


class FilesService:
    """A service with nothing but HTTP."""

    name = "files"
    lamp = Lamp()
    may_end: ClassVar[Event] = Event()
    streams: ClassVar[list[EventStream]] = []

    @http("GET", "/hello/<name>", kinds=PEOPLE)
    def hello(self, _request: Request, actor: Passport, *, name: str) -> Response:
        return json_response({"actor": actor.subject, "name": name}, 200)

    @http("POST", "/measure", kinds=PEOPLE)
    def measure(self, request: Request, _actor: Passport) -> Response:
        return json_response({"size": sum(map(len, iter_chunks(request)))}, 200)

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
        return json_response({"lit": self.lamp.is_lit}, 200)

    @http("GET", "/stream", kinds=PEOPLE)
    def stream(self, _request: Request, _actor: Passport) -> Response:
        stream = EventStream(last_frame=b"event: again\n\n", heartbeat_s=0.2)
        self.streams.append(stream)
        return EventStreamResponse(stream)

    @public_http("GET", "/page")
    def page(self, _request: Request) -> Response:
        response = Response("<p>Hello", mimetype="text/html")
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response


class Served:
    """A started container and how to reach it."""

    def __init__(self, folder: Path, limits: HttpLimits | None = None) -> None:
        key = new_key()
        kinds = frozenset(PassportKind)
        trusted = {"gateway": TrustedKey(key.public_key(), kinds)}
        self.issuer = Issuer("gateway", key, now)
        self.address_file = folder / "address"
        FilesService.may_end = Event()
        FilesService.streams = []
        self.container = ServiceContainer(
            FilesService,
            {
                "WEB_SERVER_ADDRESS": "127.0.0.1:0",
                "max_workers": 2,
                VERIFIER: Verifier(trusted, now, audience="files"),
                HTTP_ADDRESS_FILE: str(self.address_file),
                HTTP_LIMITS: limits,
            },
        )
        self.container.start()
        self.address = http_address_of(self.container)

    @property
    def passport(self) -> str:
        return self.passport_of("nat")

    def passport_of(self, person: str) -> str:
        return "Bearer " + self.issuer.issue(
            person, PassportKind.PERSON, audience="files"
        )

    def wire(self, source: str = "127.0.0.1") -> Wire:
        return Wire(self.address, source=source)

    def request(
        self, verb: str, path: str, body: bytes | None = None, **headers: str
    ) -> HttpResponse:
        headers.setdefault("Authorization", self.passport)
        with self.wire() as wire:
            return wire.request(verb, path, body, **headers)

    def is_well(self) -> bool:
        return self.request("GET", "/hello/x").status == 200


@contextmanager
def served_in(folder: Path, limits: HttpLimits | None = None) -> Iterator[Served]:
    """The service, running; stopped afterwards unless the test did that."""
    running = Served(folder, limits)
    yield running
    if not running.container._died.ready():
        if not FilesService.may_end.ready():
            FilesService.may_end.send()
        running.container.stop()
