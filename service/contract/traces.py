"""Spans of this process for OpenTelemetry; off, and nothing of it imported, unless configured.

It is on where `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) is set, or
`TRAINYARD_TRACE_FILE`, to which each span is appended as a line of JSON. It is in the contract
because a job's trace goes through the server, the agent and a rank.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Protocol

TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The span of the request that is being answered, for the jobs that the request makes."""
TRACEPARENT_LENGTH = 55
TRACE_FILE = "TRAINYARD_TRACE_FILE"
_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", TRACE_FILE)
_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class TracesUnavailable(Exception):
    """Traces are asked for, and their packages are not there; the message says what to install."""


class Span(Protocol):
    """Something that takes time; `traceparent` is how others name it as their parent."""

    @property
    def traceparent(self) -> str:
        """The span as https://www.w3.org/TR/trace-context/ writes it."""

    def end(self, at: datetime | None = None, *, error: str | None = None) -> None:
        """End it, now by default; a second time does nothing."""


class Tracer(Protocol):
    """Makes the spans of a process."""

    def begin(
        self,
        name: str,
        parent: str | None,
        attributes: Mapping[str, str | int],
        at: datetime | None = None,
    ) -> Span:
        """Begin a span, now by default; `parent` is a traceparent, None for a trace of its own."""

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""


def is_traceparent(text: str) -> bool:
    """Whether a text names a span in the form of version 00."""
    return _FORM.fullmatch(text) is not None


def tracer_of(environ: Mapping[str, str], service: str) -> Tracer | None:
    """The tracer that the environment asks for; None where it asks for none.

    Raises TracesUnavailable.
    """
    if not any(environ.get(name) for name in _VARIABLES):
        return None
    try:
        from service.contract.otel_tracer import OtelTracer
    except ImportError as error:
        raise TracesUnavailable(
            f"traces are asked for by {' or '.join(_VARIABLES)}, and {error.name} is not "
            "installed: install trainyard-service[otel], or unset the variable"
        ) from error
    return OtelTracer(service, environ.get(TRACE_FILE) or None)


@contextmanager
def current_span(span: Span) -> Iterator[None]:
    """Have the jobs that are made in the block belong to the trace of the span, which then ends."""
    before = TRACEPARENT.set(span.traceparent)
    try:
        yield
    except BaseException as error:
        span.end(error=type(error).__name__)
        raise
    finally:
        TRACEPARENT.reset(before)
        span.end()
