"""Checkpoints as the tests of their pages show them, one after the other of one job."""

from datetime import UTC, datetime, timedelta
from typing import Any

from api_tests.support.dashboard_models import a_checkpoint, a_job
from api_tests.support.fake_checkpoints import lineage_entry
from service.contract.checkpoint_lineage import CheckpointUse, Lineage
from service.contract.checkpoints import Checkpoint

NOW = datetime.now(UTC)
JOB = f"job_{1:026d}"
HOSTILE = "<img src=x onerror=alert(1)>\u202egnp"
SHOWN = "<img src=x onerror=alert(1)>\\u202egnp"
"""A text of a user, and as the page shows it."""


def saved(step: int, phase: str = "train", **fields: Any) -> Checkpoint:
    """A checkpoint of `JOB`: a later step is a newer one, with a lower error."""
    metrics = {"loss": 1 / step, "top1_error": 0.5 / step, "top5_error": 0.1}
    changed = {"created_at": NOW - timedelta(minutes=1000 - step), "metrics": metrics}
    return a_checkpoint(JOB, step, phase).model_copy(update=changed | fields)


def with_lineage(fake: Any, **fields: Any) -> Checkpoint:
    """A checkpoint with everything that its page can show."""
    manifest = {"format": 1, "num_classes": 1000, "image_size": 224, "versions": {"torch": "2.9"}}
    parent, root = saved(4), saved(2, state="purged", job_id="job_older")
    shown = saved(8, manifest=manifest, **fields)
    child = saved(9, job_id="job_tuned")
    uses = [
        ("job_eval", "eval", HOSTILE, "succeeded", {"top1_error": 0.2468}),
        ("job_tuned", "train", "tuned", "failed", {}),
    ]
    fake.jobs = [a_job(1, name="the maker", state="succeeded", best_checkpoint=shown.id)]
    fake.checkpoints = [parent, root, shown, child]
    fake.kept.lineages[shown.id] = Lineage(
        checkpoint=lineage_entry(shown),
        spec={"kind": "train"},
        ancestors=(lineage_entry(parent), lineage_entry(root)),
        children=(lineage_entry(child),),
        jobs=tuple(job for job, *_ in uses),
        uses=tuple(
            CheckpointUse(job_id=job, kind=kind, name=name, state=state, created_at=NOW, metrics=m)
            for job, kind, name, state, m in uses
        ),
    )
    return shown
