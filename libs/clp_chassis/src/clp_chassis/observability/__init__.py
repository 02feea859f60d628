"""Logs, metrics, traces and health probes of a running process.

They hold ids, codes and counts only: never a person's text, name or address.
"""

from clp_chassis.observability.call_chain import current_chain, in_chain
from clp_chassis.observability.gauges import (
    Check,
    GaugeSample,
    Probes,
    require_well,
    samples_of,
)
from clp_chassis.observability.instrumentation import observed_call, observed_request

__all__ = [
    "Check",
    "GaugeSample",
    "Probes",
    "current_chain",
    "in_chain",
    "observed_call",
    "observed_request",
    "require_well",
    "samples_of",
]
