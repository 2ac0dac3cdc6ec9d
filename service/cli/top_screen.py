"""The screen of `trainyard top`: what runs, what waits, and how busy the workers are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group
from rich.table import Table
from rich.text import Text

from service.cli import figures, terminal
from service.cli.progress import status_text
from service.contract.counts import count_text
from service.contract.jobs import Job
from service.contract.samples import Sample
from service.contract.workers import Worker

_LINES_BETWEEN = 6
"""The head, two empty lines, and the titles of the three tables."""
_FEWEST_ROWS = 2

Row = tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """What a server has at one moment; `problem` is why it is not that of now."""

    server: str
    running: Sequence[Job]
    queued: Sequence[Job]
    workers: Sequence[Worker]
    at: datetime
    problem: str | None = None


def screen_of(scene: Scene, lines: int) -> Group:
    """The scene in at most `lines` lines; what has no place is counted."""
    tables = (
        (("RUNNING", "PHASE", "STEP", "LOSS", "ERROR", "IMG/S", "ETA"), map(_job, scene.running)),
        (("WORKER", "STATE", "JOBS", "GPU", "CPU", "MEMORY", "DISK"), map(_worker, scene.workers)),
        (("QUEUED", "WHY IT WAITS"), map(_queued, scene.queued)),
    )
    rows = [list(each) for _, each in tables]
    places = _places([len(each) for each in rows], max(lines - _LINES_BETWEEN, 0))
    drawn: list[Table | Text] = [_head(scene)]
    for (columns, _), found, most in zip(tables, rows, places, strict=True):
        if len(drawn) > 1:
            drawn.append(Text(""))
        drawn.append(_table(columns, _cut(found, most, len(columns))))
    return Group(*drawn)


def _places(wanted: Sequence[int], lines: int) -> list[int]:
    """How many rows each table may have: what the small ones leave goes to the first."""
    given = [min(each, max(_FEWEST_ROWS, lines // len(wanted))) for each in wanted]
    for number, each in enumerate(wanted):
        given[number] += min(each - given[number], max(lines - sum(given), 0))
    return given


def _cut(rows: list[Row], most: int, columns: int) -> list[Row]:
    if len(rows) <= most:
        return rows
    left = len(rows) - max(most - 1, 0)
    return [*rows[: max(most - 1, 0)], (f"… and {left} more", *[""] * (columns - 1))]


def _head(scene: Scene) -> Text:
    counts = (
        f"{len(scene.running)} running, {len(scene.queued)} queued, "
        f"{count_text(len(scene.workers), 'worker')}"
    )
    text = f"{scene.server}  {counts}  {scene.at:%H:%M:%S}Z  q quits"
    if scene.problem is None:
        return Text(terminal.visible(text), style="bold", no_wrap=True, overflow="ellipsis")
    problem = f"as of {scene.at:%H:%M:%S}Z: {scene.problem}"
    return Text(terminal.visible(problem), style="red", no_wrap=True, overflow="ellipsis")


def _table(columns: Sequence[str], rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    for number, title in enumerate(columns):
        is_wide = number == 0 or title == "WHY IT WAITS"
        justify = "left" if is_wide or title in ("PHASE", "STATE") else "right"
        table.add_column(
            title,
            no_wrap=True,
            overflow="ellipsis",
            ratio=(2 if number else 1) if is_wide else None,
            justify="right" if justify == "right" else "left",
        )
    for row in rows:
        table.add_row(*(Text(terminal.visible(text)) for text in row))
    return table


def _job(job: Job) -> Row:
    return (
        job.name or job.id,
        status_text(job),
        f"{job.progress.step}/{job.progress.total_steps}",
        figures.loss(job.metrics.get("loss")),
        figures.error_rate(job.metrics.get("top1_error")),
        figures.rate(job.progress.images_per_second),
        figures.duration(job.progress.eta_seconds),
    )


def _queued(job: Job) -> Row:
    return job.name or job.id, job.wait_reason or "a worker takes it soon"


def _worker(worker: Worker) -> Row:
    sample = worker.sample or Sample()
    uses = [gpu.use for gpu in sample.gpus if gpu.use is not None]
    return (
        worker.host,
        worker.state.value,
        str(len(worker.jobs)),
        figures.share(sum(uses) / len(uses) if uses else None),
        figures.share(sample.cpu_use),
        figures.share(_part(sample.memory_used_bytes, sample.memory_total_bytes)),
        figures.share(_part(sample.disk_used_bytes, sample.disk_total_bytes)),
    )


def _part(used: int | None, total: int | None) -> float | None:
    return used / total if used is not None and total else None
