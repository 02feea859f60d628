"""Metrics declared by code, and metrics queried by dashboards and alerts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import SHIPPED, sources_of

NAME = re.compile(r"clp_[a-z_]+")
# Suffixes added by Prometheus.
SUFFIXES = ("_bucket", "_count", "_sum", "_total")
METRIC_FACTORIES = {
    "Sign",
    "Counter",
    "Gauge",
    "Histogram",
    "GaugeSample",
    "GaugeMetricFamily",
}


def declared_metrics(root: Path) -> set[str]:
    """The names of all metrics declared in code."""
    return {
        name
        for source in sources_of(root, SHIPPED)
        for call in ast.walk(source.syntax)
        if isinstance(call, ast.Call)
        for name in _declared(call)
    }


def _declared(call: ast.Call) -> Iterator[str]:
    maker = call.func.id if isinstance(call.func, ast.Name) else ""
    if maker not in METRIC_FACTORIES:
        return
    given = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "name")]
    for value in given:
        if isinstance(value, ast.Constant) and NAME.fullmatch(str(value.value)):
            yield _plain(str(value.value))


def queried_metrics(text: str) -> set[str]:
    """The metrics named by a query, dashboard or rule, without suffixes."""
    return {_plain(name) for name in NAME.findall(text)}


def _plain(name: str) -> str:
    for ending in SUFFIXES:
        name = name.removesuffix(ending)
    return name
