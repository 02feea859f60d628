"""The page of metrics, found in the syntax of the code that declares them."""

import ast
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from clp_deploy.processes import PROCESS_TYPES
from clp_deploy.reference.markdown import code, page, table

COUNTER: Final = "counter"
FACTORIES: Final = {
    "Counter": COUNTER,
    "Gauge": "gauge",
    "GaugeSample": "gauge",
    "GaugeMetricFamily": "gauge",
    "Histogram": "histogram",
}
# The arguments of a sign of health: metric, label, alert, meaning.
SIGN: Final = "Sign"
LABELS: Final = frozenset({"labels", "labelnames"})


def metrics_page() -> str:
    """The page of metrics."""
    rows = (
        (code(name), kind, ", ".join(map(code, labels)), meaning)
        for name, kind, labels, meaning in sorted(set(metrics()))
    )
    return page(
        "Metrics",
        "Processes serve these in the format of Prometheus at `/metrics` of their"
        " observe address. Labels name services, methods, readers and codes: never a"
        " person, a project or a channel. A histogram has the series `NAME_bucket`,"
        " `NAME_sum` and `NAME_count`.",
        table(("metric", "kind", "labels", "meaning"), rows),
    )


def metrics() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Name as it is served, kind, labels and meaning of each declared metric."""
    packages = ("clp_contracts", "clp_chassis", *(t.package for t in PROCESS_TYPES))
    for package in dict.fromkeys(packages):
        folder = Path(str(import_module(package).__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield from _metric(node, node.func.id)


def _metric(
    call: ast.Call, factory: str
) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    texts = list(_texts(values))
    if not texts or not texts[0].startswith("clp_"):
        return
    if factory == SIGN:
        name, label, _, meaning, *_ = texts
        yield name, "gauge", (label,), meaning
    elif kind := FACTORIES.get(factory):
        name, meaning = texts[:2]
        if kind == COUNTER:
            name = f"{name.removesuffix('_total')}_total"
        yield name, kind, _labels(call), meaning


def _labels(call: ast.Call) -> tuple[str, ...]:
    """The texts of a list, or the keys of an object, of labels."""
    named = [k.value for k in call.keywords if k.arg in LABELS]
    for value in (*call.args, *named):
        if isinstance(value, ast.List | ast.Tuple):
            return tuple(_texts(value.elts))
        if isinstance(value, ast.Dict):
            return tuple(_texts(value.keys))
    return ()


def _texts(values: Iterable[ast.expr | None]) -> Iterator[str]:
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
