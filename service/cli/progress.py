"""A job's progress in a terminal as a bar, and in a file as a line every ten seconds."""

import time
from collections.abc import Callable, Sequence

from rich.console import Console

from service.cli import figures, terminal
from service.cli.progress_bar import ProgressBar
from service.contract.jobs import Job, JobState

_LINE_SECONDS = 10.0
_LONG = ("loss {}", "top-1 error {}", "{} images/s", "ETA {}")
_SHORT = ("loss {}", "error {}", "{} img/s", "ETA {}")


class JobProgress(ProgressBar):
    """Shows each state of a job that `show` receives from `Client.wait`."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        super().__init__(console, "queued")
        self._status = ""
        self._printed_at = -_LINE_SECONDS

    def show(self, job: Job) -> None:
        """Update the bar, or print a line if the state changed or ten seconds have passed."""
        progress = job.progress
        if self.is_shown:
            self.update(
                status_text(job),
                done=progress.step,
                total=progress.total_steps,
                figures=figures_text(job, _SHORT),
            )
            return
        changed = status_text(job) != self._status
        if changed or self._clock() - self._printed_at >= _LINE_SECONDS:
            self._status, self._printed_at = status_text(job), self._clock()
            steps = f"step {progress.step} of {progress.total_steps}"
            parts = [steps, figures_text(job)] if figures_text(job) else [steps]
            queued = job.state == JobState.QUEUED
            line = status_text(job) if queued else f"{status_text(job)}: {', '.join(parts)}"
            self._console.print(terminal.visible(line), soft_wrap=True)


def status_text(job: Job) -> str:
    """The job's state, the phase of a running job, or why a queued job waits."""
    if job.state == JobState.QUEUED:
        return f"queued ({job.wait_reason})" if job.wait_reason else "queued"
    return job.progress.phase if job.state == JobState.RUNNING else job.state.value


def figures_text(job: Job, texts: Sequence[str] = _LONG) -> str:
    """The known ones of loss, top-1 error, images per second and remaining time, as one line."""
    known = job.metrics | (job.result or {})
    running = job.state == JobState.RUNNING
    values = (
        figures.loss(known.get("loss")),
        figures.error_rate(known.get("top1_error")),
        figures.rate(job.progress.images_per_second),
        figures.duration(job.progress.eta_seconds if running else None),
    )
    pairs = zip(texts, values, strict=True)
    return ", ".join(text.format(value) for text, value in pairs if value != figures.NONE)
