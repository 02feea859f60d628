"""Serve ``/live``, ``/ready`` and ``/metrics`` of a process on a port of its own.

The port opens before the process waits for the broker, so that a probe is told what is
missing.
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

from clp_chassis.observability.gauges import Gauges, Probes
from clp_chassis.observability.logs import safe_error_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)

# A hub that has not run for so long is blocked; restart its process.
MAX_TICK_AGE_S: Final = 20.0
CHECK_TIMEOUT_S: Final = 3.0
# Probes of several clients share a result.
RESULT_TTL_S: Final = 1.0


class Health:
    """Liveness and readiness of this process."""

    def __init__(self) -> None:
        self.running = False
        self._ticked_at = time.monotonic()
        self._checks: dict[str, Callable[[], object]] = {}
        self._last_result: tuple[float, dict[str, str]] = (float("-inf"), {})

    def watch(self, probes: Probes) -> None:
        """Add readiness checks."""
        self._checks.update(probes.checks)

    def tick(self) -> None:
        """Record that the process's loop runs."""
        self._ticked_at = time.monotonic()

    @property
    def lives(self) -> bool:
        """Whether the loop has run lately."""
        return time.monotonic() - self._ticked_at < MAX_TICK_AGE_S

    def problems(self) -> dict[str, str]:
        """Return what keeps the process from working, by the name of the check."""
        checked_at, problems = self._last_result
        if time.monotonic() - checked_at > RESULT_TTL_S:
            problems = {
                name: failure
                for name, check in self._checks.items()
                if (failure := _failure(check)) is not None
            }
            self._last_result = (time.monotonic(), problems)
        starting = {} if self.running else {"start": "has not started yet"}
        return starting | problems


def _failure(check: Callable[[], object]) -> str | None:
    try:
        with eventlet.Timeout(CHECK_TIMEOUT_S):
            check()
    except eventlet.Timeout:
        return f"no response in {CHECK_TIMEOUT_S:g} s"
    except Exception as error:  # noqa: BLE001 - every error is a problem
        return safe_error_text(error)
    return None


class HealthServer:
    """Serve health and metrics until it is closed."""

    def __init__(self, address: str, health: Health) -> None:
        host, _, port = address.rpartition(":")
        self._health = health
        self._registry: CollectorRegistry | None = None
        self._socket = eventlet.listen(
            (host or "127.0.0.1", int(port)), reuse_port=False
        )
        self._server = eventlet.spawn(
            wsgi.server, self._socket, self._respond, log_output=False, debug=False
        )
        log.info("health and metrics on http://%s:%s", *self.address)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it listens on."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def watch(self, probes: Probes) -> None:
        """Add the gauges and readiness checks of a process."""
        self._health.watch(probes)
        registry = CollectorRegistry()
        registry.register(Gauges(probes.gauges))
        self._registry = registry

    def close(self) -> None:
        """Stop listening."""
        self._server.kill()
        self._socket.close()

    def _respond(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        pages = {"/live": self._live, "/ready": self._ready, "/metrics": self._metrics}
        page = pages.get(environ["PATH_INFO"])
        if page is None or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"try /live, /ready or /metrics\n"]
        is_ok, content_type, body = page()
        status = "200 OK" if is_ok else "503 Service Unavailable"
        start_response(
            status, [("Content-Type", content_type), ("Cache-Control", "no-store")]
        )
        return [body]

    def _live(self) -> tuple[bool, str, bytes]:
        lives = self._health.lives
        return lives, *_json({"live": lives})

    def _ready(self) -> tuple[bool, str, bytes]:
        problems = self._health.problems()
        return not problems, *_json({"ready": not problems, "problems": problems})

    def _metrics(self) -> tuple[bool, str, bytes]:
        own = generate_latest(self._registry) if self._registry else b""
        return True, CONTENT_TYPE_LATEST, generate_latest(REGISTRY) + own


def _json(body: dict[str, Any]) -> tuple[str, bytes]:
    return "application/json", json.dumps(body, sort_keys=True).encode() + b"\n"
