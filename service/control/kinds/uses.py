"""What may be made of a job's latest checkpoint."""

from typing import Any, get_args

from service.contract.actions import JobAction
from service.contract.exchange import ExportFormat
from service.contract.jobs import Job
from service.contract.specs import DataSpec


def uses_of_latest(job: Job, data: DataSpec | None) -> tuple[JobAction, ...]:
    """An eval (on the same data, if there is some), a fine-tune, an export; () without one."""
    checkpoint_id = job.latest_checkpoint
    if checkpoint_id is None:
        return ()
    evaluation: dict[str, Any] = {"kind": "eval", "checkpoint": {"id": checkpoint_id}}
    if data is not None:
        evaluation["data"] = data.model_dump(mode="json", exclude_none=True)
    fine_tune = {"kind": "train", "init_from": {"id": checkpoint_id}}
    return (
        JobAction(
            name="evaluate",
            path="/jobs",
            body=evaluation,
            needs=() if data is not None else ("data",),
        ),
        JobAction(name="fine_tune", path="/jobs", body=fine_tune, needs=("data",)),
        JobAction(
            name="export",
            path=f"/checkpoints/{checkpoint_id}/export",
            choices={"format": get_args(ExportFormat)},
        ),
    )
