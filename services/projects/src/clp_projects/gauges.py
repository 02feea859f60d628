"""What `projects` lets an operator see of itself."""

from clp_chassis.observability import Reading, Watched
from clp_projects.dependencies import Parts
from clp_projects.tables import OUTBOX


def watched(parts: Parts) -> Watched:
    """Its database must answer, and its outbox be short."""
    return Watched(
        gauges=(lambda: _outbox(parts),), checks={"database": parts.database.ping}
    )


def _outbox(parts: Parts) -> tuple[Reading, ...]:
    with parts.database.reading() as session:
        return OUTBOX.waiting(session, "projects", parts.clock())
