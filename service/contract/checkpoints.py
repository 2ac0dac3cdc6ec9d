"""The manifest of a checkpoint folder, and the checkpoint as the API shows it."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import Id, Metrics, Number, Step

MANIFEST = "manifest.json"
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
_FOLDER = re.compile(r"^(step|final)-(\d{9,})$")


def attempt_path(job_id: str, attempt: int) -> str:
    """The attempt's folder, relative to the volume."""
    return f"jobs/{job_id}/attempts/{attempt}"


def job_files_path(job_id: str, attempt: int) -> str:
    """Where an attempt leaves what is no checkpoint, relative to the volume."""
    return f"{attempt_path(job_id, attempt)}/files"


def folder_name(phase: str, step: int) -> str:
    """`step-000001234`, or `final-000001234` for the final weights."""
    return f"{'final' if phase == 'final' else 'step'}-{step:09d}"


def step_of(name: str) -> int | None:
    """The step a folder's name states, as a number; None for any other name."""
    match = _FOLDER.match(name)
    return int(match[2]) if match else None


class FileDigest(BaseModel):
    """Size and sha256 of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: Step
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """What a checkpoint folder holds; a folder without a whole one does not exist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    checkpoint_id: Id
    job_id: Id
    attempt: Number
    step: Step
    phase: Literal["train", "recalibrate", "final"]
    recipe: Id
    variant: Id
    num_classes: int
    class_names: tuple[str, ...]
    image_size: int
    preprocessing: str
    spec_sha256: str
    world_size: int
    created_at: datetime
    metrics: Metrics = Field(default_factory=dict)
    aliases: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    parent_checkpoint: str | None = None
    files: dict[FileName, FileDigest]


class Checkpoint(BaseModel):
    """A published checkpoint; `path` is relative to the volume."""

    model_config = ConfigDict(frozen=True)

    object: Literal["checkpoint"] = "checkpoint"
    id: str
    job_id: str
    attempt: int
    recipe: str
    variant: str
    step: int
    phase: str
    created_at: datetime
    metrics: dict[str, float] = Field(default_factory=dict)
    bytes: int
    files: dict[str, FileDigest]
    path: str
    pinned: bool = False
    tags: tuple[str, ...] = ()
    state: Literal["published", "damaged", "purging", "purged"] = "published"
    manifest: dict[str, Any] | None = None
