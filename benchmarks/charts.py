"""A chart of a job that reported a million points, against reading every point that is kept."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, select

from benchmarks.databases import databases
from benchmarks.report import Figure, Section
from service.control.jobs import history
from service.store import series
from service.store.engine import Database
from service.store.migrate import upgrade
from service.store.tables import metrics

GOAL_MILLISECONDS = 10.0
_CHART_POINTS = 1000
_REPORT = 1000
"""Points of a series that are stored before it is looked at again, as heartbeats do."""


@dataclass(frozen=True)
class Scale:
    """How much is measured: the points that a job reports, in one series and in many."""

    points: int = 1_000_000
    series: int = 10
    rounds: int = 15


def measure(scale: Scale = Scale()) -> Section:
    """Both databases: the chart and the reading of all rows, in turn."""
    folder = Path(tempfile.mkdtemp(prefix="charts-"))
    rows: list[tuple[str, ...]] = []
    figures: list[Figure] = []
    try:
        for kind, url_of in databases(folder):
            for count in (1, scale.series):
                row, milliseconds = _measured(kind, url_of(count), count, scale)
                sys.stderr.write(f"{' | '.join(row)}\n")
                rows.append(row)
                figures.append(_figure(kind, count, milliseconds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Section(
        title=f"A chart of a job that reported {scale.points:,} points",
        says=(
            f"CPU time of the process for a chart of {_CHART_POINTS:,} points of each series, with "
            "the extremes of each part kept, drawn as JSON; beside it the reading of all rows that "
            "are kept of the job. An unchanged chart is answered 304 from the job's version."
        ),
        columns=("database", "series", "rows kept", "the chart", "all rows"),
        rows=tuple(rows),
        figures=tuple(figures),
    )


def _measured(kind: str, url: str, count: int, scale: Scale) -> tuple[tuple[str, ...], float]:
    with closing(Database(url)) as database:
        with database.migrate() as tx:
            upgrade(tx)
        _report(database, count, scale.points // count)
        with database.read() as tx:
            kept = len(_all_rows(tx))
            pairs = [
                (_cpu_seconds(lambda: _chart(tx)), _cpu_seconds(lambda: _all_rows(tx)))
                for _ in range(scale.rounds)
            ]
    chart, everything = (median(seconds) * 1e3 for seconds in zip(*pairs, strict=True))
    return (kind, f"{count}", f"{kept:,}", f"{chart:.1f} ms", f"{everything:.1f} ms"), chart


def _figure(kind: str, count: int, milliseconds: float) -> Figure:
    return Figure(
        key=f"{kind.lower()}.chart_of_{count}_series",
        what=f"{kind}, a chart of {count} series",
        value=milliseconds,
        better="lower",
        unit="ms",
        goal=GOAL_MILLISECONDS,
    )


def _report(database: Database, count: int, points: int) -> None:
    names = [f"metric_{number}" for number in range(count)]
    for start in range(0, points, _REPORT):
        steps = range(start, min(start + _REPORT, points))
        with database.write() as tx:
            for number, name in enumerate(names):
                values = [(name, step, (step * 7919 + number) % 10_007 / 10_007) for step in steps]
                series.add(tx, "job_1", values)
            series.thin_long_ones(tx, "job_1", names, count)


def _chart(tx: Connection) -> None:
    history.series(tx, "job_1", None, 0, _CHART_POINTS).model_dump_json()


def _all_rows(tx: Connection) -> list[tuple[str, int, float]]:
    query = select(metrics.c.name, metrics.c.step, metrics.c.value)
    rows = tx.execute(query.where(metrics.c.job_id == "job_1").order_by("name", "step"))
    return [(row.name, row.step, row.value) for row in rows]


def _cpu_seconds(read: Callable[[], object]) -> float:
    began = time.process_time()
    read()
    return time.process_time() - began
