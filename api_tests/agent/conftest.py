"""A control plane whose answers a test may change, over real HTTP, and real worker processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from service.contract.agent import (
    Beat,
    BeatReply,
    Claim,
    ClaimRequest,
    Heartbeat,
    HeartbeatReply,
    Lease,
    Neighbour,
    Purge,
    Registered,
    Registration,
    Report,
    ReportedEvent,
)
from service.contract.jobs import JobSpec
from workers.agent.identity import processes_with
from workers.launcher.local import WORKER_ID

DEADLINE_SECONDS = 60.0
PARAMS = {
    "total_iters": 12,
    "batch_size": 16,
    "image_size": 32,
    "learning_rate": 0.05,
    "val_interval": 6,
    "save_interval": 4,
    "display_interval": 2,
    "bn_recalibration_iters": 4,
}


class Held:
    """What the control plane knows of an attempt."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.events: list[ReportedEvent] = []
        self.beats = 0
        self.directive: Any = "continue"
        self.lease_lost = False
        self.purge: tuple[Purge, ...] = ()
        self.purged: list[str] = []
        self.report: Report | None = None

    def take(self, events: tuple[ReportedEvent, ...]) -> None:
        """Add the events that are new; they must follow the last one without a gap."""
        for event in events:
            if event.seq > self.acked_seq:
                assert event.seq == self.acked_seq + 1
                self.events.append(event)

    @property
    def acked_seq(self) -> int:
        return self.events[-1].seq if self.events else 0

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def reply(self) -> BeatReply:
        return BeatReply(
            job_id=self.claim.job_id,
            attempt=self.claim.attempt,
            directive=self.directive,
            lease_lost=self.lease_lost,
            acked_seq=self.acked_seq,
            purge=self.purge,
        )


class Plane:
    """The stand-in; it can lose a claim's reply, fall silent, go away and come back."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.registered: list[tuple[str, Registration]] = []
        self.neighbours: tuple[Neighbour, ...] = ()
        self.forgotten = self.drain = self.silent = False
        self.claim_requests: list[ClaimRequest] = []
        self.claims_to_lose = 0
        self.reports: list[Report] = []
        self.gone: list[str] = []
        self.held: dict[tuple[str, int], Held] = {}
        self._waiting: list[Claim] = []
        self._given: dict[str, Claim] = {}
        self.changed = threading.Condition()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Comes (back) on its port."""
        config = uvicorn.Config(stand_in(self), port=self._port, log_level="critical", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()

    def stop(self) -> None:
        """Goes away; its port refuses connections."""
        with self.changed:
            self._server.should_exit = self._server.force_exit = True
            self.changed.notify_all()
        self._thread.join()

    def offer(self, claim: Claim) -> Held:
        """Gives the attempt to the next worker that asks."""
        with self.changed:
            self.held[claim.job_id, claim.attempt] = Held(claim)
            self._waiting.append(claim)
            self.changed.notify_all()
        return self.held[claim.job_id, claim.attempt]

    def wait_for(self, condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> None:
        """Waits until what the calls have brought makes `condition` true."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds), "not within the deadline"

    def claim(self, request: ClaimRequest) -> Claim | None:
        """The same claim for the same `request_id`; else the next one, waited for."""
        with self.changed:
            self.claim_requests.append(request)
            self.changed.notify_all()
            if request.request_id not in self._given:
                self.changed.wait_for(
                    lambda: self._waiting or self._server.should_exit, request.wait_seconds
                )
                if not self._waiting or self._server.should_exit:
                    return None
                self._given[request.request_id] = self._waiting.pop(0)
            return self._given[request.request_id]

    def beat(self, beat: Beat) -> BeatReply:
        held = self.held[beat.job_id, beat.attempt]
        assert beat.token == held.claim.token
        held.beats += 1
        held.take(beat.events)
        held.purged += beat.purged
        held.purge = tuple(p for p in held.purge if p.checkpoint_id not in beat.purged)
        return held.reply()

    def hush(self) -> None:
        """Keeps a call without an answer while the plane is silent."""
        self.changed.wait_for(lambda: not self.silent or self._server.should_exit)


def problem(status: int, code: str) -> Response:
    return Response(f'{{"code": "{code}", "detail": "no"}}', status)


def stand_in(plane: Plane) -> FastAPI:
    """The calls that a worker makes."""
    app = FastAPI()

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Any:
        said = request.headers.get("authorization")
        if plane.token is not None and said != f"Bearer {plane.token}":
            return problem(401, "unauthorized")
        return await call_next(request)

    @app.put("/agent/workers/{worker_id}")
    def register(worker_id: str, registration: Registration) -> Registered:
        with plane.changed:
            plane.registered.append((worker_id, registration))
            plane.forgotten = False
            plane.changed.notify_all()
        return Registered(neighbours=plane.neighbours)

    @app.post("/agent/workers/{worker_id}/gone", status_code=204)
    def gone(worker_id: str) -> None:
        with plane.changed:
            plane.gone.append(worker_id)
            plane.changed.notify_all()

    @app.post("/agent/claims", response_model=None)
    def claim(request: ClaimRequest) -> Claim | Response:
        if plane.forgotten:
            return problem(404, "unknown_worker")
        found = plane.claim(request)
        if found is None:
            return Response(status_code=204)
        if plane.claims_to_lose:
            plane.claims_to_lose -= 1
            # Less than was announced: the connection ends in the middle of the answer.
            return Response("{", headers={"content-length": "1000"})
        return found

    @app.post("/agent/heartbeats", response_model=None)
    def heartbeat(heartbeat: Heartbeat) -> HeartbeatReply | Response:
        with plane.changed:
            plane.hush()
            if plane.forgotten:
                return problem(404, "unknown_worker")
            replies = tuple(plane.beat(beat) for beat in heartbeat.beats)
            plane.changed.notify_all()
        return HeartbeatReply(replies=replies, drain=plane.drain)

    @app.post("/agent/reports", response_model=None)
    def report(report: Report) -> BeatReply | Response:
        with plane.changed:
            plane.hush()
            held = plane.held[report.job_id, report.attempt]
            plane.reports.append(report)
            if not held.lease_lost:
                held.take(report.events)
                held.report = report
            plane.changed.notify_all()
        return problem(409, "lease_lost") if held.lease_lost else held.reply()

    return app


class Worker:
    """A worker process, and whatever came of it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def tree(self) -> list[psutil.Process]:
        """Everything below the agent."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def titled(self, start: str) -> psutil.Process:
        """The one process below the agent whose title begins so, waited for."""
        found: list[psutil.Process] = []

        def there() -> bool:
            found[:] = [p for p in self.tree() if title_of(p).startswith(f"trainyard: {start}")]
            return len(found) == 1

        eventually(there)
        return found[0]


def title_of(process: psutil.Process) -> str:
    """The title; empty once the process has ended."""
    try:
        return " ".join(process.cmdline()).strip()
    except psutil.NoSuchProcess:
        return ""


def eventually(condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> None:
    """Waits for what no call tells of."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.01)


def all_ended(processes: list[psutil.Process]) -> bool:
    """True once none of them runs; a zombie does not."""
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def a_claim(job_id: str = "job_1", attempt: int = 1, **fields: Any) -> Claim:
    """A training on the digits; `fields` replace its values, `params` and `lease` add to them."""
    params = PARAMS | fields.pop("params", {})
    lease = {"heartbeat_seconds": 1, "self_end_seconds": 60, "kill_grace_seconds": 20}
    lease |= fields.pop("lease", {})
    spec = {
        "kind": "train",
        "recipe": "oneshot",
        "data": {"dataset": "digits"},
        "params": params,
    }
    return Claim(
        job_id=job_id,
        attempt=attempt,
        token=f"secret-{job_id}",
        spec=JobSpec.model_validate(fields.pop("spec", spec)),
        lease=Lease(**lease),
        **fields,
    )


@pytest.fixture
def plane() -> Iterator[Plane]:
    plane = Plane()
    yield plane
    plane.stop()


@pytest.fixture(name="a_claim")
def _a_claim() -> Callable[..., Claim]:
    return a_claim


StartWorker = Callable[..., Worker]


@pytest.fixture
def start_worker(plane: Plane, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers on `tmp_path`; at the test's end no process of theirs may be left.

    `ranks` names a function of ranks.py that the ranks run in the place of the trainer.
    """
    workers: list[Worker] = []

    def start(*flags: str, ranks: str | None = None, **variables: str) -> Worker:
        code = (
            "import sys; from workers import main; from workers.settings import WorkerSettings;"
            "from pydantic_settings import CliApp;"
            f"sys.exit(main.work(CliApp.run(WorkerSettings), 'ranks:{ranks}'))"
        )
        program = ["-m", "workers"] if ranks is None else ["-c", code]
        places = ["--volume", str(tmp_path), "--data-root", str(tmp_path)]
        places += ["--import-root", str(tmp_path), "--server", plane.url]
        environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
        process = subprocess.Popen(
            [sys.executable, *program, *places, *flags], env=os.environ | environment | variables
        )
        workers.append(Worker(process))
        return workers[-1]

    yield start
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.send_signal(signal.SIGKILL)
        worker.process.wait()
    for worker_id, _ in plane.registered:
        eventually(lambda worker_id=worker_id: not processes_with(WORKER_ID, worker_id), 5)
