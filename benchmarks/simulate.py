"""`python -m benchmarks.simulate`: what a yard of many workers asks of a server with PostgreSQL.

Nothing is measured here: rates follow from the yard's size, and what each costs is what `python -m
benchmarks polls queue submissions` has left in docs/benchmarks.json. It prints a table in Markdown.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.record import Record, UnreadableRecords, read

RECORDS = Path(__file__).parent.parent / "docs" / "benchmarks.json"
DATABASE = "PostgreSQL"
WORKERS = (100, 1_000, 10_000)
_MEASURED_WORKERS = 1_000
_MEASURED_CORES = 2
_MINUTE = 60.0


@dataclass(frozen=True)
class Yard:
    """A yard at work: every worker trains, one attempt each."""

    workers: int
    job_seconds: float = 3_600.0
    """How long an attempt runs; as many jobs are submitted as end."""
    beat_seconds: float = 10.0
    """Between two heartbeats of a worker: 10 by default, or less where it reports more often."""
    look_seconds: float = 2.0
    """Between two looks of a server for leases that have run out."""
    pages: int = 20
    """Open pages, each with a list of its own that has changed, once a second."""
    watchers: int = 50
    """Programs that ask for a job that has changed, once a second."""

    @property
    def jobs_per_second(self) -> float:
        """Submissions, and claims."""
        return self.workers / self.job_seconds

    @property
    def beats_per_second(self) -> float:
        """Heartbeats."""
        return self.workers / self.beat_seconds


@dataclass(frozen=True)
class UnitCosts:
    """Seconds of one core that one of each takes of a server."""

    heartbeat: float
    claim: float
    submission: float
    look_per_worker: float
    list_page: float
    watched_job: float

    @classmethod
    def of(cls, records: Mapping[str, Record]) -> "UnitCosts":
        """Those of the last run; raises UnreadableRecords if it left one of them out."""
        beats = _number(records, "queue", "heartbeats/s")
        look = _number(records, "queue", "the reaper's look, nothing due")
        return cls(
            # The agents of that benchmark had their part of the two cores, too.
            heartbeat=_MEASURED_CORES / beats,
            claim=_number(records, "queue", "claim p50") / 1e3,
            submission=_number(records, "submissions", "16 clients", column=4) / 1e3,
            look_per_worker=look / 1e3 / _MEASURED_WORKERS,
            list_page=_number(records, "polls", "a page of jobs, changed before each", 2) / 1e3,
            watched_job=_number(records, "polls", "a running job, changed before each", 2) / 1e3,
        )


def cores(yard: Yard, costs: UnitCosts) -> dict[str, float]:
    """By kind of work how many cores of one server it keeps busy."""
    return {
        "heartbeats": yard.beats_per_second * costs.heartbeat,
        "the look for leases": yard.workers * costs.look_per_worker / yard.look_seconds,
        "claims": yard.jobs_per_second * costs.claim,
        "submissions": yard.jobs_per_second * costs.submission,
        "lists on pages": yard.pages * costs.list_page,
        "jobs that are watched": yard.watchers * costs.watched_job,
    }


def limits(yard: Yard) -> dict[str, float]:
    """What a token and a server must allow: waiting claims are open requests of workers' tokens."""
    return {
        "requests a minute of the workers": yard.beats_per_second * _MINUTE,
        "open requests, if all are idle": yard.workers,
    }


def table(costs: UnitCosts) -> str:
    """Cores and limits of yards of all sizes."""
    yards = [Yard(workers) for workers in WORKERS]
    rows = [["workers", *(f"{yard.workers:,}" for yard in yards)], ["---"] * (len(yards) + 1)]
    loads = [cores(yard, costs) for yard in yards]
    rows += [[f"cores: {kind}", *(f"{load[kind]:.2f}" for load in loads)] for kind in loads[0]]
    rows.append(["cores: all", *(f"{sum(load.values()):.2f}" for load in loads)])
    asked = [limits(yard) for yard in yards]
    rows += [[kind, *(f"{each[kind]:,.0f}" for each in asked)] for kind in asked[0]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _number(records: Mapping[str, Record], name: str, what: str, column: int = -1) -> float:
    """The number in a row of a section's table, without its unit."""
    rows = records[name].section.rows if name in records else ()
    for row in rows:
        if row[:2] == (DATABASE, what):
            return float(row[column].split()[0].replace(",", ""))
    raise UnreadableRecords(f"{RECORDS} has no {what!r}: run python -m benchmarks {name}")


def main() -> int:
    """Print the table; the exit status."""
    try:
        costs = UnitCosts.of(read(RECORDS))
    except UnreadableRecords as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{table(costs)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
