"""Gauges and probes of `messages`."""

from clp_chassis.observability import Probes
from clp_messages.dependencies import Dependencies
from clp_messages.tables import OUTBOX


def probes(deps: Dependencies) -> Probes:
    """Probe the database, and measure the outbox."""
    return Probes(
        gauges=(OUTBOX.gauges("messages", deps.database, deps.clock),),
        checks={"database": deps.database.ping},
    )
