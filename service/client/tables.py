"""Jobs and checkpoints as rows, fields and sentences: what a notebook and `repr` show of them."""

from collections.abc import Mapping, Sequence

from service.client import html
from service.client.html import Points
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Job

_MEASURED = ("loss", "top1_error")


def table_of(items: Sequence[object], more: str = "") -> str:
    """A table of jobs, of checkpoints, or of anything else; `more` is a note below it."""
    jobs = [each for each in items if isinstance(each, Job)]
    if len(jobs) == len(items):
        columns = ("job", "name", "recipe", "state", "step", *_MEASURED)
        return html.table(columns, map(_job_row, jobs), more)
    checkpoints = [each for each in items if isinstance(each, Checkpoint)]
    if len(checkpoints) == len(items):
        titles = ("checkpoint", "job", "recipe", "step", "phase", *_MEASURED, "size")
        return html.table(titles, map(_checkpoint_row, checkpoints), more)
    return html.table(("",), ((each,) for each in items), more)


def job_html(job: Job, series: Mapping[str, Points]) -> str:
    """A job with its state, its progress and small curves."""
    why = ": ".join(part for part in (job.reason, job.message) if part)
    values = {
        "name": job.name,
        "recipe": _network(job),
        "state": job.state,
        "reason": why,
        "waits": job.wait_reason,
        "step": _steps(job),
        **{name: _figure(job.metrics.get(name)) for name in _MEASURED},
        "latest checkpoint": job.latest_checkpoint,
    }
    return html.fields(f"{job.kind} {job.id}", values, html.curves(series))


def checkpoint_html(checkpoint: Checkpoint) -> str:
    """A checkpoint with what it measured, its files and their digests."""
    values = {
        "job": f"{checkpoint.job_id}, attempt {checkpoint.attempt}",
        "recipe": f"{checkpoint.recipe} {checkpoint.variant}",
        "step": f"{checkpoint.step} ({checkpoint.phase})",
        **{name: _figure(value) for name, value in checkpoint.metrics.items()},
        "tags": ", ".join(checkpoint.tags),
        "pinned": "yes" if checkpoint.pinned else "",
        "state": "" if checkpoint.state == "published" else checkpoint.state,
    }
    files = html.table(
        ("file", "size", "sha256"),
        (
            (name, _size(digest.bytes), f"{digest.sha256[:12]}…")
            for name, digest in checkpoint.files.items()
        ),
    )
    return html.fields(f"checkpoint {checkpoint.id}", values, files)


def job_text(job: Job) -> str:
    """A job in one line: what it is, its state, and how far it is."""
    name = f" {job.name!r}" if job.name else ""
    measured = ", ".join(
        f"{each} {_figure(job.metrics[each])}" for each in _MEASURED if each in job.metrics
    )
    why = job.wait_reason or ": ".join(part for part in (job.reason, job.message) if part)
    parts = (f"{_network(job)}, {job.state}", f"step {_steps(job)}", measured, why)
    return f"<Job {job.id}{name} {job.kind} {', '.join(part for part in parts if part)}>"


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """A checkpoint in one line: its step, its job, and what it measured."""
    measured = "".join(
        f", {each} {_figure(checkpoint.metrics[each])}"
        for each in _MEASURED
        if each in checkpoint.metrics
    )
    network = f"{checkpoint.recipe} {checkpoint.variant}"
    return (
        f"<Checkpoint {checkpoint.id} {network}, {checkpoint.phase} step {checkpoint.step} of "
        f"{checkpoint.job_id}{measured}, {_size(checkpoint.bytes)}>"
    )


def _job_row(job: Job) -> tuple[object, ...]:
    measured = (_figure(job.metrics.get(name)) for name in _MEASURED)
    return (job.id, job.name, _network(job), job.state, _steps(job), *measured)


def _checkpoint_row(of: Checkpoint) -> tuple[object, ...]:
    measured = (_figure(of.metrics.get(name)) for name in _MEASURED)
    network = f"{of.recipe} {of.variant}"
    return (of.id, of.job_id, network, of.step, of.phase, *measured, _size(of.bytes))


def _network(job: Job) -> str:
    return " ".join(part for part in (job.recipe, job.variant) if part)


def _steps(job: Job) -> str:
    return f"{job.progress.step} of {job.progress.total_steps}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
