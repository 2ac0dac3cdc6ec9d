"""Prints a line when a job starts or ends."""

from collections.abc import Callable

from service.client import TrainyardClient, TrainyardError
from service.contract.jobs import ENDED_JOBS, Job, JobState


class StateAnnouncer:
    """Polls the newest jobs, and prints those that have started or ended since the last poll."""

    def __init__(self, client: TrainyardClient, print_line: Callable[[str], None]) -> None:
        self._client = client
        self._print_line = print_line
        self._etag: str | None = None
        self._states: dict[str, JobState] | None = None

    def poll(self) -> None:
        """Read the newest jobs once; an unreachable server is ignored until the next poll."""
        try:
            jobs, self._etag = self._client.recent_jobs(self._etag)
        except TrainyardError:
            return
        if jobs is None:
            return
        before, self._states = self._states, {job.id: job.state for job in jobs}
        if before is None:
            return
        for job in reversed(jobs):
            has_news = job.state == JobState.RUNNING or job.state in ENDED_JOBS
            if has_news and before.get(job.id) != job.state:
                self._print_line(describe(job))


def describe(job: Job) -> str:
    """One line with the job's id, name and state, and its reason or its top-1 error."""
    name = f"{job.id} ({job.name})" if job.name else job.id
    parts = [job.state.value]
    if job.state == JobState.FAILED:
        parts += [each for each in (job.reason and job.reason.value, job.message) if each]
    error = (job.result or {}).get("top1_error")
    if isinstance(error, float | int):
        parts.append(f"top-1 error {error * 100:.2f} %")
    return f"{name}: {', '.join(parts)}"
