"""Checkpoints as workers tell of them."""

from datetime import UTC, datetime
from typing import Any

from service.contract.checkpoints import Checkpoint, Manifest, attempt_path, folder_name

DIGEST = {"bytes": 4, "sha256": "ab" * 32}


def a_manifest(job_id: str, step: int, **fields: Any) -> Manifest:
    """Of a training step of the first attempt; `fields` replace its values."""
    phase = fields.get("phase", "train")
    attempt = fields.get("attempt", 1)
    values: dict[str, Any] = {
        "checkpoint_id": f"ckpt_{job_id}_{attempt}_{phase}_{step}",
        "job_id": job_id,
        "attempt": attempt,
        "step": step,
        "phase": phase,
        "recipe": "oneshot",
        "variant": "searched",
        "num_classes": 10,
        "class_names": [str(digit) for digit in range(10)],
        "image_size": 32,
        "preprocessing": "bgr255",
        "spec_sha256": "00" * 32,
        "world_size": 1,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "files": {"model.safetensors": DIGEST},
    }
    return Manifest.model_validate(values | fields)


def folder_of(manifest: Manifest) -> str:
    """Where it belongs, relative to the volume."""
    parent = attempt_path(manifest.job_id, manifest.attempt)
    return f"{parent}/{folder_name(manifest.phase, manifest.step)}"


def published_body(manifest: Manifest) -> dict[str, Any]:
    """The body of its `checkpoint` event."""
    return {"checkpoint": manifest.model_dump(mode="json"), "path": folder_of(manifest)}


def a_checkpoint(manifest: Manifest, **fields: Any) -> Checkpoint:
    """As the index has it."""
    values: dict[str, Any] = {
        "id": manifest.checkpoint_id,
        "bytes": sum(file.bytes for file in manifest.files.values()),
        "path": folder_of(manifest),
    }
    names = {"job_id", "attempt", "recipe", "variant", "step", "phase", "created_at", "metrics"}
    values |= manifest.model_dump(include=names | {"files"})
    return Checkpoint.model_validate(values | fields)
