"""The manifest of a checkpoint folder, and the checkpoint as the API shows it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import Id, Metrics, Number, Step, Tag
from service.contract.reading import Extensible

MANIFEST = "manifest.json"
FORMAT = 1
"""The newest known format of manifests; checkpoints of a newer format are not changed."""

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
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

State = Literal["published", "damaged", "purging", "deleting", "purged"]
"""Published: not known to be damaged. Damaged: it does not verify.

Purging: retention removes it. Deleting: a user removes it. Purged: its folder has been removed.
"""


def attempt_path(job_id: str, attempt: int) -> str:
    """The path of an attempt's folder, relative to the volume."""
    return f"jobs/{job_id}/attempts/{attempt}"


def job_files_path(job_id: str, attempt: int) -> str:
    """The path of an attempt's result files, relative to the volume."""
    return f"{attempt_path(job_id, attempt)}/files"


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
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """The manifest of a checkpoint folder; a folder without a valid one is not a checkpoint."""

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
    state: Annotated[State, Extensible] = "published"
    parent_checkpoint: str | None = None
    manifest: dict[str, Any] | None = None

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


class CheckpointChange(BaseModel):
    """`PATCH /checkpoints/{id}`: missing fields are unchanged.

    Retention does not remove a pinned or tagged checkpoint; a pinned one cannot be deleted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pinned: bool | None = None
    tags: Annotated[tuple[Tag, ...], Field(max_length=64)] | None = None


class Verification(BaseModel):
    """The result of reading every byte of a checkpoint; one sentence for each problem."""

    model_config = ConfigDict(frozen=True)

    object: Literal["verification"] = "verification"
    checkpoint_id: str
    ok: bool
    problems: tuple[str, ...] = ()


class Garbage(BaseModel):
    """A folder that can be removed, and why; `path` is relative to the volume."""

    model_config = ConfigDict(frozen=True)

    path: str
    why: str
    bytes: int
    checkpoint_id: str | None = None


class Collection(BaseModel):
    """`POST /checkpoints/gc`: what was removed, or would be with `dry_run`.

    `left` has a sentence about each folder of a newer version, which is not removed.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["collection"] = "collection"
    dry_run: bool
    data: tuple[Garbage, ...] = ()
    left: tuple[str, ...] = ()


class LineageEntry(BaseModel):
    """A checkpoint in the lineage of another checkpoint."""

    model_config = ConfigDict(frozen=True)

    id: str
    job_id: str
    attempt: int
    recipe: str
    variant: str
    step: int
    phase: str
    created_at: datetime
    state: Annotated[State, Extensible]
    spec_sha256: str
    parent_checkpoint: str | None = None


class Lineage(BaseModel):
    """The ancestors and descendants of a checkpoint.

    `ancestors` begins with the parent; `complete` is false if the parent of the last ancestor is no
    longer in the index. `children` are the checkpoints that have this one as their parent; `jobs`
    started from it, or used it in an eval or an export.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["lineage"] = "lineage"
    checkpoint: LineageEntry
    spec: dict[str, Any] | None = None
    ancestors: tuple[LineageEntry, ...] = ()
    complete: bool = True
    children: tuple[LineageEntry, ...] = ()
    jobs: tuple[str, ...] = ()
