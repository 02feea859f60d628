"""One trace spans a call, the change it made and the readers of that change."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import MetaData

from clp_chassis.events.outbox import Outbox
from clp_chassis.observability import observed_call
from clp_chassis.observability.tracing import (
    carrier,
    configure_traces,
    end_traces,
    span,
)
from clp_chassis.persistence.database import Database
from clp_contracts.errors import Refused

AT = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """A collector in memory; OpenTelemetry takes one provider a process."""
    kept = InMemorySpanExporter()
    configure_traces("tests", "", exporter=kept)
    yield kept
    end_traces()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    exporter.clear()
    return exporter


def ended(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    provider = trace.get_tracer_provider()
    provider.force_flush()  # type: ignore[attr-defined]
    (found,) = (s for s in spans.get_finished_spans() if s.name == name)
    return found


def test_a_call_continues_its_callers_trace(spans: InMemorySpanExporter) -> None:
    with observed_call("gateway", "send", chain=[], carrier={}):
        carried = carrier()
    with observed_call("messages", "post", chain=[], carrier=carried):
        pass

    sent, posted = ended(spans, "gateway.send"), ended(spans, "messages.post")

    assert posted.parent is not None
    assert sent.context is not None
    assert posted.parent.span_id == sent.context.span_id


def test_a_failure_is_marked_by_its_type_and_not_quoted(
    spans: InMemorySpanExporter,
) -> None:
    with pytest.raises(ValueError, match="secret"), span("work"):
        raise ValueError("secret")

    status = ended(spans, "work").status

    assert status.status_code is trace.StatusCode.ERROR
    assert status.description == "ValueError"
    assert ended(spans, "work").events == ()


def test_a_change_remembers_the_trace_of_its_cause(
    spans: InMemorySpanExporter, tmp_path: Path
) -> None:
    metadata = MetaData()
    outbox = Outbox(metadata)
    database = Database(f"sqlite:///{tmp_path / 'changes.db'}")
    metadata.create_all(database.engine)
    with (
        observed_call("messages", "edit", chain=[], carrier={}),
        database.writing() as session,
    ):
        outbox.append(session, event_type="t.v1", subject="m1", project="p1", at=AT)
        outbox.assign_positions(session)
        (change,) = outbox.unpublished(session)
    database.close()
    with span("apply messages", "consumer", links=[change.detail, {}]):
        pass

    cause, effect = ended(spans, "messages.edit"), ended(spans, "apply messages")

    assert cause.context is not None
    assert [link.context.span_id for link in effect.links] == [cause.context.span_id]


@pytest.mark.parametrize("given", [None, 7, "", "00-nonsense", "x" * 9999])
def test_a_broken_trace_of_a_caller_harms_nothing(
    spans: InMemorySpanExporter, given: object
) -> None:
    with observed_call("messages", "page", chain=[], carrier={"traceparent": given}):  # type: ignore[dict-item]
        pass

    assert ended(spans, "messages.page").parent is None


def test_a_refusal_passes_through(spans: InMemorySpanExporter) -> None:
    with (
        pytest.raises(Refused),
        observed_call("messages", "find", chain=[], carrier={}),
    ):
        raise Refused("text.empty")

    assert ended(spans, "messages.find").status.description == "Refused"
