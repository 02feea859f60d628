"""The dashboard and the alert rules ask for metrics that exist, and name no person."""

import json
from pathlib import Path

import pytest
import yaml

from deploy.observability import dashboard
from tests.architecture.metrics import metrics_asked, metrics_shown
from tests.architecture.tree import ROOT

ALERTS = ROOT / "deploy/observability/alerts.yaml"
# A gauge that is declared by a name of its own, not by a literal.
NAMED_ELSEWHERE = {"clp_gauges_unreadable"}


def rules() -> list[dict[str, object]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_dashboard_is_the_one_its_table_draws() -> None:
    assert dashboard.FILE.read_text(encoding="utf-8") == dashboard.written(), (
        "make dashboard"
    )


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    asked = {
        metric
        for panel in dashboard.dashboard()["panels"]
        for target in panel.get("targets", ())
        for metric in metrics_asked(target["expr"])
    }

    assert asked <= metrics_shown(ROOT) | NAMED_ELSEWHERE
    assert len(asked) > 10


def test_every_metric_is_on_the_dashboard() -> None:
    shown = json.dumps(dashboard.dashboard())

    assert metrics_shown(ROOT) <= metrics_asked(shown)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_metrics_that_exist_and_says_what_to_do(
    rule: dict[str, dict[str, str]],
) -> None:
    asked = metrics_asked(str(rule["expr"]))

    assert asked <= metrics_shown(ROOT) | NAMED_ELSEWHERE
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["action"]


def test_a_metric_nobody_declares_is_noticed(tmp_path: Path) -> None:
    code = tmp_path / "libs/part"
    code.mkdir(parents=True)
    (code / "a.py").write_text('C = Counter("clp_things_done", "Done.")\n')

    assert metrics_shown(tmp_path) == {"clp_things_done"}
    assert metrics_asked("rate(clp_things_done_total[5m]) > clp_things_due") == {
        "clp_things_done",
        "clp_things_due",
    }
