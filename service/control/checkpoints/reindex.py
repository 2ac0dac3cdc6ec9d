"""The index rebuilt from the folders alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint, Manifest
from service.contract.paths import resolve_path
from service.control.checkpoints.index import record_verification
from service.control.checkpoints.retention import refresh_pointers
from service.control.kinds.import_ import job_of_folder
from service.store import attempts, checkpoints, history, jobs
from service.store.engine import Database
from service.volume.folder import checkpoints_in, newer_in, verify
from service.volume.manifests import is_of_newer_version


@dataclass
class ReindexResult:
    """What a rescan has changed: ids by what became of them, and sentences on what it left."""

    jobs: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    healed: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def rescan(
    database: Database,
    volume: Path,
    *,
    now: datetime,
    on_total: Callable[[int], None] = lambda _: None,
    on_read: Callable[[int], None] = lambda _: None,
) -> ReindexResult:
    """Read every checkpoint of the volume, and make the index agree; a second time changes nothing.

    Each checkpoint is one transaction, so a rescan that is cut off is gone on with by the next.
    `on_total` and `on_read` are told of bytes. Raises FileNotFoundError where there is no volume.
    """
    if not (volume / "jobs").is_dir():
        raise FileNotFoundError(f"{volume} has no folder jobs: is the volume mounted?")
    found = checkpoints_in(volume / "jobs")
    on_total(sum(digest.bytes for _, m in found for digest in m.files.values()))
    told = ReindexResult()
    for folder, manifest in found:
        problems = verify(folder, on_read)
        with database.write() as tx:
            _agree(tx, told, str(folder.relative_to(volume)), manifest, problems, now)
    newer = newer_in(volume / "jobs")
    told.left += [f"{folder.relative_to(volume)} was made by a newer version" for folder in newer]
    _miss(database, volume, {manifest.checkpoint_id for _, manifest in found}, told, now)
    return told


def _agree(
    tx: Connection,
    told: ReindexResult,
    path: str,
    manifest: Manifest,
    problems: list[str],
    now: datetime,
) -> None:
    indexed = checkpoints.get(tx, manifest.checkpoint_id)
    if indexed is None and problems:
        told.left.append(f"{path} is not whole: {'; '.join(problems)}")
    elif indexed is None and attempts.live_number(tx, manifest.job_id) == manifest.attempt:
        told.left.append(f"{path} is of an attempt that is still running, which tells of it itself")
    elif indexed is None:
        _adopt(tx, told, path, manifest, now)
    elif indexed.path != path:
        told.left.append(f"{path} is another folder than {indexed.path}, with the same id")
    elif indexed.state == "purged" and not problems:
        # Brought back, from a backup perhaps.
        checkpoints.mark(tx, [indexed.id], "published")
        refresh_pointers(tx, indexed.job_id)
        told.healed.append(indexed.id)
    else:
        _judged(tx, told, indexed, problems, now)


def _judged(
    tx: Connection, told: ReindexResult, indexed: Checkpoint, problems: list[str], now: datetime
) -> None:
    record_verification(tx, indexed.id, problems, now)
    if is_of_newer_version(problems):
        return
    if problems and indexed.state == "published":
        told.damaged.append(indexed.id)
    elif not problems and indexed.state == "damaged":
        told.healed.append(indexed.id)


def _adopt(
    tx: Connection, told: ReindexResult, path: str, manifest: Manifest, now: datetime
) -> None:
    created_at = min(manifest.created_at, now)
    if jobs.get(tx, manifest.job_id, lock=True) is None:
        jobs.add(tx, job_of_folder(manifest, created_at), None)
        said = "found on the volume by a rescan; the index did not know this job"
        history.note(tx, manifest.job_id, None, "adopted", said, now)
        told.jobs.append(manifest.job_id)
    checkpoints.add(tx, Checkpoint.of(manifest, path, created_at), manifest)
    jobs.raise_attempt(tx, manifest.job_id, manifest.attempt)
    refresh_pointers(tx, manifest.job_id)
    said = f"checkpoint {manifest.checkpoint_id} at step {manifest.step} was found on the volume"
    history.note(tx, manifest.job_id, manifest.attempt, "checkpoint", said, now)
    told.adopted.append(manifest.checkpoint_id)


def _miss(
    database: Database, volume: Path, seen: set[str], told: ReindexResult, now: datetime
) -> None:
    with database.read() as tx:
        missing = [(id_, path) for id_, path in checkpoints.published_paths(tx) if id_ not in seen]
    for checkpoint_id, path in missing:
        # Asked again: it may have been published, or let go, since the folders were listed.
        problems = verify(resolve_path(volume, path))
        with database.write() as tx:
            before = checkpoints.get(tx, checkpoint_id)
            assert before is not None
            _judged(tx, told, before, problems, now)
