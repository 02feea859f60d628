"""Eyes on a running process: logs, metrics, traces and health, and a port for them.

None of them ever holds what a person wrote, or who somebody is: ids, codes and counts
only.
"""

from clp_chassis.observability.call_chain import chain_of_calls, in_chain
from clp_chassis.observability.gauges import Reading, Watched
from clp_chassis.observability.instrumentation import observed_call, observed_request

__all__ = [
    "Reading",
    "Watched",
    "chain_of_calls",
    "in_chain",
    "observed_call",
    "observed_request",
]
