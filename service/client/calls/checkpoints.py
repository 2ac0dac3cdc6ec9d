"""The calls that list, read and change checkpoints."""

from collections.abc import Sequence
from typing import Literal

from service.client.calls.responses import paginate, path_segment, requested
from service.client.flow import Flow, ItemFlow, send
from service.contract.checkpoint_lineage import Lineage
from service.contract.checkpoints import (
    Checkpoint,
    CheckpointChange,
    Collection,
    Measured,
    Phase,
    SortKey,
    State,
    Verification,
)
from service.contract.jobs import Job
from service.contract.specs import NetworkSpec

PAGE = 100
_READ_TIMEOUT_SECONDS = 3600.0


def checkpoints(
    *,
    job: str | None = None,
    recipe: str | None = None,
    variant: str | None = None,
    tag: str | None = None,
    phase: Phase | None = None,
    pinned: bool | None = None,
    state: State | None = None,
    retained: bool | None = None,
    order_by: SortKey | None = None,
    manifest: bool | None = None,
) -> ItemFlow[Checkpoint]:
    """All checkpoints to which every filter that is not None applies; the newest first.

    With `manifest=False` they come without their manifests.
    """
    filters = {"job": job, "recipe": recipe, "variant": variant, "tag": tag, "phase": phase}
    flags = {"pinned": pinned, "retained": retained, "manifest": manifest}
    query = {**filters, **flags, "state": state, "order_by": order_by, "limit": PAGE}
    return paginate(Checkpoint, "/checkpoints", query)


def latest_checkpoint(
    *, job: str | None = None, recipe: str | None = None, variant: str | None = None
) -> Flow[Checkpoint]:
    """The newest checkpoint to which every filter that is not None applies."""
    filters = {"job": job, "recipe": recipe, "variant": variant}
    return requested(Checkpoint, "GET", "/checkpoints/latest", query=filters)


def checkpoint(checkpoint_id: str) -> Flow[Checkpoint]:
    """One checkpoint with its files and their digests."""
    return requested(Checkpoint, "GET", _path(checkpoint_id))


def best_checkpoint(
    *,
    metric: Measured = "top1_error",
    mode: Literal["min", "max"] = "min",
    job: str | None = None,
    recipe: str | None = None,
    variant: str | None = None,
) -> Flow[Checkpoint]:
    """The checkpoint with the lowest value of a metric, or the highest with `mode="max"`.

    Every filter that is not None applies to it.
    """
    query = {"job": job, "recipe": recipe, "variant": variant, "metric": metric, "mode": mode}
    return requested(Checkpoint, "GET", "/checkpoints/best", query=query)


def best_of(job: Job) -> Flow[Checkpoint]:
    """The checkpoint of a job with the lowest value of the metric of its retention."""
    metric = job.spec.retention.metric if isinstance(job.spec, NetworkSpec) else "top1_error"
    return best_checkpoint(metric=metric, job=job.id)


def change_checkpoint(checkpoint_id: str, change: CheckpointChange) -> Flow[Checkpoint]:
    """Change whether a checkpoint is pinned, and its tags."""
    body = change.model_dump(exclude_none=True)
    return requested(Checkpoint, "PATCH", _path(checkpoint_id), body=body)


def pin(checkpoint_id: str) -> Flow[Checkpoint]:
    """Keep a checkpoint: neither retention nor a user's deletion removes it."""
    return change_checkpoint(checkpoint_id, CheckpointChange(pinned=True))


def unpin(checkpoint_id: str) -> Flow[Checkpoint]:
    """Let retention decide on a checkpoint again."""
    return change_checkpoint(checkpoint_id, CheckpointChange(pinned=False))


def tag(checkpoint_id: str, tags: Sequence[str]) -> Flow[Checkpoint]:
    """Give a checkpoint these tags, and no others; retention does not remove a tagged one."""
    return change_checkpoint(checkpoint_id, CheckpointChange(tags=tuple(tags)))


def delete_checkpoint(checkpoint_id: str) -> Flow[None]:
    """Delete a checkpoint and its folder; raises Conflict if it is pinned or in use."""
    yield from send("DELETE", _path(checkpoint_id))


def verify_checkpoint(checkpoint_id: str) -> Flow[Verification]:
    """Have the server read every byte of a checkpoint and compare the digests."""
    path = f"{_path(checkpoint_id)}/verify"
    return requested(Verification, "POST", path, seconds=_READ_TIMEOUT_SECONDS)


def lineage(checkpoint_id: str) -> Flow[Lineage]:
    """The ancestors and children of a checkpoint, and the jobs that used it."""
    return requested(Lineage, "GET", f"{_path(checkpoint_id)}/lineage")


def collect_garbage(*, dry_run: bool) -> Flow[Collection]:
    """Have the server remove unneeded folders; with `dry_run` it only lists them."""
    body, path = {"dry_run": dry_run}, "/checkpoints/gc"
    return requested(Collection, "POST", path, body=body, seconds=_READ_TIMEOUT_SECONDS)


def _path(checkpoint_id: str) -> str:
    return f"/checkpoints/{path_segment(checkpoint_id)}"
