"""Each alert fires when what it tells of is true, and only then (promtool)."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from clp_contracts.health import SIGNS

pytestmark = pytest.mark.promtool

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"
FILES = [FOLDER / "alerts.yaml", FOLDER / "health.yaml"]

# fmt: off
BY_HAND = {
    # alert                  what makes it true, from minute to minute                                        after
    "ClpCallsFail":          ({'clp_call_seconds_count{outcome="failed",service="messages"}': "0+60x30"},          15),
    "ClpCallsAreSlow":       ({'clp_call_seconds_bucket{service="search",method="find",le="1"}': "0+1x40",
                               'clp_call_seconds_bucket{service="search",method="find",le="2.5"}': "0+60x40",
                               'clp_call_seconds_bucket{service="search",method="find",le="+Inf"}': "0+60x40"},    30),
    "ClpMailsBounceByPolicy": ({"clp_policy_bounces_total": "0+1x60"},                                              30),
    "ClpProcessIsGone":      ({'up{job="clp-messages"}': "0x20"},                                                 10),
    "ClpGaugesUnreadable":   ({'clp_gauges_unreadable{job="clp-messages"}': "1x20"},                              15),
}
# fmt: on
CALM = {
    'clp_call_seconds_count{outcome="succeeded",service="messages"}': "0+60x60",
    'clp_call_seconds_bucket{service="search",method="find",le="1"}': "0+60x60",
    'clp_call_seconds_bucket{service="search",method="find",le="+Inf"}': "0+60x60",
    "clp_policy_bounces_total": "3x60",
    'up{job="clp-messages"}': "1x60",
    'clp_gauges_unreadable{job="clp-messages"}': "0x60",
} | {
    f'{sign.metric}{{{sign.label}="x"}}': f"{sign.limit:g}x60"
    for sign in SIGNS.values()
}


def rules() -> dict[str, dict[str, Any]]:
    return {
        rule["alert"]: rule
        for path in FILES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    }


def series(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": value} for name, value in values.items()]


def made_true() -> dict[str, tuple[dict[str, str], int]]:
    """For each alert the series that make it true, and the minute it has fired by."""
    of_signs = {
        sign.alert: (
            {f'{sign.metric}{{{sign.label}="x"}}': f"{sign.limit + 1:g}x20"},
            sign.minutes + 2,
        )
        for sign in SIGNS.values()
    }
    return BY_HAND | of_signs


def promtool(tests: list[dict[str, Any]], folder: Path) -> str:
    """Run unit tests of the rules; return what failed, empty if nothing did."""
    file = folder / "tests.yaml"
    names = [str(path) for path in FILES]
    content = {"rule_files": names, "evaluation_interval": "1m", "tests": tests}
    file.write_text(yaml.safe_dump(content))
    program = shutil.which("promtool")
    assert program is not None, "install prometheus: deploy/install/test_alerts.sh"
    done = subprocess.run(
        [program, "test", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_every_alert_has_a_case() -> None:
    assert set(made_true()) == set(rules())


@pytest.mark.parametrize("alert", sorted(made_true()))
def test_an_alert_fires_when_it_is_true(alert: str, tmp_path: Path) -> None:
    values, minutes = made_true()[alert]
    given = series(values)
    # An expectation that cannot hold shows which alerts fire, with their labels.
    silent = {
        "interval": "1m",
        "input_series": given,
        "alert_rule_test": [
            {"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": []}
        ],
    }
    fired = promtool([silent], tmp_path)
    assert f'alertname="{alert}"' in fired
    assert "<no value>" not in fired
    early = silent | {
        "alert_rule_test": [{"eval_time": "0m", "alertname": alert, "exp_alerts": []}]
    }
    assert not promtool([early], tmp_path)


def test_no_alert_fires_in_a_healthy_system(tmp_path: Path) -> None:
    calm = {
        "interval": "1m",
        "input_series": series(CALM),
        "alert_rule_test": [
            {"eval_time": "45m", "alertname": alert, "exp_alerts": []}
            for alert in rules()
        ],
    }
    assert not promtool([calm], tmp_path)
