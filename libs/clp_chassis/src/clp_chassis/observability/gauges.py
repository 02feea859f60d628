"""What is looked up when somebody asks how a process is: gauges and checks."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

log = logging.getLogger(__name__)

UNREADABLE: Final = "clp_gauges_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A gauge's value now, with what it is about in ids and codes."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


Gauge = Callable[[], Iterable[Reading]]
Check = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a process lets be looked at: gauges, and checks that raise when it ails."""

    gauges: tuple[Gauge, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)


class Gauges(Collector):
    """Reads gauges when metrics are fetched; one that fails hides no other."""

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = tuple(gauges)

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        unreadable = 0
        for gauge in self._gauges:
            try:
                readings = list(gauge())
            except Exception:
                log.exception("a gauge could not be read")
                unreadable += 1
                continue
            for reading in readings:
                _add(families, reading)
        yield from families.values()
        yield GaugeMetricFamily(
            UNREADABLE, "Gauges that could not be read.", value=unreadable
        )


def _add(families: dict[str, GaugeMetricFamily], reading: Reading) -> None:
    family = families.get(reading.name)
    if family is None:
        family = families[reading.name] = GaugeMetricFamily(
            reading.name, reading.help, labels=tuple(reading.labels)
        )
    family.add_metric(tuple(reading.labels.values()), reading.value)
