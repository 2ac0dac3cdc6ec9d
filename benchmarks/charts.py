"""A chart of a job that reported a million points, against reading every point that is kept."""

import shutil
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import Connection

from benchmarks.databases import databases
from benchmarks.report import Figure, Section
from service.contract.model_json import json_of
from service.control.jobs import history
from service.store import series
from service.store.engine import Database
from service.store.migrate import upgrade

GOAL_MILLISECONDS = 10.0
_CHART_POINTS = 1000
_JOB = "job_1"


@dataclass(frozen=True)
class Scale:
    """How much is measured: the points that a job reports, in one series and in many."""

    points: int = 1_000_000
    series: int = 10
    rounds: int = 15


def measure(scale: Scale = Scale()) -> Section:
    """Both databases: the chart and the reading of all points, in turn."""
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
            "the extremes of each part kept, drawn as JSON; beside it that of all points that are "
            "kept of the job. The newest points are in rows, as between two heartbeats that move "
            "them. An unchanged chart is answered 304 from the job's version."
        ),
        columns=("database", "series", "points kept", "the chart", "all points"),
        rows=tuple(rows),
        figures=tuple(figures),
    )


def _measured(kind: str, url: str, count: int, scale: Scale) -> tuple[tuple[str, ...], float]:
    with closing(Database(url)) as database:
        with database.migrate() as tx:
            upgrade(tx)
        _report(database, count, scale.points // count)
        with database.read() as tx:
            kept = sum(
                map(len, history.series(tx, _JOB, None, 0, series.MOST_POINTS).series.values())
            )
            pairs = [
                (_cpu_seconds(tx, _CHART_POINTS), _cpu_seconds(tx, 2 * series.MOST_POINTS))
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
    steps_of_report = series.ROWS_BETWEEN_MOVES // count
    rest = min(steps_of_report // 2, points)
    for start in range(0, points, steps_of_report):
        steps = range(start, min(start + steps_of_report, points - rest))
        _add(database, names, steps)
        with database.write() as tx:
            series.compact(tx, _JOB, count)
    _add(database, names, range(points - rest, points))


def _add(database: Database, names: list[str], steps: range) -> None:
    with database.write() as tx:
        for number, name in enumerate(names):
            values = [(name, step, (step * 7919 + number) % 10_007 / 10_007) for step in steps]
            series.add(tx, _JOB, values)


def _cpu_seconds(tx: Connection, max_points: int) -> float:
    began = time.process_time()
    json_of(history.series(tx, _JOB, None, 0, max_points))
    return time.process_time() - began
