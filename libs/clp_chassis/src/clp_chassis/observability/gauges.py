"""Gauges and readiness checks, evaluated when they are requested."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from clp_contracts.health import SIGNS, SignValue, problem_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeSample:
    """The current value of a gauge; labels hold ids and codes only."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def samples_of(values: Iterable[SignValue]) -> tuple[GaugeSample, ...]:
    """Return measured signs of health as the gauges that the table names."""
    return tuple(
        GaugeSample(
            name=value.metric,
            help=SIGNS[value.metric].meaning,
            value=value.value,
            labels={SIGNS[value.metric].label: value.of},
        )
        for value in values
    )


def require_well(values: Iterable[SignValue]) -> None:
    """Raise while a sign means that this process is not ready."""
    for value in values:
        sign = SIGNS[value.metric]
        if sign.unready and value.value > sign.limit:
            raise OSError(problem_of(sign, value))


Gauge = Callable[[], Iterable[GaugeSample]]
Check = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """Gauges of a process, and readiness checks that raise while it cannot work."""

    gauges: tuple[Gauge, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)


class Gauges(Collector):
    """Evaluate gauges when metrics are fetched; one that fails hides no other."""

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = tuple(gauges)

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        unreadable = 0
        for gauge in self._gauges:
            try:
                samples = list(gauge())
            except Exception:
                log.exception("a gauge failed")
                unreadable += 1
                continue
            for sample in samples:
                _add(families, sample)
        yield from families.values()
        yield GaugeMetricFamily(
            "clp_gauges_unreadable", "Gauges that could not be read.", value=unreadable
        )


def _add(families: dict[str, GaugeMetricFamily], sample: GaugeSample) -> None:
    family = families.get(sample.name)
    if family is None:
        family = families[sample.name] = GaugeMetricFamily(
            sample.name, sample.help, labels=tuple(sample.labels)
        )
    family.add_metric(tuple(sample.labels.values()), sample.value)
