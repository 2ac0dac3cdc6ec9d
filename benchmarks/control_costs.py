"""What a heartbeat, a job and a page of waiting jobs ask of a server and of its PostgreSQL."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from api_tests.support.control_agent import Agent, beat_of
from api_tests.support.server import Server
from benchmarks.databases import UrlOf, databases
from benchmarks.filled_queue import Queue, now
from benchmarks.report import Figure, Section
from benchmarks.unit_costs import PAGE_ROW, QUEUES
from benchmarks.usage import Usage, usage
from benchmarks.whole_job import SERIES, control_plane_of, live_through, progress
from service.contract.agent import Claim, Heartbeat, ReportedEvent
from service.contract.jobs import JobState
from service.control.jobs import pages
from service.store.engine import Database
from service.store.job_pages import PageRequest
from service.store.migrate import upgrade
from service.store.tables import jobs as jobs_table


@dataclass(frozen=True)
class Scale:
    """How much is measured: workers that beat, heartbeats, jobs, and queues whose page is drawn."""

    workers: int = 50
    beats: int = 400
    idle_seconds: float = 5.0
    jobs: int = 60
    checkpoints: int = 3
    queues: tuple[tuple[int, int], ...] = QUEUES
    """Jobs and workers of each."""
    pages: int = 5


def measure(scale: Scale = Scale()) -> Section:
    """On PostgreSQL, in CPU time: a machine that does other work beside it changes little."""
    folder = Path(tempfile.mkdtemp(prefix="control-costs-"))
    costs: dict[str, Usage] = {}
    try:
        _, url_of = databases(folder)[-1]
        costs |= _beats(folder / "server", url_of(1), scale)
        costs["a job from its submission to its end"] = _job(url_of(2), scale)
        costs |= _pages(url_of, scale)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Section(
        title="What the control plane's work asks of PostgreSQL",
        says=(
            "CPU time, durable commits and WAL of one of each. Heartbeats have one attempt, and "
            "come over HTTP by one connection; what an idle server uses in that time is taken off. "
            f"A report has a point in each of {len(SERIES)} series. The job is submitted, claimed, "
            f"started, has {scale.checkpoints} checkpoints and ends: five use cases with their "
            "transactions, without HTTP. A page is drawn anew each time."
        ),
        columns=("what", "server's CPU", "PostgreSQL's CPU", "commits", "WAL"),
        rows=tuple(_row(*each) for each in costs.items()),
        figures=(_figure("heartbeat", costs[_BEATS[1]]),),
    )


_BEATS = ("a heartbeat, nothing to report", "a heartbeat with a report")


def _beats(folder: Path, url: str, scale: Scale) -> dict[str, Usage]:
    with closing(Database(url)) as database:
        attempts = _attempts(database, scale.workers)
        folder.mkdir()
        server = Server(folder, database_url=url)
        try:
            idle = _used(database, server.process.pid, lambda: time.sleep(scale.idle_seconds))
            each_second = idle.times(1 / scale.idle_seconds)
            costs = {}
            for name, reports in zip(_BEATS, (False, True), strict=True):
                bodies = _bodies(attempts, scale.beats, reports)
                began = time.monotonic()
                used = _used(database, server.process.pid, lambda: _send(server, bodies))  # noqa: B023
                own = used.minus(each_second.times(time.monotonic() - began))
                costs[name] = own.times(1 / scale.beats)
        finally:
            server.stop()
    return costs


def _attempts(database: Database, workers: int) -> list[tuple[Agent, Claim]]:
    with database.migrate() as tx:
        upgrade(tx)
    control_plane = control_plane_of(database)
    attempts = []
    for number in range(workers):
        agent = Agent(control_plane, f"worker-{number}")
        control_plane.submit()
        attempts.append((agent, agent.claimed()))
    return attempts


def _bodies(attempts: list[tuple[Agent, Claim]], beats: int, reports: bool) -> list[bytes]:
    bodies = []
    for number in range(beats):
        agent, claim = attempts[number % len(attempts)]
        seq = number // len(attempts) + 1
        events: tuple[ReportedEvent, ...] = (progress(seq, seq),) if reports else ()
        heartbeat = Heartbeat(worker_id=agent.id, beats=(beat_of(claim, events=events),))
        bodies.append(heartbeat.model_dump_json().encode())
    return bodies


def _send(server: Server, bodies: Iterable[bytes]) -> None:
    headers = {"content-type": "application/json"}
    for body in bodies:
        answer = server.http.post("/agent/heartbeats", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert not answer.json()["replies"][0]["lease_lost"]


def _job(url: str, scale: Scale) -> Usage:
    with closing(Database(url)) as database:
        with database.migrate() as tx:
            upgrade(tx)
        agent = Agent(control_plane_of(database), "worker")
        live_through(agent, 1, reports=0, checkpoints=scale.checkpoints)

        def live() -> None:
            for number in range(2, scale.jobs + 2):
                live_through(agent, number, reports=0, checkpoints=scale.checkpoints)

        used = _used(database, os.getpid(), live)
        with database.read() as tx:
            states = set(tx.execute(select(jobs_table.c.state)).scalars())
        assert states == {JobState.SUCCEEDED}
        return used.times(1 / scale.jobs)


def _pages(url_of: UrlOf, scale: Scale) -> dict[str, Usage]:
    costs = {}
    for place, (jobs, workers) in enumerate(scale.queues):
        with closing(Database(url_of(10 + place))) as database:
            Queue(database, jobs, workers=workers, batch=1)
            _draw(database)

            def draw() -> None:
                for _ in range(scale.pages):
                    _draw(database)

            used = _used(database, os.getpid(), draw)
            costs[PAGE_ROW.format(jobs, workers)] = used.times(1 / scale.pages)
    return costs


def _draw(database: Database) -> None:
    with database.read() as tx:
        assert len(pages.page(tx, PageRequest(), now()).jobs) == 20


def _used(database: Database, server: int, work: Callable[[], None]) -> Usage:
    before = usage(database, server)
    work()
    return usage(database, server).minus(before)


def _row(name: str, used: Usage) -> tuple[str, ...]:
    row = (
        name,
        f"{used.server_seconds * 1e3:.2f} ms",
        f"{used.postgres_seconds * 1e3:.2f} ms",
        f"{used.commits:.1f}",
        f"{used.wal_bytes:,.0f} bytes",
    )
    sys.stderr.write(f"{' | '.join(row)}\n")
    return row


def _figure(key: str, used: Usage) -> Figure:
    milliseconds = used.server_seconds * 1e3
    return Figure(f"{key}_cpu", "CPU of a server for a heartbeat", milliseconds, "lower", unit="ms")
