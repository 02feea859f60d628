"""Traces over calls and events, with OpenTelemetry (the extra ``[traces]``).

Without it, or without a collector in the settings, all of this does nothing.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from clp_chassis.settings import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

try:
    from opentelemetry import propagate, trace
except ImportError:  # pragma: no cover - the extra is not installed
    propagate = trace = None  # type: ignore[assignment]

PARENT: Final = "traceparent"
TRACER: Final = "clp"


class _Tracing:
    """Whether spans are recorded in this process."""

    is_on = False


def configure_traces(process_type: str, url: str, exporter: Any = None) -> None:
    """Send spans to an OTLP/HTTP collector at ``url``, or to a given exporter.

    Raises:
        InvalidSettings: when OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - optional
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise InvalidSettings(
            "CLP_TRACES_URL: OpenTelemetry is not installed;"
            " install clp-chassis[traces], or leave the setting out"
        ) from None
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"clp-{process_type}"})
    )
    provider.add_span_processor(BatchSpanProcessor(exporter or _exporter(url)))
    trace.set_tracer_provider(provider)
    _Tracing.is_on = True


def end_traces() -> None:
    """Send pending spans and record no more."""
    if _Tracing.is_on:
        _Tracing.is_on = False
        trace.get_tracer_provider().shutdown()  # type: ignore[attr-defined]


def _exporter(url: str) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(endpoint=url)


def carrier() -> dict[str, str]:
    """Return what another process needs to continue this trace; empty without one."""
    carried: dict[str, str] = {}
    if _Tracing.is_on:
        propagate.inject(carried)
    return {PARENT: carried[PARENT]} if PARENT in carried else {}


def span(
    name: str,
    kind: str = "internal",
    *,
    carrier: Mapping[str, Any] | None = None,
    links: Iterable[Mapping[str, Any]] = (),
) -> AbstractContextManager[None]:
    """Open a span, a child of the carried one and linked to others.

    ``kind`` is server, client, producer, consumer or internal.
    """
    if not _Tracing.is_on:
        return nullcontext()
    return _span(name=name, kind=kind, carried=carrier or {}, links=links)


@contextmanager
def _span(
    *,
    name: str,
    kind: str,
    carried: Mapping[str, Any],
    links: Iterable[Mapping[str, Any]],
) -> Iterator[None]:
    parents = (_context_of(link) for link in links)
    linked = [
        trace.Link(context)
        for parent in parents
        if (context := trace.get_current_span(parent).get_span_context()).is_valid
    ]
    with trace.get_tracer(TRACER).start_as_current_span(
        name,
        context=_context_of(carried) if carried.get(PARENT) else None,
        kind=trace.SpanKind[kind.upper()],
        links=linked,
        # The text of an exception may quote a person's text.
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def _context_of(carried: Mapping[str, Any]) -> Any:
    parent = carried.get(PARENT)
    return propagate.extract({PARENT: parent} if isinstance(parent, str) else {})
