"""Calls are counted by outcome, and pass on their chain and trace."""

import pytest
from prometheus_client import REGISTRY

from clp_chassis.clock import new_id
from clp_chassis.observability import current_chain, observed_call
from clp_contracts.client import RpcClient
from clp_contracts.errors import Refused
from clp_contracts.messages import POST, PostMessage
from tests.chassis.observability.log_lines import RecordingPool


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def service() -> str:
    """A name no other test counts for."""
    return f"s{new_id()[:8]}"


def calls_of(service: str, outcome: str) -> float:
    return count(
        "clp_call_seconds_count", service=service, method="post", outcome=outcome
    )


def test_a_completed_call_is_counted_with_its_duration(service: str) -> None:
    with observed_call(service, "post", chain=[], carrier={}):
        assert count("clp_calls_in_flight", service=service) == 1

    assert calls_of(service, "succeeded") == 1
    assert count("clp_calls_in_flight", service=service) == 0


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("text.empty", "refused"), ("service.failed", "failed")],
)
def test_a_refusal_is_no_failure_and_a_failure_no_refusal(
    service: str, code: str, outcome: str
) -> None:
    with pytest.raises(Refused), observed_call(service, "post", chain=[], carrier={}):
        raise Refused(code)

    assert calls_of(service, outcome) == 1
    assert count("clp_refusals_total", service=service, code=code) == 1
    assert count("clp_calls_in_flight", service=service) == 0


def test_a_call_made_within_a_call_continues_its_chain(service: str) -> None:
    lines = RecordingPool()
    calls = RpcClient(lines, "passport", chain=current_chain)

    with observed_call(
        service, "post", chain=["edge.1", "messages.post.2"], carrier={}
    ):
        calls.call(POST, PostMessage(channel="p/broadcast", key="k"))

    assert lines.contexts[0]["call_id_stack"] == ["edge.1", "messages.post.2"]
