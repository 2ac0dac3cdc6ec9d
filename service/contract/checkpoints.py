"""The manifest of a checkpoint folder, and the checkpoint as the API shows it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from service.contract.actions import JobAction
from service.contract.fields import (
    MOST_TAGS,
    Id,
    IdText,
    Metrics,
    Moment,
    Number,
    Step,
    Tag,
)
from service.contract.json_types import NOT_NULL, Boolean
from service.contract.json_values import JsonLimit
from service.contract.reading import Extensible
from service.contract.text import CutTo, Message, PathText, ShortText, Text

MANIFEST = "manifest.json"
FORMAT = 1
"""The newest known format of manifests; checkpoints of a newer format are not changed."""

MOST_CLASSES = 100_000
MOST_FILES = 10_000
"""Of one checkpoint: its tensor files, and one file for each rank."""
MANIFEST_BYTES = 4 * 1024 * 1024
MOST_LISTED = 100_000
_MOST_ACTIONS = 100
_MOST_TENSORS = 100_000

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=255)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", max_length=64)]
_TensorName = Annotated[Text, Field(max_length=1024)]
_FOLDER = re.compile(r"^(step|final)-(\d{9,})$")

Measured = Literal["loss", "top1_error", "top5_error"]
"""The metrics of a checkpoint's validation; lower is better."""

SortKey = Literal[
    "-created_at",
    "created_at",
    "-step",
    "step",
    "metrics.loss",
    "-metrics.loss",
    "metrics.top1_error",
    "-metrics.top1_error",
    "metrics.top5_error",
    "-metrics.top5_error",
]
"""The order of a list; with `-` the highest first. A checkpoint without the metric is left out."""

Phase = Literal["train", "recalibrate", "final"]
"""The part of a run that a checkpoint was saved in; `final` has the weights alone."""

State = Literal["published", "damaged", "purging", "deleting", "purged"]
"""Published: not known to be damaged. Damaged: it does not verify.

Purging: retention removes it. Deleting: a user removes it. Purged: its folder has been removed.
"""


TENSORBOARD = "tensorboard"
"""The folder of a job that has the files of all its attempts for TensorBoard."""


def attempt_path(job_id: str, attempt: int) -> str:
    """The path of an attempt's folder, relative to the volume."""
    return f"jobs/{job_id}/attempts/{attempt}"


def job_files_path(job_id: str, attempt: int) -> str:
    """The path of an attempt's result files, relative to the volume."""
    return f"{attempt_path(job_id, attempt)}/files"


def tensorboard_path(job_id: str) -> str:
    """The path of the folder of a job's files for TensorBoard, relative to the volume."""
    return f"jobs/{job_id}/{TENSORBOARD}"


def folder_name(phase: str, step: int) -> str:
    """`step-000001234`, or `final-000001234` for the final weights."""
    return f"{'final' if phase == 'final' else 'step'}-{step:09d}"


def step_of(name: str) -> int | None:
    """The step in the name of a checkpoint folder; None for any other name."""
    match = _FOLDER.match(name)
    return int(match[2]) if match else None


class FileDigest(BaseModel):
    """The size in bytes and the sha256 of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: Step
    sha256: Sha256


class Manifest(BaseModel):
    """The manifest of a checkpoint folder; a folder without a valid one is not a checkpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    checkpoint_id: Id
    job_id: Id
    attempt: Number
    step: Step
    phase: Phase
    recipe: Id
    variant: Id
    num_classes: Number
    class_names: Annotated[tuple[ShortText, ...], Field(max_length=MOST_CLASSES)]
    image_size: Number
    preprocessing: ShortText
    spec_sha256: IdText
    world_size: Number
    created_at: Moment
    metrics: Metrics = Field(default_factory=dict)
    aliases: Annotated[dict[_TensorName, _TensorName], Field(max_length=_MOST_TENSORS)] = Field(
        default_factory=dict
    )
    versions: Annotated[dict[ShortText, ShortText], CutTo(100)] = Field(default_factory=dict)
    parent_checkpoint: Id | None = None
    files: Annotated[dict[FileName, FileDigest], Field(max_length=MOST_FILES)]


class Checkpoint(BaseModel):
    """A published checkpoint; `path` is relative to the volume.

    `actions` are what may be made of it, where one checkpoint is asked for.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["checkpoint"] = "checkpoint"
    id: IdText
    job_id: IdText
    attempt: int
    recipe: IdText
    variant: IdText
    step: int
    phase: ShortText
    created_at: datetime
    metrics: Metrics = Field(default_factory=dict)
    bytes: int
    files: Annotated[dict[ShortText, FileDigest], CutTo(MOST_FILES)]
    path: PathText
    pinned: bool = False
    tags: Annotated[tuple[ShortText, ...], CutTo(MOST_TAGS)] = ()
    state: Annotated[State, Extensible] = "published"
    parent_checkpoint: IdText | None = None
    manifest: Annotated[dict[str, Any], JsonLimit(MANIFEST_BYTES)] | None = None
    # Left out of what workers are sent, and of lists.
    actions: Annotated[
        tuple[JobAction, ...],
        CutTo(_MOST_ACTIONS),
        Field(exclude_if=lambda actions: not actions),
    ] = ()

    @classmethod
    def of(
        cls, manifest: Manifest, path: str, created_at: datetime, tags: Sequence[str] = ()
    ) -> Self:
        """The checkpoint of a manifest whose folder is at `path`."""
        names = {"job_id", "attempt", "recipe", "variant", "step", "phase", "metrics", "files"}
        return cls(
            id=manifest.checkpoint_id,
            created_at=created_at,
            bytes=sum(file.bytes for file in manifest.files.values()),
            path=path,
            tags=tuple(tags),
            **manifest.model_dump(include=names | {"parent_checkpoint"}),
        )


def without_manifest(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with no manifest: of many, those of 1000 classes are megabytes."""
    return checkpoint.model_copy(update={"manifest": None})


class CheckpointChange(BaseModel):
    """`PATCH /checkpoints/{id}`: missing fields are unchanged.

    Retention does not remove a pinned or tagged checkpoint; a pinned one cannot be deleted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pinned: Annotated[Boolean | None, NOT_NULL] = None
    tags: Annotated[Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)] | None, NOT_NULL] = None


class Verification(BaseModel):
    """The result of reading every byte of a checkpoint; one sentence for each problem."""

    model_config = ConfigDict(frozen=True)

    object: Literal["verification"] = "verification"
    checkpoint_id: IdText
    ok: bool
    problems: Annotated[tuple[Message, ...], CutTo(MOST_FILES)] = ()


class Garbage(BaseModel):
    """A folder that can be removed, and why; `path` is relative to the volume."""

    model_config = ConfigDict(frozen=True)

    path: PathText
    why: Message
    bytes: int
    checkpoint_id: IdText | None = None


class Collection(BaseModel):
    """`POST /checkpoints/gc`: what was removed, or would be with `dry_run`.

    `left` has a sentence about each folder of a newer version, which is not removed.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["collection"] = "collection"
    dry_run: bool
    data: Annotated[tuple[Garbage, ...], CutTo(MOST_LISTED)] = ()
    left: Annotated[tuple[Message, ...], CutTo(MOST_LISTED)] = ()
