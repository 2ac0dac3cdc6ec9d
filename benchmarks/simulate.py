"""`python -m benchmarks.simulate`: what a yard of many workers and jobs asks of a control plane.

Nothing is measured here: rates follow from the yard's size, and what each costs is what `python -m
benchmarks control_costs job_rows polls queue submissions` has left in docs/benchmarks.json. It
prints two tables in Markdown: loads of yards of three sizes, and what of the largest is full first.
"""

import sys
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from benchmarks.record import UnreadableRecords, read
from benchmarks.unit_costs import Cost, UnitCosts
from service.settings import Settings

RECORDS = Path(__file__).parent.parent / "docs" / "benchmarks.json"
WORKERS = (100, 1_000, 10_000)
_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
_POOL = 32
"""Connections that a server opens when it has much to do (`service/store/engine.py`)."""
_LISTENERS = 1
"""Connections of a server that hear of other servers' changes."""
_KEPT_CONNECTIONS = 3
"""Of PostgreSQL's `max_connections` those that it keeps for its superuser."""


@dataclass(frozen=True)
class Yard:
    """A yard at work: every worker trains, one attempt each, while a million jobs wait or ended."""

    workers: int
    jobs: int = 1_000_000
    """That are in the database; half of them wait."""
    job_seconds: float = 3_600.0
    """How long an attempt runs; as many jobs are submitted as end."""
    beat_seconds: float = 10.0
    """Between two heartbeats of a worker: 10 by default, or less where it reports more often."""
    look_seconds: float = 2.0
    """Between two looks of a server for leases that have run out."""
    pages: int = 20
    """Open pages with a list of waiting jobs, which each ask for it once in `page_seconds`."""
    page_seconds: float = 1.0
    watchers: int = 50
    """Programs that ask for a job that has changed, once a second."""
    postgres_cores: int = 8
    postgres_connections: int = 100
    """PostgreSQL's own default."""

    @property
    def jobs_per_second(self) -> float:
        """Submissions, claims, and ends."""
        return self.workers / self.job_seconds

    @property
    def beats_per_second(self) -> float:
        """Heartbeats."""
        return self.workers / self.beat_seconds

    @property
    def seconds_for_all(self) -> float:
        """How long the workers need for as many jobs as there are."""
        return self.jobs / self.jobs_per_second


def loads(yard: Yard, costs: UnitCosts) -> dict[str, Cost]:
    """By kind of work what it asks each second, but for the pages: see `page`."""
    return {
        "heartbeats": costs.heartbeat.times(yard.beats_per_second),
        "jobs": costs.job.times(yard.jobs_per_second),
        "the look for leases": costs.look_of_worker.times(yard.workers / yard.look_seconds),
        "jobs that are watched": costs.watched_job.times(yard.watchers),
    }


def page(yard: Yard, costs: UnitCosts) -> Cost:
    """What one page of waiting jobs asks, with half of all jobs in the queue."""
    of_workers = costs.page_of_worker.times(yard.workers)
    return costs.page.plus(of_workers).plus(costs.page_of_job.times(yard.jobs / 2))


@dataclass(frozen=True)
class Demand:
    """How much of something a yard needs, of how much there is."""

    what: str
    needed: float
    there_is: float
    unit: str

    @property
    def share(self) -> float:
        """1 is full."""
        return self.needed / self.there_is


def demands(yard: Yard, costs: UnitCosts) -> list[Demand]:
    """What could be full, the fullest first."""
    work = Cost.sum(loads(yard, costs).values())
    fields = Settings.model_fields
    requests_limit, open_limit = (
        float(fields[name].default) for name in ("requests_per_minute", "open_requests")
    )
    connections_limit = yard.postgres_connections - _KEPT_CONNECTIONS
    pages_per_second = yard.pages / yard.page_seconds
    each_page = page(yard, costs)
    found = [
        Demand("pages of waiting jobs: cores of one server", each_page.server * pages_per_second, 1,
               ""),
        Demand("all else: cores of one server", work.server, 1, ""),
        Demand("open requests of a token, all workers idle", yard.workers, open_limit, ""),
        Demand("requests of a token", yard.beats_per_second * _MINUTE, requests_limit, "/min"),
        Demand("PostgreSQL's cores, pages left out", work.postgres, yard.postgres_cores, ""),
        Demand("PostgreSQL's connections", connections(work), connections_limit, ""),
        Demand("PostgreSQL's durable commits", work.commits, costs.commits_per_second, "/s"),
        Demand("claims, one at a time", yard.jobs_per_second, costs.claims_per_second, "/s"),
    ]  # fmt: skip
    return sorted(found, key=lambda each: -each.share)


def servers(work: Cost) -> int:
    """How many share the work: Python uses one core of a server well."""
    return max(ceil(work.server), 1)


def connections(work: Cost) -> int:
    """That the servers may open to PostgreSQL."""
    return servers(work) * (_POOL + _LISTENERS)


def table(costs: UnitCosts) -> str:
    """Loads and sizes of yards of all sizes."""
    yards = [Yard(workers) for workers in WORKERS]
    columns = [_column(yard, costs) for yard in yards]
    rows = [["workers", *(f"{yard.workers:,}" for yard in yards)], ["---"] * (len(yards) + 1)]
    rows += [[what, *(column[what] for column in columns)] for what in columns[0]]
    return _markdown(rows)


def first_full(costs: UnitCosts) -> str:
    """What the largest yard needs of everything that could be full, the fullest first."""
    rows = [[f"at {WORKERS[-1]:,} workers", "needs", "of", "times as much"], ["---"] * 4]
    for each in demands(Yard(WORKERS[-1]), costs):
        amounts = (_amount(each.needed, each.unit), _amount(each.there_is, each.unit))
        rows.append([each.what, *amounts, f"{each.share:.2f}"])
    return _markdown(rows)


def _column(yard: Yard, costs: UnitCosts) -> dict[str, str]:
    by_kind = loads(yard, costs)
    work, each_page = Cost.sum(by_kind.values()), page(yard, costs)
    bytes_a_day = yard.jobs_per_second * _DAY * costs.job_bytes
    return {
        "hours for a million jobs": f"{yard.seconds_for_all / _HOUR:,.0f}",
        "submissions, claims and ends, each a second": f"{yard.jobs_per_second:.2f}",
        "heartbeats a second": f"{yard.beats_per_second:,.0f}",
        **{f"servers' cores: {kind}": f"{each.server:.2f}" for kind, each in by_kind.items()},
        "servers' cores: all of these": f"{work.server:.2f}",
        **{
            f"PostgreSQL's cores: {kind}": f"{each.postgres:.2f}"
            for kind, each in by_kind.items()
            if each.postgres
        },
        "PostgreSQL's durable commits a second": f"{work.commits:,.0f}",
        "PostgreSQL's WAL a day": f"{work.wal_bytes * _DAY / 1e9:,.1f} GB",
        "servers, and their connections": f"{servers(work)}, {connections(work)}",
        "one page of waiting jobs, server's CPU": f"{each_page.server:.2f} s",
        "one page of waiting jobs, PostgreSQL's CPU": f"{each_page.postgres:.2f} s",
        "jobs a day": f"{yard.jobs_per_second * _DAY:,.0f}",
        "rows a day": f"{yard.jobs_per_second * _DAY * costs.job_row_count / 1e6:,.1f} million",
        "database grows a day": f"{bytes_a_day / 1e9:,.1f} GB",
        "database of a million jobs": f"{yard.jobs * costs.job_bytes / 1e9:,.0f} GB",
        "of that, points of series": f"{yard.jobs * costs.series_bytes / 1e9:,.0f} GB",
        "requests a minute of the workers": f"{yard.beats_per_second * _MINUTE:,.0f}",
    }


def _amount(value: float, unit: str) -> str:
    shown = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
    return f"{shown} {unit}".rstrip().replace(" /", "/")


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    """Print the tables; the exit status."""
    try:
        costs = UnitCosts.of(read(RECORDS))
    except UnreadableRecords as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{table(costs)}\n\n{first_full(costs)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
