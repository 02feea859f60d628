"""A process shows on a port of its own whether it lives, is ready, and what it counts."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator

import pytest

from clp_chassis.observability import Reading, Watched
from clp_chassis.observability.health_server import Health, Page

Answer = tuple[int, str]


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def page(health: Health) -> Iterator[Page]:
    opened = Page("127.0.0.1:0", health)
    yield opened
    opened.close()


def get(page: Page, path: str) -> Answer:
    host, port = page.address
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}") as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def ills_of(page: Page) -> dict[str, str]:
    ills: dict[str, str] = json.loads(get(page, "/ready")[1])["ills"]
    return ills


def test_a_process_lives_as_soon_as_it_listens(page: Page) -> None:
    assert get(page, "/live") == (200, '{"live": true}\n')


def test_a_process_whose_loop_stands_still_does_not_live(
    page: Page, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clp_chassis.observability.health_server.LATE_SECONDS", 0.0)

    assert get(page, "/live")[0] == 503
    health.tick()
    monkeypatch.undo()
    assert get(page, "/live")[0] == 200


def test_a_process_is_not_ready_before_it_runs(page: Page, health: Health) -> None:
    assert get(page, "/ready")[0] == 503
    assert ills_of(page) == {"start": "has not started yet"}

    health.running = True

    assert get(page, "/ready") == (200, '{"ills": {}, "ready": true}\n')


def test_what_ails_a_process_is_named_and_not_quoted(
    page: Page, health: Health
) -> None:
    def broken() -> None:
        raise ValueError("row of ivy@studio.example")

    health.running = True
    page.watch(Watched(checks={"database": broken, "broker": lambda: None}))

    assert get(page, "/ready")[0] == 503
    assert ills_of(page) == {"database": "ValueError"}


def test_a_check_that_never_answers_is_an_ill(
    page: Page, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clp_chassis.observability.health_server.CHECK_SECONDS", 0.05)
    import eventlet  # noqa: PLC0415 - patched by then

    health.running = True
    page.watch(Watched(checks={"broker": lambda: eventlet.sleep(60)}))

    assert ills_of(page) == {"broker": "no answer in 0.05 s"}


def test_gauges_are_read_when_they_are_fetched(page: Page) -> None:
    due = iter([3, 5])

    def mails() -> Iterable[Reading]:
        labels = {"service": "notifications"}
        yield Reading(name="clp_t_due", help="Due.", value=next(due), labels=labels)

    page.watch(Watched(gauges=(mails,)))

    assert 'clp_t_due{service="notifications"} 3.0' in get(page, "/metrics")[1]
    assert 'clp_t_due{service="notifications"} 5.0' in get(page, "/metrics")[1]


def test_a_gauge_that_fails_hides_no_other(page: Page) -> None:
    def broken() -> Iterable[Reading]:
        raise OSError("no database")

    page.watch(
        Watched(gauges=(broken, lambda: [Reading(name="clp_t_ok", help="", value=1)]))
    )
    metrics = get(page, "/metrics")[1]

    assert "clp_t_ok 1.0" in metrics
    assert "clp_gauges_unreadable 1.0" in metrics


def test_nothing_else_is_served(page: Page) -> None:
    assert get(page, "/metrics/../etc")[0] == 404
    assert get(page, "/")[0] == 404
