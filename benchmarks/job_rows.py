"""What a training leaves in PostgreSQL: bytes by table, its indexes among them."""

import shutil
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from api_tests.support.control_agent import Agent
from benchmarks.databases import databases
from benchmarks.report import Figure, Section
from benchmarks.whole_job import SERIES, control_plane_of, live_through
from service.store import series
from service.store.engine import Database
from service.store.migrate import upgrade

_LIKE = "job_0001"
_SERIES_TABLES = ("metrics", "series_arrays")
# In the order of their foreign keys.
_TABLES = ("checkpoints", "jobs", "attempts", "events", "idempotency_keys", *_SERIES_TABLES)
# Ids are as long as those that a server makes.
_COPY = """
INSERT INTO {table} SELECT copied.*
FROM {table} AS own, generate_series(1, :copies) AS n,
  json_populate_record(
    NULL::{table}, replace({json}, :job, 'job_' || lpad(n::text, 26, '0'))::json) AS copied
WHERE own.{key} = :job"""
_NUMBERED = (
    "(to_jsonb(own) || jsonb_build_object("
    "'number', nextval(pg_get_serial_sequence('events', 'number'))))::text"
)


@dataclass(frozen=True)
class Scale:
    """How much is measured: copies of a job's rows, and for how many of them also of its series."""

    jobs: int = 20_000
    jobs_with_series: int = 200
    reports: int = 360
    checkpoints: int = 3


def measure(scale: Scale = Scale()) -> Section:
    """On PostgreSQL: the rows of a whole job, copied, and the sizes of the tables."""
    folder = Path(tempfile.mkdtemp(prefix="job-rows-"))
    try:
        _, url_of = databases(folder)[-1]
        with closing(Database(url_of(1))) as database:
            rows, figures = _measured(database, scale)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Section(
        title="What a training leaves in the database",
        says=(
            f"PostgreSQL with {scale.jobs:,} trainings that ran once and succeeded, each with "
            f"{scale.checkpoints} checkpoints; the series with {scale.jobs_with_series} of them, "
            f"each with {scale.reports} reports of {len(SERIES)} metrics, as of an hour. One was "
            "lived through by the use cases, its rows were copied; sizes are after VACUUM, with "
            "indexes. A million is computed from that. Points are in `metrics` while a job runs, "
            "and in `series_arrays` once it has ended: all is what is left then."
        ),
        columns=("table", "rows of a job", "bytes of a job", "of a million jobs"),
        rows=tuple(rows),
        figures=tuple(figures),
    )


def _measured(database: Database, scale: Scale) -> tuple[list[tuple[str, ...]], list[Figure]]:
    with database.migrate() as tx:
        upgrade(tx)
    agent = Agent(control_plane_of(database), "worker")
    live_through(agent, 1, reports=scale.reports, checkpoints=scale.checkpoints)
    rows: list[tuple[str, ...]] = []
    all_bytes = 0.0
    for table in _TABLES:
        if table == "series_arrays":
            # As the server's compactor does when a job has ended.
            with database.write() as tx:
                series.compact(tx, _LIKE, len(SERIES))
        count, size = _size_of_job(database, table, scale)
        all_bytes += 0.0 if table == "metrics" else size
        rows.append((table, f"{count}", f"{size:,.0f}", f"{size / 1e3:.2f} GB"))
        sys.stderr.write(f"{' | '.join(rows[-1])}\n")
    rows.append(("all", "-", f"{all_bytes:,.0f}", f"{all_bytes / 1e3:.2f} GB"))
    return rows, [Figure("bytes_of_job", "bytes of a job", all_bytes, "lower", unit="bytes")]


def _size_of_job(database: Database, table: str, scale: Scale) -> tuple[int, float]:
    """How many rows of a table a job has, and how many bytes they take with their indexes."""
    copies = scale.jobs_with_series if table in _SERIES_TABLES else scale.jobs
    key = "id" if table == "jobs" else "job_id"
    json = _NUMBERED if table == "events" else "row_to_json(own)::text"
    with database.write() as tx:
        of_job = text(f"SELECT count(*) FROM {table} WHERE {key} = :job")
        count = tx.execute(of_job, {"job": _LIKE}).scalar_one()
        copy = text(_COPY.format(table=table, key=key, json=json))
        tx.execute(copy, {"job": _LIKE, "copies": copies})
    if not count:
        return 0, 0.0
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.execute(text(f"VACUUM ANALYZE {table}"))
        size = tx.execute(text("SELECT pg_total_relation_size(:table)"), {"table": table})
        return count, size.scalar_one() / (copies + 1)
