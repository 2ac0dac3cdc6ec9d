"""Removal of checkpoints that retention has marked, once a newer one is surely whole."""

import threading
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import structlog

from service.contract.agent import Claim, Purge
from service.contract.checkpoints import attempt_path, step_of
from service.contract.loop import Loop
from service.volume.identity import SharedVolume
from service.volume.removal import purge
from workers.checkpoints.folder import checkpoints_in, verify, verify_published

_log = structlog.get_logger()


class Purger:
    """Purges for one attempt, in a thread of its own: a digest of gigabytes delays no stop."""

    def __init__(self, volume: SharedVolume, claim: Claim) -> None:
        self._volume, self._claim = volume, claim
        self._requested: tuple[Purge, ...] = ()
        self._purged: set[str] = set()
        self._lock = threading.Lock()
        self._damaged: Path | None = None
        self._loop = Loop("purger", None, self._purge_requested, log=_log, outages=(OSError,))
        self._is_started = False

    def request(self, purges: Sequence[Purge]) -> None:
        """Begin to purge, unless some are under way: the control plane asks again."""
        if not purges or self.is_busy() or self._loop.is_stopped():
            return
        self._requested = tuple(purges)
        if not self._is_started:
            self._is_started = True
            self._loop.start()
        self._loop.hasten()

    def is_busy(self) -> bool:
        """True while it verifies and removes."""
        return bool(self._requested)

    def take_purged(self) -> tuple[str, ...]:
        """The ids whose folders are removed, each once: one that gets lost is asked for again."""
        with self._lock:
            purged, self._purged = self._purged, set()
            return tuple(sorted(purged))

    def close(self) -> None:
        """Purge nothing more, and wait for what is under way: only a live attempt may purge."""
        self._loop.stop()
        self._loop.join()

    def _purge_requested(self) -> None:
        if not self._requested:
            return
        try:
            self._purge(self._requested)
        finally:
            self._requested = ()

    def _purge(self, purges: Sequence[Purge]) -> None:
        folders = {item.checkpoint_id: self._folder(item) for item in purges}
        present = {id_: folder for id_, folder in folders.items() if folder and folder.exists()}
        # What is missing in another folder, such as an empty mount point, was not removed.
        self._volume.require()
        self._note({id_ for id_, folder in folders.items() if folder and id_ not in present})
        if not present or not self._newest_is_whole(set(present.values())):
            return
        for checkpoint_id, folder in present.items():
            if self._loop.is_stopped():
                return
            try:
                purge(folder)
            except OSError as error:
                _log.error("purge_failed", folder=str(folder), error=str(error))
            else:
                _log.info("checkpoint_purged", checkpoint_id=checkpoint_id)
                self._note({checkpoint_id})

    def _note(self, purged: set[str]) -> None:
        with self._lock:
            self._purged |= purged

    def _folder(self, item: Purge) -> Path | None:
        # `jobs/<job>/attempts/<n>/step-…` of this job, and no link that leads elsewhere.
        path = PurePosixPath(item.path)
        number = path.parent.name
        folder = self._volume.root / path
        named = number.isdigit() and step_of(path.name) is not None
        if (
            not named
            or str(path.parent) != attempt_path(self._claim.job_id, int(number))
            or folder.resolve() != self._volume.root.resolve() / path
        ):
            _log.error("purge_refused", job_id=self._claim.job_id, path=item.path)
            return None
        return folder

    def _newest_is_whole(self, purged: set[Path]) -> bool:
        root, resume = self._volume.root, self._claim.resume
        written = checkpoints_in(root / attempt_path(self._claim.job_id, self._claim.attempt))
        if not written and not resume:
            return False
        newest = written[-1][0] if written else root / resume[0].path
        if newest in purged or newest == self._damaged:
            return False
        problems = verify(newest) if written else verify_published(root, resume[0])
        if problems:
            _log.error("newest_checkpoint_damaged", folder=str(newest), problems=problems)
            self._damaged = newest
        return not problems
