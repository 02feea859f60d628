"""The `http` entrypoint: checks the passport, calls, and answers refusals as JSON."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from nameko.containers import WorkerContext
from nameko.web.handlers import HttpRequestHandler
from werkzeug.wrappers import Request, Response

from clp_chassis.http.responses import NONE, answered
from clp_chassis.http.server import HttpServer
from clp_chassis.observability import observed_request
from clp_chassis.observability.metrics import REQUEST_SECONDS
from clp_chassis.rpc import VERIFIER
from clp_contracts.methods import PassportKind

BEARER: Final = "bearer "


class HttpEntrypoint(HttpRequestHandler):  # type: ignore[misc]
    """A method of a service behind an HTTP verb and address."""

    server = HttpServer()

    def __init__(
        self,
        method: str,
        url: str,
        *,
        kinds: frozenset[PassportKind] | None,
        **options: Any,
    ) -> None:
        # None: open to anybody, the address itself must prove what it may.
        self.kinds = kinds
        super().__init__(method, url, **options)

    def handle_request(self, request: Request) -> Response:
        """Answer one request."""
        request.shallow = False
        began = time.perf_counter()
        answer = answered(lambda: self._answer(request))
        REQUEST_SECONDS.labels(self.method, self.url, answer.status_code).observe(
            time.perf_counter() - began
        )
        return answer

    def stop(self) -> None:
        """Take no more requests, and finish those in hand."""
        super().stop()
        self.server.finish()

    def _answer(self, request: Request) -> Response:
        token = bearer_token(request)
        given: tuple[Any, ...] = (request,)
        if self.kinds is not None:
            verifier = self.container.config[VERIFIER]
            given = (request, verifier.verify(token, self.kinds))
        worker = WorkerContext(
            self.container,
            self.container.service_cls(),
            self,
            given,
            request.path_values,  # type: ignore[attr-defined]
            data={"auth_token": token},
        )
        with observed_request(self.method, self.url, worker.call_id_stack):
            return self._run(worker)

    def _run(self, worker: WorkerContext) -> Response:
        """Run the method here, beside the pool in which calls are answered.

        A file takes as long as its sender's line does. In the pool, ten slow uploads
        would leave no worker for anything else.
        """
        kept: list[Any] = []

        def keep(_worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            kept.append((result, exc_info))
            return result, exc_info

        self.container._run_worker(worker, keep)  # noqa: SLF001 - nameko offers no other way
        result, exc_info = kept.pop()
        if exc_info is not None:
            raise exc_info[1]
        answer: Response = result
        return answer


def bearer_token(request: Request) -> str | None:
    """The passport of the ``Authorization`` header."""
    given = request.headers.get("Authorization", "")
    if given[: len(BEARER)].lower() != BEARER:
        return None
    return given[len(BEARER) :].strip()


def http(
    method: str,
    url: str,
    *,
    kinds: frozenset[PassportKind],
    statuses: Mapping[str, int] = NONE,
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Serve an address with a function of (service, request, passport, …).

    Values named in the address follow by keyword. ``statuses`` gives the service's own
    refusal codes their status.
    """

    def decorate(function: Callable[..., Response]) -> Callable[..., Response]:
        @functools.wraps(function)
        def entrypoint(*given: Any, **named: Any) -> Response:
            return answered(lambda: function(*given, **named), statuses)

        served: Callable[..., Response] = HttpEntrypoint.decorator(
            method, url, kinds=kinds
        )(entrypoint)
        return served

    return decorate


def open_http(
    method: str, url: str
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Serve an address to anybody with a function of (service, request, …).

    For links in mails, which carry their own proof and come without a passport.
    """

    def decorate(function: Callable[..., Response]) -> Callable[..., Response]:
        @functools.wraps(function)
        def entrypoint(*given: Any, **named: Any) -> Response:
            return answered(lambda: function(*given, **named))

        served: Callable[..., Response] = HttpEntrypoint.decorator(
            method, url, kinds=None
        )(entrypoint)
        return served

    return decorate
