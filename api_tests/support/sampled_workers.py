"""Workers whose heartbeats have samples, and the loops that store these."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from api_tests.support.server import wait_for
from api_tests.support.server_context import Clock
from api_tests.support.threaded_server import ThreadedServer
from service.background.sample_loops import sample_writer_loop
from service.context import AppContext
from service.contract.loop import Loop
from service.contract.samples import Sample
from service.control.leases.samples import seconds_of
from service.store import samples as store
from service.store.samples import StoredSample

KERNEL = {"boot_id": "boot", "pid_namespace": "pid:[1]", "pid": 7, "started_ticks": 99}
GPU = {"index": 0, "name": "H100", "memory_bytes": 80}
SAMPLE: dict[str, Any] = {
    "cpu_use": 0.25,
    "memory_used_bytes": 50,
    "memory_total_bytes": 100,
    "disk_used_bytes": 7,
    "disk_total_bytes": 10,
    "gpus": [
        {"index": 0, "use": 0.75, "memory_used_bytes": 20, "memory_total_bytes": 80},
        {"index": 1, "use": 0.5, "temperature_celsius": 61.0, "power_watts": 500},
    ],
}


def two_workers(context: AppContext) -> Iterator[httpx.Client]:
    """A client of a server that knows two workers with two GPUs each."""
    server = ThreadedServer(context)
    for worker_id in ("wrk_1", "wrk_2"):
        body = {"host": worker_id, "process": KERNEL, "slots": 2, "gpus": [GPU, GPU | {"index": 1}]}
        server.http.put(f"/agent/workers/{worker_id}", json=body).raise_for_status()
    yield server.http
    server.stop()


def beat(http: httpx.Client, worker_id: str = "wrk_1", sample: Any = SAMPLE) -> None:
    """A heartbeat with a sample."""
    body = {"worker_id": worker_id, "beats": [], "sample": sample}
    http.post("/agent/heartbeats", json=body).raise_for_status()


@contextmanager
def running(loop: Loop) -> Iterator[None]:
    """A loop that runs meanwhile, and has no error."""
    loop.start()
    yield
    loop.stop()
    assert loop.join(20)
    assert loop.errors == 0


def write_samples(context: AppContext) -> None:
    """One turn of the writer."""
    loop = sample_writer_loop(context)
    with running(loop):
        wait_for(lambda: loop.turns > 0, "the writer's turn")


def add_hours(context: AppContext, clock: Clock, hours: int, spike_at: int = -1) -> None:
    """Samples every ten seconds of some hours from now on, one of them with all of the CPU."""
    start = seconds_of(clock.now)
    taken = [
        StoredSample("wrk_1", start + after, Sample(cpu_use=1.0 if after == spike_at else 0.25))
        for after in range(0, hours * 3600, 10)
    ]
    with context.database.write() as tx:
        store.add(tx, taken)
