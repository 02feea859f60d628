"""The web server: bounded connections, an address to ask for, a clean end."""

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
from clp_chassis.http.protocol import HANG_UP, Protocol
from clp_chassis.http.responses import SAFE_HEADERS, answered
from clp_contracts.errors import Refused

log = logging.getLogger(__name__)

LENGTH: Final = "content-length"
MOST_CONNECTIONS: Final = 256
SOCKET_SECONDS: Final = 30.0
IDLE_SECONDS: Final = 15.0
FINISH_SECONDS: Final = 25.0
# No request line: its query may hold what a person wrote.
LOG_FORMAT: Final = "%(client_ip)s %(status_code)s %(body_length)s %(wall_seconds).6f"

Connection = list[Any]


class HttpServer(nameko_server.WebServer):  # type: ignore[misc]
    """nameko's web server, which no client can bring down or hold up."""

    def __init__(self) -> None:
        super().__init__()
        self._is_accepting: bool = True
        self._connections: dict[int, Connection] = {}
        self._seats = Semaphore(MOST_CONNECTIONS)

    @property
    def address(self) -> tuple[str, int]:
        """Where the server listens: the real port, also when 0 was asked for."""
        host, port = self._sock.getsockname()[:2]
        return host, port

    def start(self) -> None:
        """Listen, and tell where."""
        if self._starting:
            return
        super().start()
        host, port = self.address
        log.info("listening on http://%s:%s", host, port)
        if path := self.container.config.get(HTTP_ADDRESS_FILE):
            _write_whole(Path(path), f"{host}:{port}\n")

    def run(self) -> None:
        """Take connections, as long as there is room for them."""
        while self._is_accepting:
            self._seats.acquire()
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                self._seats.release()
                # Out of file descriptors, or a client gone before it was let in: both
                # pass, and neither is worth the whole service.
                if self._is_accepting:
                    log.warning("no connection taken: %r", error)
                    eventlet.sleep(0.1)
                continue
            sock.settimeout(SOCKET_SECONDS)
            eventlet.spawn_n(self._serve, [address, sock, wsgi.STATE_IDLE])

    def _serve(self, connection: Connection) -> None:
        self._connections[id(connection)] = connection
        try:
            self._serv.process_request(connection)
        except Exception as error:  # noqa: BLE001 - one client's trouble stays its own
            log.info("a connection broke: %r", error)
        finally:
            connection[1].close()
            self._connections.pop(id(connection), None)
            self._seats.release()

    def get_wsgi_app(self) -> "App":
        """Our application around the entrypoints."""
        return App(self)

    def get_wsgi_server(self, sock: Any, wsgi_app: "App", **_: Any) -> wsgi.Server:
        """The server of eventlet with our protocol and timeouts."""
        return wsgi.Server(
            sock,
            sock.getsockname(),
            wsgi_app,
            protocol=Protocol,
            debug=False,
            log=log,
            log_format=LOG_FORMAT,
            log_x_forwarded_for=False,
            keepalive=IDLE_SECONDS,
            socket_timeout=SOCKET_SECONDS,
        )

    def finish(self) -> None:
        """Take no more connections; end idle ones, and wait for requests in hand."""
        if not self._is_accepting:
            return
        self._is_accepting = False
        self._gt.kill()
        self._sock.close()
        for connection in list(self._connections.values()):
            if connection[2] == wsgi.STATE_IDLE:
                _shut(connection[1])
            connection[2] = wsgi.STATE_CLOSE
        with eventlet.Timeout(FINISH_SECONDS, False):  # noqa: FBT003
            while self._connections:
                eventlet.sleep(0.02)

    def stop(self) -> None:
        """End; the entrypoints have finished the requests already."""
        self.finish()
        self.wait_for_providers()

    def kill(self) -> None:
        """End at once."""
        self._is_accepting = False
        for connection in list(self._connections.values()):
            _shut(connection[1])


class App:
    """Finds the entrypoint of a request and sees to the headers of every answer."""

    def __init__(self, server: HttpServer) -> None:
        self._addresses = server.make_url_map()
        self._addresses.strict_slashes = False
        self._addresses.merge_slashes = False

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        answer = answered(lambda: self._answer(environ))
        for name, value in SAFE_HEADERS.items():
            answer.headers.setdefault(name, value)
        if environ["eventlet.input"].much_unread():
            environ[HANG_UP]()
        return answer(environ, start_response)

    def _answer(self, environ: dict[str, Any]) -> Response:
        if not _has_clear_length(environ):
            # Nobody knows where this body ends and the next request begins.
            environ[HANG_UP]()
            raise Refused("ask.malformed")
        # Nobody may read the body but the entrypoint itself, in pieces.
        request = Request(environ, shallow=True)
        entrypoint, values = self._addresses.bind_to_environ(environ).match()
        request.path_values = values  # type: ignore[attr-defined]
        answer: Response = entrypoint.handle_request(request)
        return answer


def _has_clear_length(environ: Mapping[str, Any]) -> bool:
    """Whether everybody on the way has read the same length of the body."""
    lengths = [v for name, v in environ["headers_raw"] if name.lower() == LENGTH]
    encoding = str(environ.get("HTTP_TRANSFER_ENCODING", "chunked")).lower()
    plain = all(length.isascii() and length.isdigit() for length in lengths)
    return plain and len(lengths) <= 1 and encoding == "chunked"


def http_address_of(container: Any) -> tuple[str, int]:
    """Host and port on which a started container answers HTTP.

    For whoever runs containers in its own process. Another process reads the file that
    the setting ``http_address_file`` names, which is there once the port is open.
    """
    server = next(e for e in container.extensions if isinstance(e, HttpServer))
    return server.address


def _shut(sock: Any) -> None:
    try:
        sock.shutdown(2)
    except OSError:
        return


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(name).replace(path)
