"""The dashboard and the alert rules query metrics that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.metrics import declared_metrics, queried_metrics
from tests.architecture.tree import ROOT, files_of

ALERTS = [
    ROOT / "deploy/observability" / name for name in ("alerts.yaml", "health.yaml")
]
DASHBOARD = ROOT / "deploy/observability/dashboard.json"
# The action of an alert names a command, in back quotes, that shows the matter.
COMMAND = re.compile(r"`(clp-ops|python -m|curl) [^`]+`")


def rules() -> list[dict[str, object]]:
    return [
        rule
        for path in ALERTS
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def panels() -> list[dict[str, Any]]:
    content: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return list(content["panels"])


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    cells = [
        (at["x"] + across, at["y"] + down)
        for panel in panels()
        for at in [panel["gridPos"]]
        for across in range(at["w"])
        for down in range(at["h"])
    ]

    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels()}) == len(panels())


@pytest.fixture(scope="module")
def declared() -> set[str]:
    """The metrics of the code, which is read once for all alerts."""
    return declared_metrics(ROOT)


def test_the_dashboard_queries_metrics_that_exist(declared: set[str]) -> None:
    queried = {
        metric
        for panel in panels()
        for target in panel.get("targets", ())
        for metric in queried_metrics(target["expr"])
    }

    assert queried <= declared
    assert len(queried) > 10


def test_every_metric_is_on_the_dashboard(declared: set[str]) -> None:
    text = DASHBOARD.read_text(encoding="utf-8")

    assert declared <= queried_metrics(text)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_queries_metrics_that_exist_and_names_an_action(
    rule: dict[str, dict[str, str]], declared: set[str]
) -> None:
    queried = queried_metrics(str(rule["expr"]))

    assert queried <= declared
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert COMMAND.search(rule["annotations"]["action"])


def test_every_alert_that_a_page_names_exists() -> None:
    pages = (path for path in files_of(ROOT) if path.suffix == ".md")
    named = {
        alert
        for page in pages
        for alert in re.findall(r"`(Clp[A-Z]\w+)`", page.read_text(encoding="utf-8"))
    }

    assert len(named) > 1
    assert named <= {str(rule["alert"]) for rule in rules()}


def test_a_metric_nobody_declares_is_noticed(tmp_path: Path) -> None:
    code = tmp_path / "libs/part"
    code.mkdir(parents=True)
    (code / "a.py").write_text('C = Counter("clp_things_done", "Done.")\n')

    assert declared_metrics(tmp_path) == {"clp_things_done"}
    assert queried_metrics("rate(clp_things_done_total[5m]) > clp_things_due") == {
        "clp_things_done",
        "clp_things_due",
    }
