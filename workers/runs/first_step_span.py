"""The span from the start of a rank to the end of its first training step."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.contract.agent import Claim
from service.contract.traces import TracesUnavailable, tracer_of


@contextmanager
def first_step_span(claim: Claim, *, is_first: bool) -> Iterator[Callable[[], None]]:
    """Gives what is to be called after the first step; nothing where the job is not traced.

    The span fails if the block ends before a step.
    """
    tracer = None
    if is_first and claim.traceparent is not None:
        try:
            tracer = tracer_of(os.environ, "trainyard-rank")
        except TracesUnavailable:
            # Its agent has said so at its start, or this is another environment.
            tracer = None
    if tracer is None:
        yield lambda: None
        return
    ids: dict[str, str | int] = {"job_id": claim.job_id, "attempt": claim.attempt}
    span = tracer.begin("first step", claim.traceparent, ids)
    try:
        yield span.end
    finally:
        span.end(error="it ended before a training step")
        tracer.close()
