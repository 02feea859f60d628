"""Eyes on a running process: logs, metrics, traces and health, and a port for them.

None of them ever holds what a person wrote, or who somebody is: ids, codes and counts
only.
"""

from clp_chassis.observing.calls import observed_call, observed_request
from clp_chassis.observing.chain import chain_of_calls, in_chain
from clp_chassis.observing.gauges import Reading, Watched

__all__ = [
    "Reading",
    "Watched",
    "chain_of_calls",
    "in_chain",
    "observed_call",
    "observed_request",
]
