"""The index rebuilt from the folders alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint, Manifest
from service.control.checkpoints.index import record_verification
from service.control.checkpoints.retention import refresh_pointers
from service.control.kinds.import_ import job_of_folder
from service.store import attempts, checkpoints, history, jobs, volumes
from service.store.engine import Database
from service.volume.folder import checkpoints_in, newer_in, verify, verify_published
from service.volume.identity import SharedVolume, identity_of
from service.volume.manifests import is_of_newer_version


@dataclass
class ReindexResult:
    """What a reindexing changed: ids by their change; a sentence for each folder left alone."""

    jobs: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    healed: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def reindex(
    database: Database,
    volume: Path,
    *,
    now: datetime,
    on_total: Callable[[int], None] = lambda _: None,
    on_read: Callable[[int], None] = lambda _: None,
) -> ReindexResult:
    """Read every checkpoint of the volume and make the index agree; a second run changes nothing.

    Each checkpoint is a transaction of its own: after an interruption the next run completes it.
    `on_total` is called once with the bytes to read, `on_read` with the bytes of each part that
    was read. Raises FileNotFoundError where there is no volume, and WrongVolume where it is not
    that of the database.
    """
    shared = _identified(database, volume, now)
    if not (volume / "jobs").is_dir():
        raise FileNotFoundError(f"{volume} has no folder jobs: is the volume mounted?")
    folders = checkpoints_in(volume / "jobs")
    on_total(sum(digest.bytes for _, m in folders for digest in m.files.values()))
    result = ReindexResult()
    for folder, manifest in folders:
        path = str(folder.relative_to(volume))
        with database.read() as tx:
            indexed = checkpoints.get(tx, manifest.checkpoint_id)
        if indexed is not None and indexed.path == path:
            problems = verify_published(volume, indexed, on_read)
        else:
            problems = verify(folder, on_read)
        with database.write() as tx:
            _reindex_folder(tx, result, path, manifest, problems, now)
    newer = newer_in(volume / "jobs")
    result.left += [f"{folder.relative_to(volume)} was made by a newer version" for folder in newer]
    _reindex_missing(
        database,
        shared,
        {manifest.checkpoint_id for _, manifest in folders},
        result,
        now,
    )
    return result


def _identified(database: Database, volume: Path, now: datetime) -> SharedVolume:
    """The volume with the identity that the database has noted, or notes now."""
    with database.read() as tx:
        expected = volumes.identity(tx)
    present = identity_of(volume)
    if expected is None and present is not None:
        with database.write() as tx:
            expected = volumes.set_identity(tx, present, now)
    shared = SharedVolume(volume, expected)
    shared.require()
    return shared


def _reindex_folder(
    tx: Connection,
    result: ReindexResult,
    path: str,
    manifest: Manifest,
    problems: list[str],
    now: datetime,
) -> None:
    indexed = checkpoints.get(tx, manifest.checkpoint_id)
    if indexed is None and problems:
        result.left.append(f"{path} is not whole: {'; '.join(problems)}")
    elif indexed is None and attempts.live_number(tx, manifest.job_id) == manifest.attempt:
        result.left.append(f"{path} is of an attempt that is still running, which reports it")
    elif indexed is None:
        _adopt(tx, result, path, manifest, now)
    elif indexed.path != path:
        result.left.append(f"{path} is another folder than {indexed.path}, with the same id")
    elif indexed.state == "purged" and not problems:
        # Brought back, from a backup perhaps.
        checkpoints.mark(tx, [indexed.id], "published")
        refresh_pointers(tx, indexed.job_id)
        result.healed.append(indexed.id)
    else:
        _record_problems(tx, result, indexed, problems, now)


def _record_problems(
    tx: Connection, result: ReindexResult, indexed: Checkpoint, problems: list[str], now: datetime
) -> None:
    record_verification(tx, indexed.id, problems, now)
    if is_of_newer_version(problems):
        return
    if problems and indexed.state == "published":
        result.damaged.append(indexed.id)
    elif not problems and indexed.state == "damaged":
        result.healed.append(indexed.id)


def _adopt(
    tx: Connection, result: ReindexResult, path: str, manifest: Manifest, now: datetime
) -> None:
    created_at = min(manifest.created_at, now)
    if jobs.get(tx, manifest.job_id, lock=True) is None:
        jobs.add(tx, job_of_folder(manifest, created_at), None)
        message = "found on the volume by a reindexing; the index did not know this job"
        history.note(tx, manifest.job_id, None, "adopted", message, now)
        result.jobs.append(manifest.job_id)
    checkpoints.add(tx, Checkpoint.of(manifest, path, created_at), manifest)
    jobs.raise_attempt(tx, manifest.job_id, manifest.attempt)
    refresh_pointers(tx, manifest.job_id)
    message = f"checkpoint {manifest.checkpoint_id} at step {manifest.step} was found on the volume"
    history.note(tx, manifest.job_id, manifest.attempt, "checkpoint", message, now)
    result.adopted.append(manifest.checkpoint_id)


def _reindex_missing(
    database: Database,
    volume: SharedVolume,
    present_ids: set[str],
    result: ReindexResult,
    now: datetime,
) -> None:
    with database.read() as tx:
        missing = [id_ for id_ in checkpoints.published_ids(tx) if id_ not in present_ids]
    for checkpoint_id in missing:
        # Read again: it may have been published, or removed, since the folders were listed.
        with database.read() as tx:
            indexed = checkpoints.get(tx, checkpoint_id)
        if indexed is None or indexed.state != "published":
            continue
        problems = verify_published(volume.root, indexed)
        volume.require()
        with database.write() as tx:
            _record_problems(tx, result, indexed, problems, now)
