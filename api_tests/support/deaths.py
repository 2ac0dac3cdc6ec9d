"""A training that is disturbed, and what becomes of it: what its job says, and after how long."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from api_tests.support.installation import PARAMS, TRAIN, Installation, until
from api_tests.support.worker_process import all_ended, title_of
from service.contract.jobs import Attempt, Event
from service.contract.process_title import process_title

_ENDLESS = PARAMS | {"total_iters": 100_000, "val_interval": 100_000, "save_interval": 20}
LEASES = {"SELF_END_SECONDS": "20", "KILL_GRACE_SECONDS": "2", "REASSIGN_SECONDS": "28"}
"""Room for a server to start again, and between the end of one attempt and the next one's begin."""
ON_TWO_HOSTS = TRAIN | {"params": _ENDLESS, "resources": {"hosts": 2}}
ON_ONE_HOST = TRAIN | {"params": _ENDLESS, "resources": {"ranks": 2}}


@dataclass(frozen=True)
class Aftermath:
    """What followed a fault, and after how many seconds.

    `ended` until no process of the attempt was left, `requeued` until its job was in the queue,
    `resumed` until the next attempt trained on from its checkpoint.
    """

    reason: str
    message: str
    failures: int
    worker_losses: int
    ended: float
    requeued: float
    resumed: float

    @property
    def line(self) -> str:
        """Its figures, for people."""
        times = (
            f"ended {self.ended:.1f} s, queued {self.requeued:.1f} s, trains {self.resumed:.1f} s"
        )
        return f"{times}; {self.reason}, charged {self.is_charged}: {self.message[:100]}"

    @property
    def is_charged(self) -> bool:
        """Whether it cost the job one of its `max_failures`."""
        return self.failures > 0


class DisturbedTraining:
    """The attempt that runs now of an endless training; it has saved since it began."""

    def __init__(
        self, installation: Installation, job_id: str, worker: "subprocess.Popen[bytes]"
    ) -> None:
        """`worker` is the agent that runs it."""
        self._installation, self._client = installation, installation.client
        self.job_id, self.worker = job_id, worker
        self.number = self._client.job(job_id).attempt
        self._until_saved()
        # A warm process of the agent's own host serves the next attempt too.
        self.processes = [
            each
            for each in psutil.Process(worker.pid).children(recursive=True)
            if not (title_of(each) == process_title("warm") and each.ppid() == worker.pid)
        ]

    def process(self, part: str) -> psutil.Process:
        """The first process with this part in its title, such as rank-1."""
        title = process_title(part, self.job_id)
        return next(each for each in self.processes if title_of(each) == title)

    def after(
        self, what: str, fault: Callable[[], object], idle: Collection[psutil.Process] = ()
    ) -> Aftermath:
        """What follows; no process but those `idle` is left once the job is in the queue again."""
        ending = [each for each in self.processes if each not in idle]
        at = datetime.now(UTC)
        fault()
        ended_at: list[datetime] = []

        def requeue() -> Event | None:
            # Asked first: what ends in between was there when the job was in the queue.
            event = self._event("requeued", self.number)
            if not ended_at and all_ended(ending):
                ended_at.append(datetime.now(UTC))
            return event

        requeued = until(requeue)
        left = [title for title in map(title_of, ending) if title]
        assert ended_at, f"the job was in the queue while there was {left}"
        failures, worker_losses = self._counters()
        resumed = until(lambda: self._event("resumed at step", self.number + 1))
        attempt = self._attempt()
        aftermath = Aftermath(
            reason=str(attempt.reason),
            message=attempt.message or "",
            failures=failures,
            worker_losses=worker_losses,
            ended=(ended_at[0] - at).total_seconds(),
            requeued=(requeued.created_at - at).total_seconds(),
            resumed=(resumed.created_at - at).total_seconds(),
        )
        sys.stderr.write(f"{what}: {aftermath.line}\n")
        return aftermath

    def goes_on(self) -> bool:
        """Whether this attempt saves again."""
        self._until_saved()
        return self._event("requeued", self.number) is None

    def _until_saved(self) -> None:
        """Wait until this attempt has one checkpoint more."""
        before = self._saved_step()
        until(lambda: self._saved_step() > before)

    def _saved_step(self) -> int:
        job = self._client.job(self.job_id)
        assert (job.finished_at, job.attempt) == (None, self.number), (job.state, job.message)
        latest = job.latest_checkpoint
        return self._client.checkpoint(latest).step if latest is not None else 0

    def _attempt(self) -> Attempt:
        return next(a for a in self._client.attempts(self.job_id) if a.number == self.number)

    def _event(self, what: str, attempt: int) -> Event | None:
        """The first event of an attempt of this kind, or with these words."""
        for event in self._client.events(self.job_id):
            if event.attempt == attempt and (event.kind == what or what in event.message):
                return event
        return None

    def _counters(self) -> tuple[int, int]:
        query = "SELECT failures, worker_losses FROM jobs WHERE id = ?"
        with closing(sqlite3.connect(self._installation.folder / "trainyard.db")) as database:
            row: tuple[int, int] = database.execute(query, [self.job_id]).fetchone()
        return row
