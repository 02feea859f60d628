"""The port on which a process shows how it is: ``/live``, ``/ready`` and ``/metrics``.

It opens before the process waits for the broker, so that a probe hears what is missing.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, Final

import eventlet
from eventlet import wsgi
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from clp_chassis.observability.gauges import Gauges, Watched
from clp_chassis.observability.logs import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)

# A hub that has not turned for so long is blocked; its process is better restarted.
LATE_SECONDS: Final = 20.0
CHECK_SECONDS: Final = 3.0
# Probes of several watchers share an answer.
KEPT_SECONDS: Final = 1.0


class Health:
    """Whether this process lives, and whether it can work."""

    def __init__(self) -> None:
        self.running = False
        self._ticked_at = time.monotonic()
        self._checks: dict[str, Callable[[], object]] = {}
        self._seen: tuple[float, dict[str, str]] = (float("-inf"), {})

    def watch(self, watched: Watched) -> None:
        """Look at these too from now on."""
        self._checks.update(watched.checks)

    def tick(self) -> None:
        """The process's loop has come round."""
        self._ticked_at = time.monotonic()

    @property
    def lives(self) -> bool:
        """Whether the loop still comes round."""
        return time.monotonic() - self._ticked_at < LATE_SECONDS

    def ills(self) -> dict[str, str]:
        """What keeps the process from working, by the name of the check."""
        seen_at, ills = self._seen
        if time.monotonic() - seen_at > KEPT_SECONDS:
            ills = {
                name: ill
                for name, check in self._checks.items()
                if (ill := _ill(check)) is not None
            }
            self._seen = (time.monotonic(), ills)
        starting = {} if self.running else {"start": "has not started yet"}
        return starting | ills


def _ill(check: Callable[[], object]) -> str | None:
    try:
        with eventlet.Timeout(CHECK_SECONDS):
            check()
    except eventlet.Timeout:
        return f"no answer in {CHECK_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return told(error)
    return None


class Page:
    """Serves health and metrics until it is closed."""

    def __init__(self, address: str, health: Health) -> None:
        host, _, port = address.rpartition(":")
        self._health = health
        self._registry: CollectorRegistry | None = None
        self._socket = eventlet.listen(
            (host or "127.0.0.1", int(port)), reuse_port=False
        )
        self._server = eventlet.spawn(
            wsgi.server, self._socket, self._answer, log_output=False, debug=False
        )
        log.info("health and metrics on http://%s:%s", *self.address)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def watch(self, watched: Watched) -> None:
        """Show these gauges and checks too."""
        self._health.watch(watched)
        registry = CollectorRegistry()
        registry.register(Gauges(watched.gauges))
        self._registry = registry

    def close(self) -> None:
        """Listen no more."""
        self._server.kill()
        self._socket.close()

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        pages = {"/live": self._live, "/ready": self._ready, "/metrics": self._metrics}
        page = pages.get(environ["PATH_INFO"])
        if page is None or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"look at /live, /ready or /metrics\n"]
        well, kind, body = page()
        status = "200 OK" if well else "503 Service Unavailable"
        start_response(status, [("Content-Type", kind), ("Cache-Control", "no-store")])
        return [body]

    def _live(self) -> tuple[bool, str, bytes]:
        lives = self._health.lives
        return lives, *_json({"live": lives})

    def _ready(self) -> tuple[bool, str, bytes]:
        ills = self._health.ills()
        return not ills, *_json({"ready": not ills, "ills": ills})

    def _metrics(self) -> tuple[bool, str, bytes]:
        own = generate_latest(self._registry) if self._registry else b""
        return True, CONTENT_TYPE_LATEST, generate_latest(REGISTRY) + own


def _json(told_of: dict[str, Any]) -> tuple[str, bytes]:
    return "application/json", json.dumps(told_of, sort_keys=True).encode() + b"\n"
