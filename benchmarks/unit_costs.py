"""What one of each kind of the control plane's work costs, as the benchmarks have measured it."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

from benchmarks.record import Record, UnreadableRecords

_DATABASE = "PostgreSQL"
_MEASURED_WORKERS = 1_000
PAGE_ROW = "a page of 20 waiting jobs: {:,} jobs, {:,} workers"
"""The row of a measured page; `.format(jobs, workers)`."""
QUEUES = ((100, 100), (100, 500), (20_000, 100))
"""Jobs and workers of the measured pages: the second has more workers, the third more jobs."""


@dataclass(frozen=True)
class Cost:
    """Seconds of a core of a server and of PostgreSQL, durable commits, and bytes of WAL."""

    server: float
    postgres: float = 0.0
    commits: float = 0.0
    wal_bytes: float = 0.0

    def times(self, factor: float) -> "Cost":
        """So many times as much."""
        return Cost(*(factor * value for value in astuple(self)))

    def plus(self, other: "Cost") -> "Cost":
        """Both together."""
        return Cost(*map(sum, zip(astuple(self), astuple(other), strict=True)))

    def beyond(self, other: "Cost") -> "Cost":
        """What it has more than another; what it has less is an error of the measurement."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Cost(*(max(own - less, 0.0) for own, less in pairs))

    @classmethod
    def sum(cls, costs: Iterable["Cost"]) -> "Cost":
        """All together."""
        return cls(*map(sum, zip(*map(astuple, costs), strict=True)))


@dataclass(frozen=True)
class UnitCosts:
    """What one of each costs, and what one PostgreSQL can."""

    heartbeat: Cost
    """Of one attempt, with a report."""
    job: Cost
    """From its submission to its end, heartbeats left out."""
    look_of_worker: Cost
    watched_job: Cost
    page: Cost
    """A page of waiting jobs, were there no workers and no jobs; more for each worker and job."""
    page_of_worker: Cost
    page_of_job: Cost
    claims_per_second: float
    commits_per_second: float
    """By one connection: several share a flush."""
    job_row_count: float
    """Rows that are written, those of points among them, which are moved when the job has ended."""
    job_bytes: float
    series_bytes: float
    """Of `job_bytes` those of the points of its series."""

    @classmethod
    def of(cls, records: Mapping[str, Record]) -> "UnitCosts":
        """Those of the last run; raises UnreadableRecords if it left one of them out."""
        page, more_workers, more_jobs = (
            _cost(records, PAGE_ROW.format(jobs, workers)) for jobs, workers in QUEUES
        )
        (few_jobs, few_workers), (_, many_workers), (many_jobs, _) = QUEUES
        of_worker = more_workers.beyond(page).times(1 / (many_workers - few_workers))
        of_job = more_jobs.beyond(page).times(1 / (many_jobs - few_jobs))
        look = _of_postgres(records, "queue", "the reaper's look, nothing due")
        watched = _of_postgres(records, "polls", "a running job, changed before each", 2)
        tables = ("checkpoints", "jobs", "attempts", "events", "idempotency_keys", "metrics")
        return cls(
            heartbeat=_cost(records, "a heartbeat with a report"),
            job=_cost(records, "a job from its submission to its end"),
            look_of_worker=Cost(look / 1e3 / _MEASURED_WORKERS),
            watched_job=Cost(watched / 1e3),
            page=page.beyond(of_worker.times(few_workers)).beyond(of_job.times(few_jobs)),
            page_of_worker=of_worker,
            page_of_job=of_job,
            claims_per_second=_of_postgres(records, "queue", "claims/s, one at a time"),
            commits_per_second=_of_postgres(records, "submissions", "the database alone", 2),
            job_row_count=sum(_number(records, "job_rows", (name,), 1) for name in tables),
            job_bytes=_number(records, "job_rows", ("all",), 2),
            series_bytes=_number(records, "job_rows", ("series_arrays",), 2),
        )


def _cost(records: Mapping[str, Record], what: str) -> Cost:
    server, postgres, commits, wal_bytes = (
        _number(records, "control_costs", (what,), column) for column in range(1, 5)
    )
    return Cost(server / 1e3, postgres / 1e3, commits, wal_bytes)


def _of_postgres(records: Mapping[str, Record], name: str, what: str, column: int = -1) -> float:
    return _number(records, name, (_DATABASE, what), column)


def _number(records: Mapping[str, Record], name: str, begin: tuple[str, ...], column: int) -> float:
    """The number in a row of a section's table, without its unit."""
    rows = records[name].section.rows if name in records else ()
    for row in rows:
        if row[: len(begin)] == begin:
            return float(row[column].split()[0].replace(",", ""))
    raise UnreadableRecords(f"there is no {begin[-1]!r}: run python -m benchmarks {name}")
