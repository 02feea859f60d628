"""Measure a call or request: chain, duration, outcome and span."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from clp_chassis.observability.call_chain import in_chain
from clp_chassis.observability.metrics import CALL_SECONDS, CALLS_IN_FLIGHT, REFUSALS
from clp_chassis.observability.tracing import span
from clp_contracts.errors import Refused


@contextmanager
def observed_call(
    service: str, method: str, *, chain: Sequence[str], carrier: Mapping[str, str]
) -> Iterator[None]:
    """Measure a call to a method of a service."""
    outcome = "failed"
    began = time.perf_counter()
    in_flight = CALLS_IN_FLIGHT.labels(service)
    in_flight.inc()
    try:
        with in_chain(chain), span(f"{service}.{method}", "server", carrier=carrier):
            yield
        outcome = "succeeded"
    except Refused as refused:
        outcome = "failed" if refused.code == "service.failed" else "refused"
        REFUSALS.labels(service, refused.code).inc()
        raise
    finally:
        in_flight.dec()
        took = time.perf_counter() - began
        CALL_SECONDS.labels(service, method, outcome).observe(took)


@contextmanager
def observed_request(verb: str, path: str, chain: Sequence[str]) -> Iterator[None]:
    """Measure an HTTP request; ``path`` is the route's pattern, without ids."""
    with in_chain(chain), span(f"{verb} {path}", "server"):
        yield
