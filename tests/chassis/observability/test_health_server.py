"""Liveness, readiness and metrics on a port of their own."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator

import pytest

from clp_chassis.observability import GaugeSample, Probes
from clp_chassis.observability.health_server import Health, HealthServer

HttpResponse = tuple[int, str]


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    opened = HealthServer("127.0.0.1:0", health)
    yield opened
    opened.close()


def get(server: HealthServer, path: str) -> HttpResponse:
    host, port = server.address
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}") as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def problems_of(server: HealthServer) -> dict[str, str]:
    problems: dict[str, str] = json.loads(get(server, "/ready")[1])["problems"]
    return problems


def test_a_process_is_live_as_soon_as_it_listens(server: HealthServer) -> None:
    assert get(server, "/live") == (200, '{"live": true}\n')


def test_a_process_whose_loop_is_blocked_is_not_live(
    server: HealthServer, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clp_chassis.observability.health_server.MAX_TICK_AGE_S", 0.0)

    assert get(server, "/live")[0] == 503
    health.tick()
    monkeypatch.undo()
    assert get(server, "/live")[0] == 200


def test_a_process_is_not_ready_before_it_runs(
    server: HealthServer, health: Health
) -> None:
    assert get(server, "/ready")[0] == 503
    assert problems_of(server) == {"start": "has not started yet"}

    health.running = True

    assert get(server, "/ready") == (200, '{"problems": {}, "ready": true}\n')


def test_an_error_of_a_check_is_named_and_not_quoted(
    server: HealthServer, health: Health
) -> None:
    def broken() -> None:
        raise ValueError("row of ivy@studio.example")

    health.running = True
    server.watch(Probes(checks={"database": broken, "broker": lambda: None}))

    assert get(server, "/ready")[0] == 503
    assert problems_of(server) == {"database": "ValueError"}


def test_a_check_that_never_returns_is_a_problem(
    server: HealthServer, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clp_chassis.observability.health_server.CHECK_TIMEOUT_S", 0.05)
    import eventlet  # noqa: PLC0415 - patched by then

    health.running = True
    server.watch(Probes(checks={"broker": lambda: eventlet.sleep(60)}))

    assert problems_of(server) == {"broker": "no response in 0.05 s"}


def test_gauges_are_read_when_they_are_fetched(server: HealthServer) -> None:
    due = iter([3, 5])

    def mails() -> Iterable[GaugeSample]:
        labels = {"service": "notifications"}
        yield GaugeSample(name="clp_t_due", help="Due.", value=next(due), labels=labels)

    server.watch(Probes(gauges=(mails,)))

    assert 'clp_t_due{service="notifications"} 3.0' in get(server, "/metrics")[1]
    assert 'clp_t_due{service="notifications"} 5.0' in get(server, "/metrics")[1]


def test_a_gauge_that_fails_hides_no_other(server: HealthServer) -> None:
    def broken() -> Iterable[GaugeSample]:
        raise OSError("no database")

    server.watch(
        Probes(
            gauges=(broken, lambda: [GaugeSample(name="clp_t_ok", help="", value=1)])
        )
    )
    metrics = get(server, "/metrics")[1]

    assert "clp_t_ok 1.0" in metrics
    assert "clp_gauges_unreadable 1.0" in metrics


def test_nothing_else_is_served(server: HealthServer) -> None:
    assert get(server, "/metrics/../etc")[0] == 404
    assert get(server, "/")[0] == 404
