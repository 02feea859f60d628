"""The web server: bounded connections, a known address, a clean stop."""

import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import eventlet
from eventlet import wsgi
from eventlet.semaphore import Semaphore
from nameko.web import server as nameko_server
from werkzeug.wrappers import Request, Response

from clp_chassis.bootstrap import HTTP_ADDRESS_FILE
from clp_chassis.http.protocol import CLOSE_CONNECTION, Protocol
from clp_chassis.http.responses import SAFE_HEADERS, handle_errors
from clp_contracts.errors import Refused

log = logging.getLogger(__name__)

LENGTH: Final = "content-length"
MAX_CONNECTIONS: Final = 256
SOCKET_TIMEOUT_S: Final = 30.0
IDLE_TIMEOUT_S: Final = 15.0
FINISH_TIMEOUT_S: Final = 25.0
# No request line: its query may hold a person's text.
LOG_FORMAT: Final = "%(client_ip)s %(status_code)s %(body_length)s %(wall_seconds).6f"

Connection = list[Any]


class HttpServer(nameko_server.WebServer):  # type: ignore[misc]
    """Nameko's web server, which no client can bring down or block."""

    def __init__(self) -> None:
        super().__init__()
        self._is_accepting: bool = True
        self._connections: dict[int, Connection] = {}
        self._seats = Semaphore(MAX_CONNECTIONS)

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
        """Accept connections while there are free slots."""
        while self._is_accepting:
            self._seats.acquire()
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                self._seats.release()
                # Out of file descriptors, or a client gone before it was accepted:
                # both pass, and neither may end the service.
                if self._is_accepting:
                    log.warning("no connection accepted: %r", error)
                    eventlet.sleep(0.1)
                continue
            sock.settimeout(SOCKET_TIMEOUT_S)
            eventlet.spawn_n(self._serve, [address, sock, wsgi.STATE_IDLE])

    def _serve(self, connection: Connection) -> None:
        self._connections[id(connection)] = connection
        try:
            self._serv.process_request(connection)
        except Exception as error:  # noqa: BLE001 - one client's error ends its connection only
            log.info("connection failed: %r", error)
        finally:
            connection[1].close()
            self._connections.pop(id(connection), None)
            self._seats.release()

    def get_wsgi_app(self) -> "App":
        """Return the WSGI application around the entrypoints."""
        return App(self)

    def get_wsgi_server(self, sock: Any, wsgi_app: "App", **_: Any) -> wsgi.Server:
        """Return eventlet's server with our protocol and timeouts."""
        return wsgi.Server(
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

    def finish(self) -> None:
        """Accept no more connections; close idle ones, wait for running requests."""
        if not self._is_accepting:
            return
        self._is_accepting = False
        self._gt.kill()
        self._sock.close()
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
        self._routes = server.make_url_map()
        self._routes.strict_slashes = False
        self._routes.merge_slashes = False

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Handle one request (WSGI)."""
        response = handle_errors(lambda: self._respond(environ))
        for name, value in SAFE_HEADERS.items():
            response.headers.setdefault(name, value)
        if environ["eventlet.input"].much_unread():
            environ[CLOSE_CONNECTION]()
        return response(environ, start_response)

    def _respond(self, environ: dict[str, Any]) -> Response:
        if not _has_clear_length(environ):
            # It is unclear where this body ends and the next request begins.
            environ[CLOSE_CONNECTION]()
            raise Refused("request.malformed")
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
