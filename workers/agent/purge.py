"""Retention: what the control plane lets go, removed once something newer is surely there."""

import threading
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import structlog

from service.contract.agent import Claim, Purge
from service.contract.checkpoints import attempt_path, step_of
from service.volume.removal import purge
from workers.checkpoints.folder import checkpoints_in, verify

_log = structlog.get_logger()


class Purger:
    """Purges for one attempt, in a thread of its own: a digest of gigabytes delays no stop."""

    def __init__(self, volume: Path, claim: Claim) -> None:
        self._volume, self._claim = volume, claim
        self._thread: threading.Thread | None = None
        self._gone: set[str] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._damaged: Path | None = None

    def ask(self, purges: Sequence[Purge]) -> None:
        """Begin to purge, unless it is being done: the control plane says it again."""
        if purges and not self.is_busy() and not self._closed.is_set():
            self._thread = threading.Thread(target=self._purge, args=(purges,), daemon=True)
            self._thread.start()

    def is_busy(self) -> bool:
        """True while it verifies and removes."""
        return self._thread is not None and self._thread.is_alive()

    def take_gone(self) -> tuple[str, ...]:
        """The ids whose folders are gone, each once: one that gets lost is asked for again."""
        with self._lock:
            gone, self._gone = self._gone, set()
            return tuple(sorted(gone))

    def close(self) -> None:
        """Purge nothing more: only a live attempt may."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _purge(self, purges: Sequence[Purge]) -> None:
        folders = {item.checkpoint_id: self._folder(item) for item in purges}
        there = {id_: folder for id_, folder in folders.items() if folder and folder.exists()}
        self._note({id_ for id_, folder in folders.items() if folder and id_ not in there})
        if not there or not self._newest_is_whole(set(there.values())):
            return
        for checkpoint_id, folder in there.items():
            if self._closed.is_set():
                return
            try:
                purge(folder)
            except OSError as error:
                _log.error("purge_failed", folder=str(folder), error=str(error))
            else:
                _log.info("checkpoint_purged", checkpoint_id=checkpoint_id)
                self._note({checkpoint_id})

    def _note(self, gone: set[str]) -> None:
        with self._lock:
            self._gone |= gone

    def _folder(self, item: Purge) -> Path | None:
        # `jobs/<job>/attempts/<n>/step-…` of this job, and no link that leads elsewhere.
        path = PurePosixPath(item.path)
        number = path.parent.name
        folder = self._volume / path
        named = number.isdigit() and step_of(path.name) is not None
        if (
            not named
            or str(path.parent) != attempt_path(self._claim.job_id, int(number))
            or folder.resolve() != self._volume.resolve() / path
        ):
            _log.error("purge_refused", job_id=self._claim.job_id, path=item.path)
            return None
        return folder

    def _newest_is_whole(self, purged: set[Path]) -> bool:
        newest = self._newest()
        if newest is None or newest in purged or newest == self._damaged:
            return False
        problems = verify(newest)
        if problems:
            _log.error("newest_checkpoint_damaged", folder=str(newest), problems=problems)
            self._damaged = newest
        return not problems

    def _newest(self) -> Path | None:
        own = self._volume / attempt_path(self._claim.job_id, self._claim.attempt)
        written = checkpoints_in(own)
        if written:
            return written[-1][0]
        resume = self._claim.resume
        return self._volume / resume[0].path if resume else None
