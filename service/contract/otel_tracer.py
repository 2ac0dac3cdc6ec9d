"""The tracer of OpenTelemetry's SDK; imported by `traces` alone, where traces are asked for."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import Span, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.contract.traces import is_traceparent

_FLUSH_MILLISECONDS = 3000
_NAMES = TraceContextTextMapPropagator()


class OtelSpan:
    """See `traces.Span`."""

    def __init__(self, span: Span, context: Context) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        _NAMES.inject(carrier, context)
        self._traceparent = carrier["traceparent"]

    @property
    def traceparent(self) -> str:
        """See `traces.Span`."""
        return self._traceparent

    def end(self, at: datetime | None = None, *, error: str | None = None) -> None:
        """See `traces.Span`."""
        if not self._span.is_recording():
            return
        if error is not None:
            self._span.set_status(StatusCode.ERROR, error)
        self._span.end(_nanoseconds(at))


class OtelTracer:
    """See `traces.Tracer`; sends by OTLP over HTTP, or appends to a file."""

    def __init__(self, service: str, file: str | None) -> None:
        resource = Resource.create({"service.name": service})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(_processor(file))
        self._tracer = self._provider.get_tracer("trainyard")

    def begin(
        self,
        name: str,
        parent: str | None,
        attributes: Mapping[str, str | int],
        at: datetime | None = None,
    ) -> OtelSpan:
        """See `traces.Tracer`."""
        named = {"traceparent": parent} if parent is not None and is_traceparent(parent) else {}
        context = _NAMES.extract(named, Context())
        span = self._tracer.start_span(
            name, context, attributes=dict(attributes), start_time=_nanoseconds(at)
        )
        return OtelSpan(span, set_span_in_context(span, Context()))

    def close(self) -> None:
        """See `traces.Tracer`."""
        self._provider.force_flush(_FLUSH_MILLISECONDS)


class FileExporter(SpanExporter):
    """Appends each span to a file as a line of JSON; several processes may share the file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write spans, each by one call, so that lines of several processes do not mix."""
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            for span in spans:
                os.write(handle, f"{json.dumps(_line_of(span), allow_nan=False)}\n".encode())
        finally:
            os.close(handle)
        return SpanExportResult.SUCCESS


def _processor(file: str | None) -> SpanProcessor:
    if file is not None:
        return SimpleSpanProcessor(FileExporter(file))
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return BatchSpanProcessor(OTLPSpanExporter())


def _line_of(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    return {
        "name": span.name,
        "service": span.resource.attributes.get("service.name"),
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_id": f"{span.parent.span_id:016x}" if span.parent is not None else None,
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "error": span.status.description,
        "attributes": dict(span.attributes or {}),
    }


def _nanoseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1_000_000) * 1000 if moment is not None else None
