"""Gauges and probes of `search`."""

from clp_chassis.observability import GaugeSample, Probes
from clp_search.dependencies import Dependencies
from clp_search.use_cases.status import status


def probes(deps: Dependencies) -> Probes:
    """Require an index that responds, and publish how far it lags behind the feed."""
    return Probes(
        gauges=(lambda: _samples(deps),), checks={"index": lambda: status(deps=deps)}
    )


def _samples(deps: Dependencies) -> tuple[GaugeSample, ...]:
    seen = status(deps=deps)
    return (
        GaugeSample(
            name="clp_index_lag_changes",
            help="Changes of messages that cannot be found yet.",
            value=seen.lag,
        ),
        GaugeSample(
            name="clp_index_documents",
            help="Messages that can be found.",
            value=seen.documents,
        ),
        GaugeSample(name="clp_index_bytes", help="Size of the index.", value=seen.size),
    )
