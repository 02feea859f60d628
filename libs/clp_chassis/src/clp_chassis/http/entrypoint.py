"""The `http` entrypoint: check the passport, call, return refusals as JSON."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from nameko.containers import WorkerContext
from nameko.web.handlers import HttpRequestHandler
from werkzeug.wrappers import Request, Response

from clp_chassis.http.responses import NONE, handle_errors
from clp_chassis.http.server import HttpServer
from clp_chassis.observability import observed_request
from clp_chassis.observability.metrics import REQUEST_SECONDS
from clp_chassis.rpc import VERIFIER
from clp_chassis.security.passports import Passport
from clp_contracts.methods import PassportKind

BEARER: Final = "bearer "


class HttpEntrypoint(HttpRequestHandler):  # type: ignore[misc]
    """A method of a service behind an HTTP verb and a route."""

    server = HttpServer()

    def __init__(
        self,
        method: str,
        url: str,
        *,
        kinds: frozenset[PassportKind] | None,
        **options: Any,
    ) -> None:
        # None: no passport; the URL itself carries the proof.
        self.kinds = kinds
        super().__init__(method, url, **options)

    def handle_request(self, request: Request) -> Response:
        """Handle one request."""
        request.shallow = False
        began = time.perf_counter()
        response = handle_errors(lambda: self._respond(request))
        REQUEST_SECONDS.labels(self.method, self.url, response.status_code).observe(
            time.perf_counter() - began
        )
        return response

    def stop(self) -> None:
        """Accept no more requests and finish running ones."""
        super().stop()
        self.server.finish()

    def _respond(self, request: Request) -> Response:
        token = bearer_token(request)
        args: tuple[Any, ...] = (request,)
        if self.kinds is not None:
            verifier = self.container.config[VERIFIER]
            passport = verifier.verify(token, self.kinds)
            self.server.seats.take_person(request.environ, passport.subject)
            args = (request, passport)
        worker = WorkerContext(
            self.container,
            self.container.service_cls(),
            self,
            args,
            request.path_values,  # type: ignore[attr-defined]
            data={"auth_token": token},
        )
        with observed_request(self.method, self.url, worker.call_id_stack):
            return self._run(worker)

    def _run(self, worker: WorkerContext) -> Response:
        """Run the method here and not in the container's pool of workers.

        A transfer takes as long as the client's network does. In the pool, ten slow
        uploads would leave no worker for RPC.
        """
        results: list[Any] = []

        def keep_result(_worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            results.append((result, exc_info))
            return result, exc_info

        self.container._run_worker(worker, keep_result)  # noqa: SLF001 - Nameko has no public way
        result, exc_info = results.pop()
        if exc_info is not None:
            raise exc_info[1]
        response: Response = result
        return response


def bearer_token(request: Request) -> str | None:
    """Return the passport of the ``Authorization`` header."""
    header = request.headers.get("Authorization", "")
    if header[: len(BEARER)].lower() != BEARER:
        return None
    return header[len(BEARER) :].strip()


def http(
    method: str,
    url: str,
    *,
    kinds: frozenset[PassportKind],
    statuses: Mapping[str, int] = NONE,
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Serve a route with a function of (service, request, passport, …).

    Values of the route follow by keyword. ``statuses`` maps the service's own refusal
    codes to a status.
    """

    def decorate(function: Callable[..., Response]) -> Callable[..., Response]:
        @functools.wraps(function)
        def entrypoint(
            service: Any, request: Request, passport: Passport, **values: Any
        ) -> Response:
            return handle_errors(
                lambda: function(service, request, passport, **values), statuses
            )

        entry: Callable[..., Response] = HttpEntrypoint.decorator(
            method, url, kinds=kinds
        )(entrypoint)
        return entry

    return decorate


def public_http(
    method: str, url: str
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Serve a route without a passport with a function of (service, request, …).

    For links in mails, which carry their own proof.
    """

    def decorate(function: Callable[..., Response]) -> Callable[..., Response]:
        @functools.wraps(function)
        def entrypoint(service: Any, request: Request, **values: Any) -> Response:
            return handle_errors(lambda: function(service, request, **values))

        entry: Callable[..., Response] = HttpEntrypoint.decorator(
            method, url, kinds=None
        )(entrypoint)
        return entry

    return decorate
