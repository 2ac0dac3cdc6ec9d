"""A job's progress in a terminal: a bar, or now and then a line where the output is a file."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from service.cli import figures
from service.contract.jobs import Job, JobState

_LINE_SECONDS = 10.0


class JobProgress:
    """Shows what `TrainyardClient.wait` tells it."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._bar = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[figures]}"),
            console=console,
            disable=not console.is_terminal,
            expand=True,
        )
        self._task = self._bar.add_task("queued", total=1, figures="")
        self._doing = ""
        self._told_at = -_LINE_SECONDS

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, job: Job) -> None:
        """Take note of a change."""
        done = job.progress
        if self._console.is_terminal:
            self._bar.update(
                self._task,
                description=doing(job),
                completed=done.step,
                total=done.total_steps,
                figures=measured(job),
            )
            return
        news = doing(job) != self._doing
        if news or self._clock() - self._told_at >= _LINE_SECONDS:
            self._doing, self._told_at = doing(job), self._clock()
            counted = f"step {done.step} of {done.total_steps}, {measured(job)}"
            waits = job.state == JobState.QUEUED
            self._console.print(doing(job) if waits else f"{doing(job)}: {counted}")


def doing(job: Job) -> str:
    """The state, or the phase of a running job."""
    if job.state == JobState.QUEUED:
        return f"queued ({job.wait_reason})" if job.wait_reason else "queued"
    return job.progress.phase if job.state == JobState.RUNNING else job.state.value


def measured(job: Job) -> str:
    """Loss, error, images per second and time left, in a line."""
    top1 = job.metrics.get("top1_error")
    parts = [
        f"loss {figures.loss(job.metrics.get('loss'))}",
        f"top-1 error {figures.error_rate(top1)}",
        f"{figures.rate(job.progress.images_per_second)} images/s",
    ]
    if job.state == JobState.RUNNING:
        parts.append(f"ETA {figures.duration(job.progress.eta_seconds)}")
    return ", ".join(parts)
