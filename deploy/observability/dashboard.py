"""Draws `dashboard.json` for Grafana from a table of panels: ``make dashboard``."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("dashboard.json")
SOURCE: Final = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT, COLUMNS = 12, 8, 2


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph: what it asks, by what it tells lines apart, and in which unit."""

    title: str
    about: str
    unit: str
    lines: tuple[tuple[str, str], ...]
    log: bool = False


def p95(metric: str, by: str) -> str:
    """The 95th percentile of a histogram over five minutes."""
    return f"histogram_quantile(0.95, sum by (le, {by}) (rate({metric}_bucket[5m])))"


ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "Do people get answers?": (
        Panel(
            "Calls a second",
            "Answered, refused and failed ones. A refusal is an answer; failures should"
            " be zero.",
            "reqps",
            (("sum by (outcome) (rate(clp_call_seconds_count[5m]))", "{{outcome}}"),),
        ),
        Panel(
            "How long a call takes (p95)",
            "By method. Posting and reading belong under a tenth of a second.",
            "s",
            ((p95("clp_call_seconds", "service, method"), "{{service}}.{{method}}"),),
            log=True,
        ),
        Panel(
            "Calls in hand",
            "Close to ten a process means that calls wait: add a process.",
            "short",
            (("sum by (service) (clp_calls_in_flight)", "{{service}}"),),
        ),
        Panel(
            "Refusals by code",
            "What is asked for in vain, and by which code it is refused.",
            "reqps",
            (
                (
                    "sum by (service, code) (rate(clp_refusals_total[5m]))",
                    "{{service}} {{code}}",
                ),
            ),
        ),
        Panel(
            "HTTP requests (p95)",
            "Attachments up and down, and unsubscribe links.",
            "s",
            (
                (
                    p95("clp_request_seconds", "verb, path, status"),
                    "{{verb}} {{path}} {{status}}",
                ),
            ),
            log=True,
        ),
        Panel(
            "Processes that can be asked",
            "One for each process that Prometheus reaches.",
            "short",
            (('sum by (job) (up{job=~"clp.*"})', "{{job}}"),),
        ),
    ),
    "Does news travel?": (
        Panel(
            "Outboxes: changes not announced",
            "Committed, and not told to anybody yet. More than a moment's worth means"
            " that the broker is away or slow.",
            "short",
            (("max by (service) (clp_outbox_waiting_changes)", "{{service}}"),),
        ),
        Panel(
            "Outboxes: age of the oldest",
            "How long the oldest of them waits.",
            "s",
            (("max by (service) (clp_outbox_oldest_seconds)", "{{service}}"),),
        ),
        Panel(
            "Readers: changes not applied",
            "How far each reader is behind the feed it reads.",
            "short",
            (("max by (reader) (clp_feed_lag_changes)", "{{reader}}"),),
        ),
        Panel(
            "Readers: age when applied (p95)",
            "From commit to effect: routed, searchable, announced.",
            "s",
            ((p95("clp_feed_age_seconds", "reader"), "{{reader}}"),),
            log=True,
        ),
        Panel(
            "Changes announced and events heard",
            "A second, by service. They rise and fall together.",
            "short",
            (
                (
                    "sum by (service) (rate(clp_outbox_announced_total[5m]))",
                    "{{service}} announces",
                ),
                (
                    "sum by (service) (rate(clp_events_heard_total[5m]))",
                    "{{service}} hears",
                ),
            ),
        ),
        Panel(
            "Messages in the index",
            "By process; all should agree.",
            "short",
            (("max by (instance) (clp_index_documents)", "{{instance}}"),),
        ),
        Panel(
            "Size of the index",
            "By process. Under a kilobyte a message.",
            "bytes",
            (("max by (instance) (clp_index_bytes)", "{{instance}}"),),
        ),
        Panel(
            "Index lag",
            "Changes that cannot be found yet, by process.",
            "short",
            (("max by (instance) (clp_index_lag_changes)", "{{instance}}"),),
        ),
        Panel(
            "Changes set aside",
            "Could not be applied after several tries. Each one wants a look.",
            "short",
            (("sum by (reader) (clp_changes_set_aside_total)", "{{reader}}"),),
        ),
    ),
    "Do mails leave?": (
        Panel(
            "Mails due and in hand",
            "Due mails wait for a worker: add delivery processes when they pile up.",
            "short",
            (
                ("max(clp_mails_due)", "due"),
                ("max(clp_mails_claimed)", "in a worker's hands"),
                ("sum(clp_mail_lane_refused)", "workers refused by the relay's policy"),
            ),
        ),
        Panel(
            "Oldest due mail",
            "How long the mail that waits longest has been due.",
            "s",
            (("max(clp_mails_oldest_seconds)", "oldest"),),
        ),
        Panel(
            "What became of notifications",
            "Steps a second, by state and reason.",
            "short",
            (
                (
                    "sum by (state, reason) (rate(clp_notifications_moved_total[5m]))",
                    "{{state}} {{reason}}",
                ),
            ),
        ),
        Panel(
            "Given up",
            "Dead notifications, until an operator sends them again, and addresses that"
            " get no mail until one releases them.",
            "short",
            (
                ("max(clp_notifications_dead)", "notifications"),
                ("max(clp_addresses_suppressed)", "addresses"),
            ),
        ),
    ),
}


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "title": "CLP Communications",
        "uid": "clp-communications",
        "tags": ["clp"],
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                {"name": "source", "label": "Prometheus", "type": "datasource"}
                | {"query": "prometheus"}
            ]
        },
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for title, panels in ROWS.items():
        number += 1
        yield {"type": "row", "id": number, "title": title, "collapsed": False} | {
            "gridPos": {"x": 0, "y": top, "w": WIDTH * COLUMNS, "h": 1},
            "panels": [],
        }
        top += 1
        for place, panel in enumerate(panels):
            number += 1
            down, across = divmod(place, COLUMNS)
            at = {"x": across * WIDTH, "y": top + down * HEIGHT}
            yield _graph(panel, number, at | {"w": WIDTH, "h": HEIGHT})
        top += -(-len(panels) // COLUMNS) * HEIGHT


def _graph(panel: Panel, number: int, at: dict[str, int]) -> dict[str, Any]:
    scale = {"type": "log", "log": 10} if panel.log else {"type": "linear"}
    return {
        "type": "timeseries",
        "id": number,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": at,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": None if panel.log else 0,
                "custom": {"scaleDistribution": scale, "fillOpacity": 8},
            },
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {"refId": chr(ord("A") + place), "expr": asked, "legendFormat": legend}
            | {"datasource": SOURCE}
            for place, (asked, legend) in enumerate(panel.lines)
        ],
    }


def written() -> str:
    """The file as it should be."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
