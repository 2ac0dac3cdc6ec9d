"""A checkpoint that a live attempt has published on the volume enters the index."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint, attempt_path, folder_name
from service.contract.counts import count_text
from service.contract.events import Published
from service.contract.fields import MOST_STEPS
from service.contract.jobs import Job
from service.control.checkpoints.retention import expire, pointers
from service.control.kinds import kind_of
from service.domain.retry import NEW_BEGIN
from service.store import checkpoints


class InvalidCheckpoint(Exception):
    """The reported checkpoint cannot be this attempt's; the message says why."""


@dataclass(frozen=True)
class Publication:
    """What a new checkpoint changes of its job, by column, and a sentence for its history."""

    job_values: dict[str, Any]
    message: str


def publish(
    tx: Connection, job: Job, attempt: int, published: Published, now: datetime
) -> Publication | None:
    """Index a checkpoint and expire what the job's retention does not keep any more.

    None for one that is in the index already. Raises InvalidCheckpoint. The caller has locked the
    job and its live attempt, and changes the job.
    """
    manifest = published.checkpoint
    _check(tx, job, attempt, published)
    if checkpoints.get(tx, manifest.checkpoint_id) is not None:
        return None
    # A worker whose clock runs ahead must not stay the newest for ever.
    created_at = min(manifest.created_at, now)
    kind = kind_of(job.spec)
    checkpoint = Checkpoint.of(manifest, published.path, created_at, kind.tags(job.spec))
    checkpoints.add(tx, checkpoint, manifest)
    expire(tx, job)
    values: dict[str, Any] = NEW_BEGIN | pointers(tx, job)
    if kind.network_from_checkpoint:
        values |= {"recipe": manifest.recipe, "variant": manifest.variant}
    what = "final weights" if manifest.phase == "final" else "checkpoint"
    return Publication(values, f"{what} at step {manifest.step}: {checkpoint.id}")


def _check(tx: Connection, job: Job, attempt: int, published: Published) -> None:
    manifest = published.checkpoint
    kind = kind_of(job.spec)
    is_earlier = kind.publishes_once and manifest.attempt < attempt
    if manifest.job_id != job.id or not (manifest.attempt == attempt or is_earlier):
        raise InvalidCheckpoint("it is a checkpoint of another attempt")
    if not kind.may_publish(tx, job, manifest):
        raise InvalidCheckpoint("it is a checkpoint of another network")
    if manifest.num_classes < 1:
        raise InvalidCheckpoint("it has no classes")
    if manifest.class_names and len(manifest.class_names) != manifest.num_classes:
        raise InvalidCheckpoint(
            f"it has {count_text(manifest.num_classes, 'class', 'classes')} and "
            f"{count_text(len(manifest.class_names), 'class name')}"
        )
    if sum(file.bytes for file in manifest.files.values()) > MOST_STEPS:
        raise InvalidCheckpoint("its files have more bytes than any volume")
    if manifest.created_at.tzinfo is None:
        raise InvalidCheckpoint("created_at has no zone")
    path = f"{attempt_path(job.id, manifest.attempt)}/{folder_name(manifest.phase, manifest.step)}"
    if published.path != path:
        raise InvalidCheckpoint(f"it is in {published.path!r}, and belongs in {path!r}")
