"""The web server: limits, a known address, event streams, a clean stop."""

import json
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import eventlet
from eventlet import wsgi
from nameko.web import server as nameko_server
from werkzeug.wrappers import Request, Response

from clp_chassis.bootstrap import HTTP_ADDRESS_FILE, TRUSTED_PROXIES
from clp_chassis.http.event_stream import EventStreamResponse
from clp_chassis.http.protocol import CLIENT_SOCKET, CLOSE_CONNECTION, Protocol
from clp_chassis.http.responses import RETRY_AFTER_S, SAFE_HEADERS, handle_errors
from clp_chassis.http.seats import (
    HTTP_LIMITS,
    HttpLimits,
    HttpSeats,
    TrustedProxies,
    key_of,
)
from clp_contracts.error_codes import CODES
from clp_contracts.errors import Refused

log = logging.getLogger(__name__)

LENGTH: Final = "content-length"
SOCKET_TIMEOUT_S: Final = 30.0
IDLE_TIMEOUT_S: Final = 15.0
FINISH_TIMEOUT_S: Final = 25.0
# No request line: its query may hold a person's text.
LOG_FORMAT: Final = "%(client_ip)s %(status_code)s %(body_length)s %(wall_seconds).6f"

# For a client that is refused before it is read. Its connection is closed.
NO_SEAT: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
    b"Retry-After: %d\r\nConnection: close\r\nContent-Length: %d\r\n%b\r\n%b"
)
SAFE_HEADER_LINES: Final = "".join(
    f"{name}: {value}\r\n" for name, value in SAFE_HEADERS.items()
).encode()

Connection = list[Any]
RefusalResponse = Callable[[Request, Refused], Response]
# The container setting with a `RefusalResponse`: how a service answers what no
# entrypoint of it has seen. Without it the answer is JSON.
HTTP_REFUSALS: Final = "clp_http_refusals"


class HttpServer(nameko_server.WebServer):  # type: ignore[misc]
    """Nameko's web server, which no client can bring down or block."""

    def __init__(self) -> None:
        super().__init__()
        self._is_accepting: bool = True
        self._connections: dict[int, Connection] = {}

    def setup(self) -> None:
        """Create the seats that the container's settings allow."""
        super().setup()
        config = self.container.config
        proxies = TrustedProxies(config.get(TRUSTED_PROXIES, ()))
        limits = config.get(HTTP_LIMITS) or HttpLimits(trusted_proxies=proxies)
        self.seats = HttpSeats(limits)

    def readiness_checks(self) -> Mapping[str, Callable[[], object]]:
        """Return the readiness checks of this extension."""
        return {"http": self.seats.check}

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it listens on: the real port, also when 0 was set."""
        host, port = self._sock.getsockname()[:2]
        return host, port

    def start(self) -> None:
        """Listen; log the address and write it to the address file."""
        if self._starting:
            return
        super().start()
        host, port = self.address
        log.info("listening on http://%s:%s", host, port)
        if path := self.container.config.get(HTTP_ADDRESS_FILE):
            _write_atomically(Path(path), f"{host}:{port}\n")

    def run(self) -> None:
        """Accept connections; refuse those without a seat."""
        while self._is_accepting:
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                # Out of file descriptors, or a client gone before it was accepted:
                # both pass, and neither may end the service.
                if self._is_accepting:
                    log.warning("no connection accepted: %r", error)
                    eventlet.sleep(0.1)
                continue
            sock.settimeout(SOCKET_TIMEOUT_S)
            # A response of several segments must not wait for acknowledgements.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            key = self._connection_key(address)
            if self.seats.connections.take(key):
                connection = [address, sock, wsgi.STATE_IDLE]
                eventlet.spawn_n(self._serve, connection, key)
            else:
                _refuse(sock)

    def _connection_key(self, address: Any) -> str:
        """Count connections per client; a proxy has one for each of its clients."""
        host, port = address[:2]
        is_proxy = host in self.seats.limits.trusted_proxies
        return f"{host} {port}" if is_proxy else key_of(host)

    def _serve(self, connection: Connection, key: str) -> None:
        self._connections[id(connection)] = connection
        try:
            self._serv.process_request(connection)
        except Exception as error:  # noqa: BLE001 - one client's error ends its connection only
            log.info("connection failed: %r", error)
        finally:
            connection[1].close()
            self._connections.pop(id(connection), None)
            self.seats.connections.free(key)

    def get_wsgi_app(self) -> "App":
        """Return the WSGI application around the entrypoints."""
        return App(self)

    def get_wsgi_server(self, sock: Any, wsgi_app: "App", **_: Any) -> wsgi.Server:
        """Return eventlet's server with our protocol and timeouts."""
        server = wsgi.Server(
            sock,
            sock.getsockname(),
            wsgi_app,
            protocol=Protocol,
            debug=False,
            log=log,
            log_format=LOG_FORMAT,
            log_x_forwarded_for=False,
            keepalive=IDLE_TIMEOUT_S,
            socket_timeout=SOCKET_TIMEOUT_S,
        )
        server.head_timeout_s = self.seats.limits.head_timeout_s
        return server

    def finish(self) -> None:
        """Accept no more connections; end streams, wait for running requests."""
        if not self._is_accepting:
            return
        self._is_accepting = False
        self._gt.kill()
        self._sock.close()
        # A stream has no end of its own.
        self.seats.close_streams()
        for connection in list(self._connections.values()):
            if connection[2] == wsgi.STATE_IDLE:
                _shut(connection[1])
            connection[2] = wsgi.STATE_CLOSE
        with eventlet.Timeout(FINISH_TIMEOUT_S, False):  # noqa: FBT003
            while self._connections:
                eventlet.sleep(0.02)

    def stop(self) -> None:
        """Stop; the entrypoints have finished their requests already."""
        self.finish()
        self.wait_for_providers()

    def kill(self) -> None:
        """Stop at once."""
        self._is_accepting = False
        for connection in list(self._connections.values()):
            _shut(connection[1])


class App:
    """Route requests to entrypoints and set the default headers of every response."""

    def __init__(self, server: HttpServer) -> None:
        self._seats = server.seats
        self._refusal_response: RefusalResponse | None = server.container.config.get(
            HTTP_REFUSALS
        )
        self._routes = server.make_url_map()
        self._routes.strict_slashes = False
        self._routes.merge_slashes = False

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Handle one request (WSGI)."""
        response = self._handled(environ, lambda: self._respond(environ))
        if isinstance(response, EventStreamResponse):
            stream = response
            response = self._handled(environ, lambda: self._streaming(environ, stream))
        for name, value in SAFE_HEADERS.items():
            response.headers.setdefault(name, value)
        if environ["eventlet.input"].much_unread():
            environ[CLOSE_CONNECTION]()
        return response(environ, start_response)

    def _handled(
        self, environ: dict[str, Any], respond: Callable[[], Response]
    ) -> Response:
        if (response := self._refusal_response) is None:
            return handle_errors(respond)
        request = Request(environ, shallow=True)
        return handle_errors(
            respond, refusal_response=lambda refused: response(request, refused)
        )

    def _streaming(
        self, environ: dict[str, Any], response: EventStreamResponse
    ) -> Response:
        """Keep the connection for a stream, with a seat of its own."""
        try:
            self._seats.take_stream(environ, response.event_stream, response.person)
        except Refused:
            response.event_stream.close()
            raise
        response.event_stream.attach(environ[CLIENT_SOCKET])
        # eventlet would hold back frames until it has 4 KiB of them.
        environ["eventlet.minimum_write_chunk_size"] = 1
        environ[CLOSE_CONNECTION]()
        return response

    def _respond(self, environ: dict[str, Any]) -> Response:
        if not _has_clear_length(environ):
            # It is unclear where this body ends and the next request begins.
            environ[CLOSE_CONNECTION]()
            raise Refused("request.malformed")
        self._seats.take_request(environ)
        # Only the entrypoint itself reads the body, in chunks.
        request = Request(environ, shallow=True)
        entrypoint, values = self._routes.bind_to_environ(environ).match()
        request.path_values = values  # type: ignore[attr-defined]
        response: Response = entrypoint.handle_request(request)
        return response


def _has_clear_length(environ: Mapping[str, Any]) -> bool:
    """Whether every proxy on the way has read the same length of the body."""
    lengths = [v for name, v in environ["headers_raw"] if name.lower() == LENGTH]
    encoding = str(environ.get("HTTP_TRANSFER_ENCODING", "chunked")).lower()
    plain = all(length.isascii() and length.isdigit() for length in lengths)
    return plain and len(lengths) <= 1 and encoding == "chunked"


def http_address_of(container: Any) -> tuple[str, int]:
    """Return host and port on which a started container serves HTTP.

    For programs that run containers in their own process. Another process reads the
    file named by ``http_address_file``, which exists once the port is open.
    """
    server = next(e for e in container.extensions if isinstance(e, HttpServer))
    return server.address


def _refuse(sock: Any) -> None:
    code = "service.unavailable"
    body = json.dumps({"code": code, "sentence": CODES[code]}).encode()
    with suppress(OSError):
        # A new socket has room for so little.
        sock.settimeout(0)
        sock.send(NO_SEAT % (RETRY_AFTER_S, len(body), SAFE_HEADER_LINES, body))
    _shut(sock)
    sock.close()


def _shut(sock: Any) -> None:
    try:
        sock.shutdown(2)
    except OSError:
        return


def _write_atomically(path: Path, text: str) -> None:
    """Write a file that no reader sees half written."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(name).replace(path)
