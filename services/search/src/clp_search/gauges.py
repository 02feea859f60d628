"""What `search` lets an operator see of itself."""

from clp_chassis.observability import Reading, Watched
from clp_search.dependencies import Parts
from clp_search.use_cases.status import status


def watched(parts: Parts) -> Watched:
    """Its index must answer, and be at the end of the feed."""
    return Watched(
        gauges=(lambda: _index(parts),), checks={"index": lambda: status(parts=parts)}
    )


def _index(parts: Parts) -> tuple[Reading, ...]:
    seen = status(parts=parts)
    return (
        Reading(
            name="clp_index_lag_changes",
            help="Changes of messages that cannot be found yet.",
            value=seen.lag,
        ),
        Reading(
            name="clp_index_documents",
            help="Messages that can be found.",
            value=seen.documents,
        ),
        Reading(
            name="clp_index_bytes", help="Size of the index.", value=seen.size_bytes
        ),
    )
