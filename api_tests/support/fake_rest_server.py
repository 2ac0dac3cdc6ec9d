"""A stand-in for the control plane that the client asks, and a way to wait for conditions."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from api_tests.support.fake_server import FakeServer
from api_tests.support.specs import complete_spec
from service.contract.checkpoints import Checkpoint, FileDigest
from service.contract.jobs import Event, Job

SPEC: dict[str, Any] = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


def a_job(number: int, **fields: Any) -> Job:
    """A running training; `fields` replace its values."""
    values: dict[str, Any] = {
        **{"kind": "train", "recipe": "oneshot", "variant": "searched"},
        "id": f"job_{number:04d}",
        "state": "running",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "progress": {"step": 120, "total_steps": 300, "images_per_second": 311.2},
        "metrics": {"loss": 0.5321, "top1_error": 0.1234},
        "attempt": 1,
        "spec": complete_spec(SPEC),
    }
    return Job.model_validate(values | fields)


def a_checkpoint(number: int, content: bytes) -> Checkpoint:
    """A checkpoint with one file."""
    digest = FileDigest(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    return Checkpoint(
        id=f"ckpt_{number:04d}",
        job_id="job_0001",
        attempt=1,
        recipe="oneshot",
        variant="searched",
        step=number,
        phase="train",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        metrics={"top1_error": 0.1234},
        bytes=len(content),
        files={"model.safetensors": digest},
        path=f"jobs/job_0001/attempts/1/step-{number:09d}",
    )


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """A problem as the control plane says it."""
    headers = more.pop("headers", None)
    body = {"title": code, "status": status, "detail": detail, "code": code} | more
    return Response(json.dumps(body), status, headers, "application/problem+json")


class FakeRestServer(FakeServer):
    """The answers to give, the faults to make, and the requests that came."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.events: list[Event] = []
        self.checkpoints: list[Checkpoint] = []
        self.content, self.log = b"", ""
        self.attempt_logs: dict[int, str | None] = {}
        """Logs by attempt, None where there is none yet; `log` is that of every other attempt."""
        self.series: dict[str, list[tuple[int, float]]] = {}
        self.events_each_connection = 100
        """So many a stream sends before it breaks off."""
        self.by_key: dict[str, Job] = {}
        self.requests: list[tuple[str, str, dict[str, str], int]] = []
        self.instead: list[Response] = []
        """Answers to give before any other."""
        self.lose_replies = 0
        self.cut_downloads_after: list[int] = []
        self.knows_ranges = True
        self.on_request: Callable[[], None] = lambda: None
        super().__init__(_app(self))

    def requests_to(self, method: str, path: str) -> list[dict[str, str]]:
        """The headers of each such request."""
        return [headers for m, p, headers, _ in self.requests if (m, p) == (method, path)]

    def statuses(self, path: str) -> list[int]:
        """How each request for the path was answered."""
        return [status for _, p, _, status in self.requests if p == path]


def _cut(content: bytes, status: int) -> StreamingResponse:
    def broken() -> Iterator[bytes]:
        yield content
        raise ConnectionError("the connection breaks here")

    promised = {"content-length": str(len(content) + 1000)}
    return StreamingResponse(broken(), status, promised)


def _frames(fake: FakeRestServer, last: int) -> Iterator[str]:
    later = [event for event in fake.events if event.number > last]
    yield "retry: 2000\n\n: keep-alive\n\n"
    for event in later[: fake.events_each_connection]:
        frame = f"id: {event.number}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n"
        # In pieces that end within a frame, and within a letter.
        yield from (frame[: len(frame) // 2], frame[len(frame) // 2 :])
    if len(later) > fake.events_each_connection:
        raise ConnectionError("the connection breaks here")
    yield 'event: end\ndata: {"state": "succeeded"}\n\n'


def _answer(request: Request, body: Any) -> Response:
    text = json.dumps(body)
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
    same = request.headers.get("if-none-match") == etag
    return Response(None if same else text, 304 if same else 200, {"ETag": etag})


def _page(models: list[Any], key: Callable[[Any], Any], after: Any, limit: int) -> dict[str, Any]:
    at = next((i + 1 for i, model in enumerate(models) if key(model) == after), 0)
    page, more = models[at : at + limit], len(models) > at + limit
    data = [model.model_dump(mode="json") for model in page]
    keys = {"has_more": more, "next": key(page[-1]) if more else None}
    return {"object": "list", "data": data} | keys


def _app(fake: FakeRestServer) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def note(request: Request, forward: Any) -> Response:
        fake.on_request()
        response: Response = fake.instead.pop(0) if fake.instead else await forward(request)
        call = (request.method, request.url.path, dict(request.headers), response.status_code)
        fake.requests.append(call)
        return response

    @app.post("/jobs")
    async def submit(request: Request) -> Response:
        key = request.headers["idempotency-key"]
        spec = complete_spec(await request.json())
        if key not in fake.by_key:
            made = a_job(len(fake.jobs) + 1, spec=spec, name=spec.name, state="queued")
            fake.by_key[key] = made
            fake.jobs.insert(0, made)
        if fake.lose_replies:
            fake.lose_replies -= 1
            return _cut(b"", 201)
        return Response(fake.by_key[key].model_dump_json(), 201)

    @app.get("/jobs")
    def jobs(request: Request, after: str | None = None, limit: int = 20) -> Response:
        return _answer(request, _page(fake.jobs, lambda job: job.id, after, min(limit, 2)))

    @app.get("/jobs/{job_id}")
    def job(request: Request, job_id: str) -> Response:
        known = next((each for each in fake.jobs if each.id == job_id), None)
        if known is None:
            return problem(404, "not_found", f"there is no job {job_id}")
        return _answer(request, known.model_dump(mode="json"))

    @app.post("/jobs/{job_id}/cancel")
    async def cancel(request: Request, job_id: str) -> Response:
        state = "cancelled" if (await request.json())["mode"] == "now" else "cancelling"
        return Response(a_job(1, id=job_id, state=state).model_dump_json(), 202)

    @app.get("/jobs/{job_id}/events")
    def events(request: Request, after: int = 0) -> Response:
        later = [event for event in fake.events if event.number > after]
        return _answer(request, _page(later, lambda event: event.number, None, 2))

    @app.get("/jobs/{job_id}/logs")
    def logs(attempt: int | None = None, cursor: int = 0) -> Any:
        log = fake.attempt_logs.get(attempt or max(fake.attempt_logs, default=0), fake.log)
        if log is None:
            return problem(404, "no_log", f"attempt {attempt} has no log yet")
        end = min(cursor + 8, len(log))
        return {"text": log[cursor:end], "cursor": str(end), "end": end == len(log)}

    @app.get("/jobs/{job_id}/metrics")
    def metrics(names: str | None = None) -> Any:
        chosen = names.split(",") if names else list(fake.series)
        return {"series": {name: fake.series[name] for name in chosen}}

    @app.get("/jobs/{job_id}/stream")
    def stream(request: Request) -> StreamingResponse:
        last = int(request.headers.get("last-event-id", "0"))
        return StreamingResponse(_frames(fake, last), media_type="text/event-stream")

    @app.get("/checkpoints")
    def checkpoints(request: Request, after: str | None = None) -> Response:
        return _answer(request, _page(fake.checkpoints, lambda each: each.id, after, 2))

    @app.get("/checkpoints/latest")
    def latest(request: Request) -> Response:
        if not fake.checkpoints:
            return problem(404, "no_checkpoint", "nothing has been published yet")
        return _answer(request, fake.checkpoints[0].model_dump(mode="json"))

    @app.get("/checkpoints/best")
    def best(metric: str, job: str) -> Response:
        of_job = [each for each in fake.checkpoints if each.job_id == job]
        if not of_job:
            return problem(404, "no_checkpoint", "none has been measured yet")
        lowest = min(of_job, key=lambda each: each.metrics[metric])
        return Response(lowest.model_dump_json())

    @app.get("/checkpoints/{checkpoint_id}")
    def checkpoint(request: Request, checkpoint_id: str) -> Response:
        known = next((each for each in fake.checkpoints if each.id == checkpoint_id), None)
        if known is None:
            return problem(404, "not_found", f"there is no checkpoint {checkpoint_id}")
        return _answer(request, known.model_dump(mode="json"))

    @app.get("/checkpoints/{checkpoint_id}/files/{name}")
    def file(request: Request) -> Response:
        asked = request.headers.get("range", "bytes=0-")
        rest = fake.content[int(asked.removeprefix("bytes=").removesuffix("-")) :]
        ranged = "range" in request.headers and fake.knows_ranges
        status, body = (206, rest) if ranged else (200, fake.content)
        if fake.cut_downloads_after:
            return _cut(body[: fake.cut_downloads_after.pop(0)], status)
        return Response(body, status)

    app.get("/readyz")(lambda: {"status": "ready"})
    app.get("/version")(lambda: {"version": "1.2.3"})
    return app
