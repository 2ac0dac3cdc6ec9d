"""Says when jobs start and end."""

from collections.abc import Callable

from service.client import TrainyardClient, TrainyardError
from service.contract.jobs import ENDED_JOBS, Job, JobState


class StateAnnouncer:
    """Asks for the newest jobs, and tells of those whose state changed since."""

    def __init__(self, client: TrainyardClient, say: Callable[[str], None]) -> None:
        self._client = client
        self._say = say
        self._etag: str | None = None
        self._states: dict[str, JobState] | None = None

    def look(self) -> None:
        """Ask once; a server that is away is asked again the next time."""
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
            told = job.state == JobState.RUNNING or job.state in ENDED_JOBS
            if told and before.get(job.id) != job.state:
                self._say(sentence(job))


def sentence(job: Job) -> str:
    """What there is to say of a job, in a line."""
    name = f"{job.id} ({job.name})" if job.name else job.id
    parts = [job.state.value]
    if job.state == JobState.FAILED:
        parts += [each for each in (job.reason and job.reason.value, job.message) if each]
    error = (job.result or {}).get("top1_error")
    if isinstance(error, float | int):
        parts.append(f"top-1 error {error * 100:.2f} %")
    return f"{name}: {', '.join(parts)}"
