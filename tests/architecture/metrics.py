"""The metrics that the code shows, and those that dashboards and alerts ask for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import SHIPPED, sources_of

NAME = re.compile(r"clp_[a-z_]+")
# What Prometheus adds to the name of a counter or a histogram.
ENDINGS = ("_bucket", "_count", "_sum", "_total")
MAKERS = {"Counter", "Gauge", "Histogram", "Reading", "GaugeMetricFamily"}


def metrics_shown(root: Path) -> set[str]:
    """The names of all metrics, as the code declares them."""
    return {
        name
        for source in sources_of(root, SHIPPED)
        if "observability/dashboard" not in source.name
        for call in ast.walk(source.syntax)
        if isinstance(call, ast.Call)
        for name in _declared(call)
    }


def _declared(call: ast.Call) -> Iterator[str]:
    maker = call.func.id if isinstance(call.func, ast.Name) else ""
    if maker not in MAKERS:
        return
    given = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "name")]
    for value in given:
        if isinstance(value, ast.Constant) and NAME.fullmatch(str(value.value)):
            yield str(value.value)


def metrics_asked(text: str) -> set[str]:
    """The metrics that a query, a dashboard or a rule names, without their endings."""
    return {_plain(name) for name in NAME.findall(text)}


def _plain(name: str) -> str:
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name
