"""Jobs and checkpoints as the stand-in shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from api_tests.support.specs import complete_spec
from service.contract.checkpoints import Checkpoint, FileDigest
from service.contract.jobs import Job, JobState
from service.control.jobs.available_actions import RetryStart, actions_of
from service.control.kinds.base import ResumePoint


def a_job(number: int, **fields: Any) -> Job:
    """A running training, number 1 … 9999, as the contract has it; `fields` replace its values."""
    now = datetime.now(UTC)
    spec = complete_spec({"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}})
    values: dict[str, Any] = {
        "id": f"job_{number:026d}",
        "kind": "train",
        "recipe": "oneshot",
        "variant": "searched",
        "state": JobState.RUNNING,
        "created_at": now - timedelta(minutes=20),
        "started_at": now - timedelta(minutes=12),
        "progress": {
            "step": 120,
            "total_steps": 300,
            "fraction": 0.4,
            "eta_seconds": 754.0,
            "images_per_second": 311.2,
        },
        "metrics": {"loss": 0.5321, "val_loss": 0.61, "top1_error": 0.1234, "top5_error": 0.02},
        "attempt": 1,
        "spec": spec,
    }
    return with_actions(Job.model_validate(values | fields))


def with_actions(job: Job) -> Job:
    """The job as the control plane would show it, if its latest checkpoint were a training state
    of the step that its progress tells."""
    latest = job.latest_checkpoint
    point = ResumePoint(latest, job.progress.step) if latest is not None else None
    return job.model_copy(update={"actions": tuple(actions_of(job, RetryStart(point)))})


def a_checkpoint(job_id: str, step: int, phase: str = "train") -> Checkpoint:
    """A published checkpoint with its weights and its optimizer."""
    return Checkpoint(
        id=f"ckpt_{step:026d}",
        job_id=job_id,
        attempt=1,
        recipe="oneshot",
        variant="searched",
        step=step,
        phase=phase,
        created_at=datetime.now(UTC) - timedelta(minutes=3),
        metrics={"val_loss": 0.61, "top1_error": 0.1234},
        bytes=27_600_000,
        files={
            "model.safetensors": FileDigest(bytes=13_800_000, sha256="ab12cd34ef" + "0" * 54),
            "optim.safetensors": FileDigest(bytes=13_800_000, sha256="99" * 32),
        },
        path=f"jobs/{job_id}/attempts/1/step-{step:09d}",
    )


def an_evaluation(preview: str) -> dict[str, Any]:
    """The file of an eval of two classes, with one mistake and the address of its picture."""
    return {
        "class_names": ["cat", "dog"],
        "confusion_matrix": [[3, 1], [0, 4]],
        "per_class": [
            {"class": "cat", "samples": 4, "correct": 3, "accuracy": 0.75},
            {"class": "dog", "samples": 4, "correct": 4, "accuracy": 1.0},
        ],
        "wrong": [
            {
                "image": "cat/one.png",
                "class": "cat",
                "predicted": "dog",
                "confidence": 0.9,
                "preview": preview,
            }
        ],
        "wrong_total": 1,
    }
