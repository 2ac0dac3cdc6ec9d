"""A stand-in for the control plane that the dashboard asks; a test may change its answers."""

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from api_tests.support.dashboard_models import a_job, with_actions
from api_tests.support.fake_checkpoints import FakeCheckpoints, add_checkpoint_routes
from api_tests.support.fake_job_lists import after_action, bulk_answer, matching, page_of
from api_tests.support.fake_server import FakeServer
from api_tests.support.fake_worker_routes import add_worker_routes
from service.api.parameters import PathId
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Attempt, Event, Job, JobState

DASHBOARD = Path(__file__).parents[2] / "service" / "dashboard"
DEADLINE_MS = 8_000
AFTER = {
    "cancel": JobState.CANCELLING,
    "pause": JobState.PAUSING,
    "resume": JobState.QUEUED,
}


class FakeDashboardServer(FakeServer):
    """The answers to give, and the calls that came."""

    def __init__(self, prefix: str = "", port: int | None = None) -> None:
        """`prefix` is the path below which a proxy shows the server."""
        self.jobs: list[Job] = []
        self.workers: list[dict[str, Any]] = []
        self.recipes: list[dict[str, Any]] = []
        self.ended_workers: list[dict[str, Any]] = []
        self.samples: dict[str, list[list[float]]] = {}
        """The series of every worker, and of the first attempt of every job."""
        self.series: dict[str, list[list[float]]] = {}
        self.measured: dict[str, Any] = {}
        """What the answer with the series has beside them: the times of steps, the time spent."""
        self.kept = FakeCheckpoints()
        self.curves: dict[str, list[list[float | None]]] = {}
        """The loss of jobs by their ids, as the list shows it."""
        self.attempts: list[Attempt] = []
        self.events: list[Event] = []
        self.log, self.refusal, self.list_refusal = "", "", ""
        self.lineage: dict[str, Any] = {"descendants": []}
        self.files: dict[str, Any] = {}
        self.broken_parts: set[str] = set()
        """Parts of a job that are answered with an error of the server."""
        self.stuck_parts: set[str] = set()
        """Parts of a job that are not answered before `release` is set."""
        self.release = threading.Event()
        self.calls: list[tuple[str, str, int, str]] = []
        self._changed = threading.Condition()
        super().__init__(_below(prefix, _app(self)), port)

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints that there are."""
        return self.kept.rows

    @checkpoints.setter
    def checkpoints(self, rows: list[Checkpoint]) -> None:
        self.kept.rows = rows

    def called(self, call: tuple[str, str, int, str]) -> None:
        """Notes a call: method, path, status, body."""
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()

    def sent(self, method: str) -> list[tuple[str, Any]]:
        """The paths and bodies of the calls that came with a method."""
        calls = [call for call in self.calls if call[0] == method]
        return [(path, json.loads(body) if body else None) for _, path, _, body in calls]

    def wait_for_reads(self, path: str, status: int, times: int) -> None:
        """Waits until `path` was answered `status` that often, counted from the first call."""

        def happened() -> bool:
            return sum(call[1:3] == (path, status) for call in self.calls) >= times

        with self._changed:
            assert self._changed.wait_for(happened, DEADLINE_MS / 1000), self.calls

    def replace(self, job: Job) -> None:
        """Changes the job with this id."""
        self.jobs = [job if old.id == job.id else old for old in self.jobs]


def _attempts_of(fake: FakeDashboardServer) -> list[dict[str, Any]]:
    if not fake.samples:
        return []
    return [{"attempt": 1, "worker_id": "wrk_1", "gpus": [0], "series": fake.samples}]


def _below(prefix: str, app: FastAPI) -> FastAPI:
    if not prefix:
        return app
    outer = FastAPI()
    outer.mount(prefix, app)
    return outer


def _app(fake: FakeDashboardServer) -> FastAPI:
    app = FastAPI()

    def answer(request: Request, body: Any) -> Response:
        text = json.dumps(body)
        etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
        same = request.headers.get("if-none-match") == etag
        shown = Response(None if same else text, 304 if same else 200, {"ETag": etag})
        fake.called((request.method, request.url.path, shown.status_code, ""))
        return shown

    def listed(models: list[Any]) -> dict[str, Any]:
        return {"object": "list", "data": [m.model_dump(mode="json") for m in models]}

    @app.get("/jobs")
    def jobs(request: Request) -> Response:
        if fake.list_refusal:
            return Response(json.dumps({"status": 422, "detail": fake.list_refusal}), 422)
        return answer(request, page_of(fake.jobs, request.query_params))

    @app.get("/jobs/series")
    def curves(request: Request, ids: str) -> Response:
        data = [{"id": each, "points": fake.curves.get(each, [])} for each in ids.split(",")]
        return answer(request, {"data": data})

    @app.post("/jobs/bulk")
    async def bulk(request: Request) -> Response:
        text = (await request.body()).decode()
        body = json.loads(text)
        fake.called(("POST", request.url.path, 200, text))
        done, changed = bulk_answer(matching(fake.jobs, body), body, after_action(body))
        kept = [job for job in fake.jobs if body["action"] != "delete" or job.id not in changed]
        fake.jobs = [changed.get(job.id, job) for job in kept]
        return Response(json.dumps(done))

    @app.get("/jobs/{job_id}")
    def job(request: Request, job_id: PathId) -> Response:
        for known in fake.jobs:
            if known.id == job_id:
                return answer(request, known.model_dump(mode="json"))
        return Response('{"title":"Not found","status":404,"detail":"no such job"}', 404)

    @app.post("/jobs")
    async def submit(request: Request) -> Response:
        body = (await request.body()).decode()
        made = a_job(9, state="queued", kind=json.loads(body)["kind"])
        fake.jobs.insert(0, made)
        fake.called(("POST", request.url.path, 201, body))
        return Response(made.model_dump_json(), 201)

    @app.post("/jobs/{job_id}/{verb}")
    async def ask(request: Request, job_id: str, verb: str) -> Response:
        body = (await request.body()).decode()
        (known,) = (job for job in fake.jobs if job.id == job_id)
        if fake.refusal:
            return Response(json.dumps({"status": 409, "detail": fake.refusal}), 409)
        if verb == "retry":
            made = a_job(9, state="queued", parent_job_id=job_id)
            fake.jobs.insert(0, made)
        else:
            made = with_actions(known.model_copy(update={"state": AFTER[verb]}))
            fake.replace(made)
        fake.called(("POST", request.url.path, 202, body))
        return Response(made.model_dump_json(), 202)

    @app.get("/jobs/{job_id}/logs")
    def logs(attempt: int, cursor: int = 0, tail_bytes: int = 0) -> dict[str, Any]:
        assert attempt >= 1
        if tail_bytes and tail_bytes < len(fake.log):
            cursor = fake.log.find("\n", len(fake.log) - tail_bytes) + 1
        end = min(cursor + 20_000, len(fake.log))
        part = {"text": fake.log[cursor:end], "cursor": str(end), "end": end == len(fake.log)}
        return part | ({"start": cursor} if tail_bytes else {})

    @app.get("/jobs/{job_id}/files/{name}")
    def file(request: Request, name: str) -> Response:
        return answer(request, fake.files[name])

    @app.get("/jobs/{job_id}/{part}")
    def parts(request: Request, part: str, after: int = 0) -> Response:
        if part in fake.broken_parts:
            return Response('{"status": 500, "detail": "the server made a mistake"}', 500)
        if part in fake.stuck_parts:
            fake.release.wait(DEADLINE_MS / 1000)
        events = [event for event in fake.events if event.number > after]
        bodies = {
            "metrics": {"object": "metrics", "series": fake.series} | fake.measured,
            "attempts": listed(fake.attempts),
            "events": listed(events) | {"has_more": False},
            "samples": {"object": "samples", "attempts": _attempts_of(fake)},
            "lineage": {"object": "job_lineage"} | fake.lineage,
        }
        return answer(request, bodies[part])

    @app.get("/recipes")
    def recipes(request: Request) -> Response:
        return answer(request, {"object": "list", "data": fake.recipes})

    @app.get("/checkpoints")
    def checkpoints(request: Request) -> Response:
        if "checkpoints" in fake.broken_parts:
            return Response('{"status": 500, "detail": "the server made a mistake"}', 500)
        return answer(request, fake.kept.page(dict(request.query_params)))

    @app.post("/checkpoints/import")
    async def import_file(request: Request) -> Response:
        return await queued(request, "import")

    @app.post("/checkpoints/{checkpoint_id}/export")
    async def export(request: Request) -> Response:
        return await queued(request, "export")

    async def queued(request: Request, kind: str) -> Response:
        body = (await request.body()).decode()
        made = a_job(9, state="queued", kind=kind)
        fake.jobs.insert(0, made)
        fake.called(("POST", request.url.path, 202, body))
        return Response(made.model_dump_json(), 202)

    add_checkpoint_routes(app, fake.kept, answer, fake.called)

    add_worker_routes(app, fake, answer)

    @app.get("/session")
    def session() -> dict[str, Any]:
        return {"object": "session", "needs_login": False, "user": None, "expires_at": None}

    app.get("/")(lambda: FileResponse(DASHBOARD / "index.html"))
    app.mount("/dashboard", StaticFiles(directory=DASHBOARD))
    return app
