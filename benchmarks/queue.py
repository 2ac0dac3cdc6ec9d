"""A hundred thousand queued jobs and a thousand workers, against a hundred jobs."""

import shutil
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import fmean, median, quantiles

import httpx
from sqlalchemy import select, update

from api_tests.support.server import Server
from benchmarks.databases import UrlOf, databases
from benchmarks.filled_queue import BUSY, Queue, now, worker_id
from benchmarks.report import Figure, Section
from service.contract.agent import Beat, Heartbeat
from service.contract.http_client import http_client
from service.control.jobs import pages
from service.control.leases import reaper
from service.control.leases.claims import Grant
from service.control.leases.transitions import BackoffPolicy
from service.store.engine import Database
from service.store.job_pages import PageRequest
from service.store.tables import attempts as attempts_table

CLAIMS_LIMIT, BEATS_GOAL = 2.0, 2_000.0
_THREADS = 8
_WINDOWS = reaper.LeaseTimeouts(30, 60, 300)


@dataclass(frozen=True)
class Scale:
    """How much is measured: two queues, and for how long heartbeats are sent."""

    few_jobs: int = 100
    many_jobs: int = 100_000
    workers: int = 1_000
    batch: int = 16
    """Attempts that each busy worker comes to hold."""
    beat_seconds: float = 10.0


def measure(scale: Scale = Scale()) -> Section:
    """Both databases: claims of the two queues in turn, then the rest on the large one."""
    folder = Path(tempfile.mkdtemp(prefix="queue-"))
    rows: list[tuple[str, ...]] = []
    figures: list[Figure] = []
    try:
        for kind, url_of in databases(folder):
            results, measured = _measured(kind, folder, url_of, scale)
            rows += results
            figures += measured
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Section(
        title=f"A queue of {scale.many_jobs:,} jobs and {scale.workers:,} workers",
        says=(
            f"Claims, sweeps and pages are the use cases with their transactions; heartbeats come "
            f"over HTTP from {BUSY} agents with {scale.batch} attempts each, on the same cores. "
            "Two cores, 24 GiB."
        ),
        columns=("database", "what", f"{scale.few_jobs} jobs", f"{scale.many_jobs:,} jobs"),
        rows=tuple(rows),
        figures=tuple(figures),
    )


def _measured(
    kind: str, folder: Path, url_of: UrlOf, scale: Scale
) -> tuple[list[tuple[str, ...]], list[Figure]]:
    with (
        closing(Database(url_of(scale.few_jobs))) as few_database,
        closing(Database(url_of(scale.many_jobs))) as many_database,
    ):
        few, many = (
            Queue(few_database, scale.few_jobs, workers=scale.workers, batch=scale.batch),
            Queue(many_database, scale.many_jobs, workers=scale.workers, batch=scale.batch),
        )
        small, large = _claims_in_turn(few, many, BUSY * scale.batch)
        looks = [(_look(few.database), _look(many.database)) for _ in range(20)]
        pages = [(_page(few.database), _page(many.database)) for _ in range(20)]
        sweeps = _sweep(few.database), _sweep(many.database)
        claims = many.claims
    folder = folder / f"server-{kind}"
    beats = _beats_per_second(folder, url_of(scale.many_jobs), claims, scale)
    rows = [
        (kind, "claims/s, one at a time", f"{1 / fmean(small):.0f}", f"{1 / fmean(large):.0f}"),
        (kind, "claim p50", _ms(median(small)), _ms(median(large))),
        (kind, "claim p99", _ms(_p99(small)), _ms(_p99(large))),
        (kind, "the reaper's look, nothing due", *_medians(looks)),
        (kind, f"the reaper's sweep, 100 of {BUSY * scale.batch:,} silent", *map(_ms, sweeps)),
        (kind, "a page of 20 queued jobs", *_medians(pages)),
        (kind, "heartbeats/s", "", f"{beats:.0f}"),
    ]
    for row in rows:
        sys.stderr.write(f"{' | '.join(row)}\n")
    key, ratio = kind.lower(), _p99(large) / _p99(small)
    return rows, [
        Figure(
            key=f"{key}.claim_p99_ratio",
            what=f"{kind}, claim p99 to that of {scale.few_jobs} jobs",
            value=ratio,
            better="lower",
            goal=CLAIMS_LIMIT,
        ),
        Figure(
            key=f"{key}.heartbeats_per_second",
            what=f"{kind}, heartbeats a second",
            value=beats,
            better="higher",
            unit="/s",
            goal=BEATS_GOAL,
        ),
        Figure(f"{key}.claim_p99", f"{kind}, claim p99", _p99(large) * 1e3, "lower", unit="ms"),
    ]


def _claims_in_turn(few: Queue, many: Queue, claims: int) -> tuple[list[float], list[float]]:
    small, large = [], []
    for number in range(claims):
        small.append(few.claim(number))
        large.append(many.claim(number))
    warm = claims // 10
    return small[warm:], large[warm:]


def _look(database: Database) -> float:
    began = time.perf_counter()
    with database.read() as tx:
        reaper.is_due(tx, _WINDOWS, now())
    return time.perf_counter() - began


def _page(database: Database) -> float:
    began = time.perf_counter()
    with database.read() as tx:
        assert len(pages.page(tx, PageRequest(), now()).jobs) == 20
    return time.perf_counter() - began


def _sweep(database: Database) -> float:
    with database.write() as tx:
        renewed_at = now() - timedelta(seconds=100)
        tx.execute(update(attempts_table).values(state="running", renewed_at=now()))
        silent = select(attempts_table.c.job_id).order_by(attempts_table.c.job_id).limit(100)
        ids = list(tx.execute(silent).scalars())
        tx.execute(
            update(attempts_table)
            .where(attempts_table.c.job_id.in_(ids))
            .values(renewed_at=renewed_at)
        )
    began = time.perf_counter()
    with database.write() as tx:
        swept = reaper.sweep(tx, _WINDOWS, backoff_policy=lambda: BackoffPolicy(10, 0.5), now=now())
    assert swept.changed == 100
    return time.perf_counter() - began


def _beats_per_second(folder: Path, url: str, claims: list[Grant], scale: Scale) -> float:
    folder.mkdir()
    server = Server(folder, database_url=url)
    bodies = [_body(worker, claims[worker::BUSY]) for worker in range(BUSY)]
    counts = [0] * _THREADS
    until = time.perf_counter() + scale.beat_seconds

    def beat(thread: int) -> None:
        json = {"content-type": "application/json"}
        with http_client(server.url, None, timeout=httpx.Timeout(60), headers=json) as http:
            while time.perf_counter() < until:
                body = bodies[(thread + counts[thread] * _THREADS) % BUSY]
                assert http.post("/agent/heartbeats", content=body).status_code == 200
                counts[thread] += 1

    threads = [threading.Thread(target=beat, args=(number,)) for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.stop()
    return sum(counts) * scale.batch / scale.beat_seconds


def _body(worker: int, claims: list[Grant]) -> bytes:
    beats = tuple(Beat(job_id=c.job_id, attempt=c.attempt, token=c.token) for c in claims)
    return Heartbeat(worker_id=worker_id(worker), beats=beats).model_dump_json().encode()


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98]


def _medians(pairs: list[tuple[float, float]]) -> tuple[str, str]:
    return _ms(median(few for few, _ in pairs)), _ms(median(many for _, many in pairs))


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"
