"""What users do meanwhile: they cancel, pause and resume jobs."""

import random
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Literal

from chaos.history import History
from service.client import TrainyardClient, TrainyardError
from service.contract.jobs import Job, JobState

_MODES: tuple[Literal["graceful", "now"], ...] = ("graceful", "now")
_RUNNING_SHARE = 0.8


class Users:
    """Users whose replies get lost as those of any client."""

    def __init__(self, client: TrainyardClient, history: History, rng: random.Random) -> None:
        self._client, self._history, self._rng = client, history, rng
        self.actions: tuple[Callable[[], str | None], ...] = (
            self.cancel_a_job,
            self.pause_a_job,
            self.pause_a_job,
            self.resume_jobs,
            self.resume_jobs,
        )

    def cancel_a_job(self) -> str | None:
        """Cancel a job that runs, is queued or is paused; what was done, or None."""
        waiting = (JobState.QUEUED, JobState.PAUSED)
        job = self._one((JobState.RUNNING, JobState.PAUSING), waiting)
        if job is None:
            return None
        mode, began = self._rng.choice(_MODES), time.time()
        # Whether it arrived is not known if the reply is lost.
        self._history.note("cancel asked", job_id=job.id, mode=mode, state=job.state)
        with suppress(TrainyardError):
            self._client.cancel(job.id, mode)
            self._history.note("cancel acknowledged", job_id=job.id)
        self._history.note_fault("cancel a job", began)
        return f"{job.id} while {job.state}, {mode}"

    def pause_a_job(self) -> str | None:
        """Pause a job that runs or is queued; what was done, or None."""
        job = self._one((JobState.RUNNING,), (JobState.QUEUED,))
        if job is None:
            return None
        began = time.time()
        self._history.note("pause asked", job_id=job.id, state=job.state)
        with suppress(TrainyardError):
            self._client.pause(job.id)
        self._history.note_fault("pause a job", began)
        return f"{job.id} while {job.state}"

    def resume_jobs(self) -> str | None:
        """Resume all paused jobs; their ids, or None."""
        resumed = []
        with suppress(TrainyardError):
            for job in list(self._client.jobs(state=JobState.PAUSED)):
                self._client.resume(job.id)
                resumed.append(job.id)
        return ", ".join(resumed) or None

    def _one(self, running: Collection[JobState], waiting: Collection[JobState]) -> Job | None:
        try:
            jobs = list(self._client.jobs())
        except TrainyardError:
            return None
        wanted = running if self._rng.random() < _RUNNING_SHARE else waiting
        there = [job for job in jobs if job.state in wanted]
        return self._rng.choice(there) if there else None
