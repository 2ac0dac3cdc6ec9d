"""A job's progress in a terminal: a bar, or now and then a line where the output is a file."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from service.cli import figures
from service.contract.jobs import Job, JobState

_LINE_SECONDS = 10.0
_LONG = ("loss {}", "top-1 error {}", "{} images/s", "ETA {}")
_SHORT = ("loss {}", "error {}", "{} img/s", "ETA {}")


class JobProgress:
    """Shows what `TrainyardClient.wait` tells it."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._bar = Progress(
            TextColumn("{task.description}"),
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
                figures=measured(job, _SHORT),
            )
            return
        news = doing(job) != self._doing
        if news or self._clock() - self._told_at >= _LINE_SECONDS:
            self._doing, self._told_at = doing(job), self._clock()
            counted = f"step {done.step} of {done.total_steps}"
            parts = [counted, measured(job)] if measured(job) else [counted]
            waits = job.state == JobState.QUEUED
            line = doing(job) if waits else f"{doing(job)}: {', '.join(parts)}"
            self._console.print(line, soft_wrap=True)


def doing(job: Job) -> str:
    """The state, or the phase of a running job."""
    if job.state == JobState.QUEUED:
        return f"queued ({job.wait_reason})" if job.wait_reason else "queued"
    return job.progress.phase if job.state == JobState.RUNNING else job.state.value


def measured(job: Job, texts: Sequence[str] = _LONG) -> str:
    """Loss, error, images per second and time left, as far as they are known, in a line."""
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
