"""What may be made of a job's latest checkpoint."""

from typing import Any, get_args

from service.contract.actions import JobAction
from service.contract.exchange import ExportFormat
from service.contract.jobs import Job
from service.contract.specs import TrainSpec


def uses_of_latest(job: Job, trained: TrainSpec | None) -> tuple[JobAction, ...]:
    """The actions eval, fine-tune and export; () without a checkpoint.

    The eval is on the data and on the resources of the training, if it was one.
    """
    checkpoint_id = job.latest_checkpoint
    if checkpoint_id is None:
        return ()
    evaluation: dict[str, Any] = {"kind": "eval", "checkpoint": {"id": checkpoint_id}}
    if trained is not None:
        evaluation["data"] = trained.data.model_dump(mode="json", exclude_none=True)
        evaluation["resources"] = trained.resources.model_dump(mode="json")
    fine_tune = {"kind": "train", "init_from": {"id": checkpoint_id}}
    return (
        JobAction(
            name="evaluate",
            path="/jobs",
            body=evaluation,
            needs=() if trained is not None else ("data",),
        ),
        JobAction(name="fine_tune", path="/jobs", body=fine_tune, needs=("data",)),
        JobAction(
            name="export",
            path=f"/checkpoints/{checkpoint_id}/export",
            choices={"format": get_args(ExportFormat)},
        ),
    )
