"""Events of an attempt that has saved checkpoints."""

from api_tests.support.control_agent import an_event
from api_tests.support.manifests import a_manifest, published_body
from service.contract.agent import ReportedEvent
from service.contract.jobs import Job


def saved(
    job: Job, steps: range | tuple[int, ...], errors: tuple[float, ...] = ()
) -> list[ReportedEvent]:
    """A checkpoint event for each step, with `seq` the step."""
    measured = dict(zip(steps, errors, strict=False))
    return [
        an_event(
            step,
            "checkpoint",
            **published_body(
                a_manifest(
                    job.id,
                    step,
                    metrics={"top1_error": measured[step]} if step in measured else {},
                )
            ),
        )
        for step in steps
    ]
