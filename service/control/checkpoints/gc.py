"""Folders that nobody needs: found, and removed so that a kill at any point is mended later.

Never what is pinned, tagged, best, latest, final or in use, nothing of a job that the index does
not know but as deleted, and nothing before a newer checkpoint of the job was read whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint, Garbage
from service.contract.jobs import ENDED_JOBS, Job
from service.control.checkpoints.index import record_verification
from service.control.kinds import kind_of
from service.domain.retention import surplus
from service.store import attempts, audit, checkpoints, deletions, jobs
from service.store.engine import Database
from service.volume.disk import DISK, Disk, remove_tree
from service.volume.folder import checkpoints_in, is_newer, newer_in, verify_published
from service.volume.identity import SharedVolume
from service.volume.opener import open_folder
from service.volume.removal import (
    attempt_folders_in,
    leftovers_in,
    purge,
    remove_leftovers,
    staging_folders_in,
)

_log = structlog.get_logger()
_EXPIRED, _DELETED = "the job's retention does not keep it", "a user deleted it"
_ORPHAN = "the index does not know it, and the job's retention would not keep it"
_STAGE = "a save or a removal was cut off"


@dataclass(frozen=True)
class Collector:
    """Finds what nobody needs on a volume, and removes it unless it is a dry run.

    Nothing is marked as removed or damaged unless the folder is the volume.
    """

    database: Database
    volume: SharedVolume
    now: datetime
    disk: Disk = field(default=DISK)

    def collect(self, *, dry_run: bool) -> list[Garbage]:
        """What of the whole volume is removed, or would be; raises WrongVolume."""
        self.volume.require()
        if not dry_run:
            # Before anything is removed, by many transactions: a kill leaves none without it.
            with self.database.write() as tx:
                audit.note(tx, "checkpoint.gc", None)
        folders = sorted((self.volume.root / "jobs").glob("*"))
        names = [folder.name for folder in folders if folder.is_dir() and not folder.is_symlink()]
        return [garbage for job_id in names for garbage in self._collect_job(job_id, dry_run)]

    def newer_folders(self) -> list[str]:
        """A sentence on each checkpoint of the volume that a newer version made, and is left."""
        folders = newer_in(self.volume.root / "jobs")
        return [f"{self._relative(f)} was made by a newer version, and is left" for f in folders]

    def finish(self) -> list[Garbage]:
        """Remove the folders that the index has marked, of all jobs; reads no other folder."""
        with self.database.read() as tx:
            names = sorted({*checkpoints.jobs_with_leftovers(tx), *deletions.pending(tx)})
        return [garbage for job_id in names for garbage in self._collect_job(job_id, dry_run=False)]

    def delete(self, checkpoint: Checkpoint) -> None:
        """Remove the folder of a deleted checkpoint; after an interruption `finish` removes it."""
        list(self._remove([(checkpoint, _DELETED)], dry_run=False))

    def finish_job(self, job_id: str) -> list[Garbage]:
        """Remove what nobody needs of one job."""
        return list(self._collect_job(job_id, dry_run=False))

    def _collect_job(self, job_id: str, dry_run: bool) -> Iterator[Garbage]:
        with self.database.read() as tx:
            stored = jobs.get(tx, job_id)
            deleting = checkpoints.in_state(tx, job_id, "deleting")
            live = attempts.live_number(tx, job_id)
            known = {c.id for c in checkpoints.of_job(tx, job_id)}
            deleted = deletions.is_pending(tx, job_id)
        if stored is None:
            yield from self._remove([(c, _DELETED) for c in deleting], dry_run)
            if deleted:
                yield from self._remove_leftovers_of(job_id, dry_run)
            return
        job = stored.job
        yield from self._remove_staging_folders(job, live, dry_run)
        yield from self._remove([(c, _DELETED) for c in deleting], dry_run)
        if job.state in ENDED_JOBS:
            orphans = [c for c in self._on_volume(job) if c.id not in known]
            retained, removable = self._partition(job, orphans, dry_run)
            if removable and (dry_run or self._newest_is_whole(retained)):
                yield from self._remove(removable, dry_run)

    def _remove_leftovers_of(self, job_id: str, dry_run: bool) -> Iterator[Garbage]:
        folder = self.volume.root / "jobs" / job_id
        size = sum(_size(path) for path in leftovers_in(folder))
        garbage = Garbage(path=self._relative(folder), why=_DELETED, bytes=size)
        if dry_run:
            yield garbage
            return
        with _logged(folder):
            remove_leftovers(folder, self.disk)
            self.volume.require()
            with self.database.write() as tx:
                # A checkpoint that could not be removed now has its folder in this one.
                if not checkpoints.in_state(tx, job_id, "deleting"):
                    deletions.remove(tx, job_id)
            yield garbage

    def _remove_staging_folders(
        self, job: Job, live: int | None, dry_run: bool
    ) -> Iterator[Garbage]:
        for folder in attempt_folders_in(self.volume.root / "jobs" / job.id):
            if folder.name == str(live):
                continue
            for stage in staging_folders_in(folder):
                yield Garbage(path=self._relative(stage), why=_STAGE, bytes=_size(stage))
                if not dry_run:
                    with _logged(stage):
                        remove_tree(stage, self.disk)

    def _on_volume(self, job: Job) -> list[Checkpoint]:
        return [
            Checkpoint.of(manifest, self._relative(folder), manifest.created_at)
            for attempt in attempt_folders_in(self.volume.root / "jobs" / job.id)
            for folder, manifest in checkpoints_in(attempt)
            if manifest.job_id == job.id
        ]

    def _partition(
        self, job: Job, orphans: list[Checkpoint], dry_run: bool
    ) -> tuple[list[Checkpoint], list[tuple[Checkpoint, str]]]:
        if dry_run:
            with self.database.read() as tx:
                return _partition(tx, job, orphans)
        with self.database.write() as tx:
            retained, removable = _partition(tx, job, orphans)
            checkpoints.mark(tx, [c.id for c, why in removable if why == _EXPIRED], "purging")
            return retained, removable

    def _newest_is_whole(self, retained: list[Checkpoint]) -> bool:
        newest = next((c for c in retained if c.phase != "final"), None)
        if newest is None:
            return False
        problems = verify_published(self.volume.root, newest)
        if problems:
            self.volume.require()
            _log.error("newest_checkpoint_damaged", checkpoint_id=newest.id, problems=problems)
            with self.database.write() as tx:
                record_verification(tx, newest.id, problems, self.now)
        return not problems

    def _remove(self, removable: list[tuple[Checkpoint, str]], dry_run: bool) -> Iterator[Garbage]:
        for checkpoint, why in removable:
            folder = self.volume.root / checkpoint.path
            with _logged(folder):
                size = self._size_of(checkpoint)
                if why != _DELETED and is_newer(folder):
                    _log.warning("newer_checkpoint_left", folder=checkpoint.path)
                    continue
                if not dry_run:
                    self._purge(checkpoint)
                yield Garbage(
                    path=checkpoint.path, why=why, bytes=size, checkpoint_id=checkpoint.id
                )

    def _size_of(self, checkpoint: Checkpoint) -> int:
        """The bytes of its folder, 0 for none; raises UnsafePath where a link leads to it."""
        try:
            with open_folder(self.volume.root, checkpoint.path):
                return _size(self.volume.root / checkpoint.path)
        except FileNotFoundError:
            return 0

    def _purge(self, checkpoint: Checkpoint) -> None:
        # A folder that is missing was removed before a kill, or by a worker.
        with suppress(FileNotFoundError):
            purge(self.volume.root / checkpoint.path, self.disk)
        self.volume.require()
        with self.database.write() as tx:
            checkpoints.mark_purged(tx, checkpoint.job_id, [checkpoint.id])

    def _relative(self, folder: Path) -> str:
        return str(folder.relative_to(self.volume.root))


def _partition(
    tx: Connection, job: Job, orphans: list[Checkpoint]
) -> tuple[list[Checkpoint], list[tuple[Checkpoint, str]]]:
    """The published checkpoints that stay, newest first, and those to remove with the reason."""
    published = checkpoints.published_of(tx, job.id, lock=True)
    removable = [(c, _EXPIRED) for c in checkpoints.in_state(tx, job.id, "purging")]
    retention = kind_of(job.spec).retention(job.spec)
    if retention is not None:
        in_use = jobs.sources_in_use(tx, job.id)
        removable += [(c, _EXPIRED) for c in surplus(published, retention, in_use)]
        # As if the index knew them: an orphan may be better than all that it knows.
        unknown = {c.id for c in orphans}
        both = sorted([*published, *orphans], key=_age, reverse=True)
        removable += [(c, _ORPHAN) for c in surplus(both, retention, in_use) if c.id in unknown]
    removed_ids = {c.id for c, _ in removable}
    return [c for c in published if c.id not in removed_ids], removable


def _age(checkpoint: Checkpoint) -> tuple[int, bool, int]:
    return checkpoint.step, checkpoint.phase == "final", checkpoint.attempt


def _size(path: Path) -> int:
    if path.is_symlink() or path.is_file():
        return path.lstat().st_size
    return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())


@contextmanager
def _logged(folder: Path) -> Iterator[None]:
    """A folder that cannot be removed now is left to the next sweep."""
    try:
        yield
    except OSError as error:
        _log.error("removal_failed", folder=str(folder), error=str(error))
