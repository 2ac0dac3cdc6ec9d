"""Checkpoints as users list, pin, delete and verify them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from service.contract.access import Role
from service.contract.checkpoints import (
    Checkpoint,
    CheckpointChange,
    Measured,
    Verification,
)
from service.contract.jobs import ENDED_JOBS
from service.contract.specs import Retention
from service.control.access.ownership import require_owner
from service.control.checkpoints.files import VolumeFile, open_for_users
from service.control.checkpoints.retention import refresh_pointers
from service.control.kinds import kind_of
from service.domain.access import SERVER, Caller
from service.domain.errors import Conflict, Gone, NotFound
from service.store import audit, checkpoint_search, history, jobs
from service.store import checkpoints as store
from service.store.checkpoint_search import CheckpointFilter
from service.volume.identity import SharedVolume
from service.volume.manifests import is_of_newer_version

_NOT_RETAINED = ("purging", "deleting", "purged")


def page(tx: Connection, checkpoint_filter: CheckpointFilter) -> tuple[list[Checkpoint], bool]:
    """A page of checkpoints, and whether there are more."""
    rows = checkpoint_search.page(tx, checkpoint_filter)
    return rows[: checkpoint_filter.limit], len(rows) > checkpoint_filter.limit


def of_job(tx: Connection, job_id: str) -> list[Checkpoint]:
    """Every checkpoint of a job, newest first; raises NotFound."""
    if jobs.version_of(tx, job_id) is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    return store.of_job(tx, job_id)


def latest(tx: Connection, checkpoint_filter: CheckpointFilter) -> Checkpoint:
    """The newest published checkpoint; raises NotFound when there is none."""
    return _require(tx, checkpoint_filter, checkpoint_search.latest(tx, checkpoint_filter))


def best(
    tx: Connection, checkpoint_filter: CheckpointFilter, metric: Measured, *, highest: bool
) -> Checkpoint:
    """The published checkpoint with the lowest (or highest) value; raises NotFound."""
    return _require(
        tx,
        checkpoint_filter,
        checkpoint_search.best(tx, checkpoint_filter, metric, highest=highest),
    )


def get(tx: Connection, checkpoint_id: str) -> Checkpoint:
    """One checkpoint, whatever its state; raises NotFound."""
    return _existing(checkpoint_id, store.get(tx, checkpoint_id))


def lock(tx: Connection, checkpoint_id: str) -> Checkpoint:
    """One checkpoint, locked with its job until this transaction ends; raises NotFound."""
    return _existing(checkpoint_id, store.lock_with_job(tx, checkpoint_id))


def change(
    tx: Connection, checkpoint_id: str, change: CheckpointChange, by: Caller = SERVER
) -> None:
    """Pin and tag; raises NotFound, Forbidden, Conflict for one that is not retained any more."""
    checkpoint = lock(tx, checkpoint_id)
    _require_owner(tx, by, checkpoint)
    if checkpoint.state in _NOT_RETAINED:
        raise Conflict(
            "checkpoint_going",
            f"{checkpoint_id} is {checkpoint.state}: it is too late to pin or tag it",
        )
    tags = None if change.tags is None else sorted(set(change.tags))
    store.change(tx, checkpoint_id, pinned=change.pinned, tags=tags)
    audit.note(tx, "checkpoint.edit", checkpoint_id, _detail_of(change.pinned, tags))


def request_delete(tx: Connection, checkpoint_id: str, by: Caller = SERVER) -> Checkpoint | None:
    """Mark a checkpoint as deleting, and give it: its folder is to be removed.

    None for one that is removed already. Raises NotFound, Forbidden, and Conflict while somebody
    needs it.
    """
    checkpoint = lock(tx, checkpoint_id)
    _require_owner(tx, by, checkpoint)
    if checkpoint.state == "purged":
        return None
    if checkpoint.state == "deleting":
        return checkpoint
    if checkpoint.pinned:
        raise Conflict("checkpoint_pinned", f"{checkpoint_id} is pinned; unpin it first")
    users = jobs.users_of(tx, checkpoint_id, live=True)
    if users:
        message = f"{users[0]} starts from {checkpoint_id} and has not ended"
        raise Conflict("checkpoint_in_use", message)
    if checkpoint_id in _resumed_from(tx, checkpoint.job_id):
        message = f"{checkpoint.job_id} has not ended and would resume from {checkpoint_id}"
        raise Conflict("checkpoint_in_use", message)
    store.mark(tx, [checkpoint_id], "deleting")
    refresh_pointers(tx, checkpoint.job_id)
    detail = f"step {checkpoint.step} of {checkpoint.job_id}"
    audit.note(tx, "checkpoint.delete", checkpoint_id, detail)
    return checkpoint


def readable(tx: Connection, checkpoint_id: str) -> Checkpoint:
    """A checkpoint whose folder is to be there; raises NotFound, Gone."""
    checkpoint = get(tx, checkpoint_id)
    if checkpoint.state in _NOT_RETAINED:
        raise Gone("checkpoint_gone", f"{checkpoint_id} is {checkpoint.state}")
    return checkpoint


def record_asked_verification(
    tx: Connection, checkpoint_id: str, problems: Sequence[str], now: datetime
) -> Verification:
    """As `record_verification`, for a caller who has asked for it."""
    answer = record_verification(tx, checkpoint_id, problems, now)
    audit.note(tx, "checkpoint.verify", checkpoint_id, "whole" if answer.ok else "not whole")
    return answer


def record_verification(
    tx: Connection, checkpoint_id: str, problems: Sequence[str], now: datetime
) -> Verification:
    """Store what reading every byte has shown: damaged, or whole (again).

    A checkpoint of a newer version is no damaged one, and stays as it is.
    """
    checkpoint = lock(tx, checkpoint_id)
    answer = Verification(checkpoint_id=checkpoint.id, ok=not problems, problems=tuple(problems))
    if is_of_newer_version(problems):
        return answer
    if checkpoint.state not in ("published", "damaged") or answer.ok == (
        checkpoint.state == "published"
    ):
        return answer
    store.mark(tx, [checkpoint.id], "published" if answer.ok else "damaged")
    refresh_pointers(tx, checkpoint.job_id)
    what = "is whole again" if answer.ok else f"is damaged: {'; '.join(problems)}"
    message = f"checkpoint {checkpoint.id} at step {checkpoint.step} {what}"
    history.note(tx, checkpoint.job_id, None, "whole" if answer.ok else "damaged", message, now)
    return answer


def file_of(checkpoint: Checkpoint, name: str, volume: SharedVolume) -> VolumeFile:
    """A file of a checkpoint; raises NotFound, Gone, Unavailable."""
    digest = checkpoint.files.get(name)
    if digest is None:
        names = ", ".join(checkpoint.files)
        raise NotFound("no_such_file", f"{checkpoint.id} has no file {name!r}; it has {names}")
    file = VolumeFile(f"{checkpoint.id}-{name}", f"{checkpoint.path}/{name}", digest)
    try:
        if checkpoint.state not in _NOT_RETAINED:
            open_for_users(volume, file).close()
            return file
    except Gone as error:
        raise Gone("checkpoint_gone", error.message) from error
    raise Gone("checkpoint_gone", f"the files of {checkpoint.id} are not on the volume any more")


def _detail_of(pinned: bool | None, tags: Sequence[str] | None) -> str:
    pin = {True: "pinned", False: "not pinned", None: None}[pinned]
    tagged = f"tags: {', '.join(tags) or 'none'}" if tags is not None else None
    return "; ".join(filter(None, (pin, tagged)))


def _require_owner(tx: Connection, by: Caller, checkpoint: Checkpoint) -> None:
    if by.may(Role.ADMIN):
        return
    # Of a job that is deleted nobody is the owner any more.
    job = jobs.get(tx, checkpoint.job_id)
    submitted_by = job.job.submitted_by if job is not None else None
    require_owner(by, checkpoint.job_id, submitted_by, checkpoint.id)


def _existing(checkpoint_id: str, checkpoint: Checkpoint | None) -> Checkpoint:
    if checkpoint is None:
        raise NotFound("no_such_checkpoint", f"there is no checkpoint {checkpoint_id}")
    return checkpoint


def _require(
    tx: Connection, checkpoint_filter: CheckpointFilter, checkpoint: Checkpoint | None
) -> Checkpoint:
    if checkpoint is not None:
        return checkpoint
    if checkpoint_filter.job is not None and jobs.version_of(tx, checkpoint_filter.job) is None:
        raise NotFound("no_such_job", f"there is no job {checkpoint_filter.job}")
    raise NotFound("no_checkpoint", "there is no such checkpoint yet")


def _resumed_from(tx: Connection, job_id: str) -> set[str]:
    checkpoint = jobs.get(tx, job_id)
    if checkpoint is None or checkpoint.job.state in ENDED_JOBS:
        return set()
    retention = kind_of(checkpoint.job.spec).retention(checkpoint.job.spec) or Retention()
    training = [c.id for c in store.published_of(tx, job_id) if c.phase != "final"]
    return set(training[: retention.keep_last])
