"""The span of an attempt, in the trace of its job."""

from service.contract.agent import Claim
from service.contract.traces import Span, Tracer


def attempt_span(tracer: Tracer | None, claim: Claim) -> Span | None:
    """Begin it, within the span of the claim; None where one of both sides traces nothing."""
    if tracer is None or claim.traceparent is None:
        return None
    ids: dict[str, str | int] = {"job_id": claim.job_id, "attempt": claim.attempt}
    return tracer.begin("attempt", claim.traceparent, ids)
