"""A stand-in for the control plane, over real HTTP, whose answers a test may change."""

import threading
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from api_tests.support.fake_attempt import FakeAttempt
from api_tests.support.fake_server import FakeServer
from service.contract.agent import (
    Beat,
    BeatReply,
    Claim,
    ClaimRequest,
    Heartbeat,
    HeartbeatReply,
    Report,
)
from service.contract.catalog import Catalog
from service.contract.registration import (
    Predecessor,
    Registration,
    RegistrationReply,
    ServerVolume,
    WorkerVolume,
)
from service.contract.samples import Sample

DEADLINE_SECONDS = 60.0


class FakeControlPlane(FakeServer):
    """The stand-in that workers ask; it can lose a claim's reply and fall silent."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.registered: list[tuple[str, Registration]] = []
        self.catalogs: list[tuple[str, Catalog]] = []
        self.volume_id: str | None = None
        self.volumes: list[WorkerVolume] = []
        self.catalog_refusal: int | None = None
        self.refused_recipe: str | None = None
        self.neighbours: tuple[Predecessor, ...] = ()
        self.forgets: set[str] = set()
        self.drain = self.silent = self.hushed = False
        self.heartbeats = 0
        self.samples: list[Sample] = []
        self.goodbye_seconds = 0.0
        self.claim_requests: list[ClaimRequest] = []
        self.claims_to_lose = 0
        self.reports: list[Report] = []
        self.gone: list[str] = []
        self.held: dict[tuple[str, int], FakeAttempt] = {}
        self._waiting: list[Claim] = []
        self._given: dict[str, Claim] = {}
        self.changed = threading.Condition()
        super().__init__(_app(self))

    def stop(self) -> None:
        """Go away; its port refuses connections, and calls that wait get no answer."""
        with self.changed:
            self._server.should_exit = self._server.force_exit = True
            self.changed.notify_all()
        super().stop()

    def offer(self, claim: Claim) -> FakeAttempt:
        """Gives the attempt to the next worker that asks."""
        with self.changed:
            self.held[claim.job_id, claim.attempt] = FakeAttempt(claim)
            self._waiting.append(claim)
            self.changed.notify_all()
        return self.held[claim.job_id, claim.attempt]

    def wait_for(self, condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> None:
        """Waits until what the calls have brought makes `condition` true."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds), "not within the deadline"

    def report_of(self, held: FakeAttempt) -> Report:
        """The attempt's end, waited for."""
        self.wait_for(lambda: held.report)
        assert held.report is not None
        return held.report

    def hold_tongue(self) -> None:
        """Takes heartbeats and reports, and answers none."""
        with self.changed:
            self.silent = True

    def speak(self) -> None:
        """Answers again."""
        with self.changed:
            self.silent = False
            self.changed.notify_all()

    def claim(self, request: ClaimRequest) -> Claim | None:
        """The same claim for the same `request_id`; else the next one, waited for."""
        with self.changed:
            self.claim_requests.append(request)
            self.changed.notify_all()
            if request.request_id not in self._given:
                self.changed.wait_for(
                    lambda: self._waiting or self.is_stopping or request.worker_id in self.gone,
                    request.wait_seconds,
                )
                if not self._waiting or self.is_stopping:
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
        """Keeps a call without an answer while the server is silent."""
        self.hushed = self.silent
        self.changed.notify_all()
        self.changed.wait_for(lambda: not self.silent or self.is_stopping)


def problem(status: int, code: str) -> Response:
    return Response(f'{{"code": "{code}", "detail": "no"}}', status)


def _app(control_plane: FakeControlPlane) -> FastAPI:
    """The calls that a worker makes."""
    app = FastAPI()

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Any:
        authorization = request.headers.get("authorization")
        if control_plane.token is not None and authorization != f"Bearer {control_plane.token}":
            return problem(401, "unauthorized")
        return await call_next(request)

    @app.put("/agent/workers/{worker_id}")
    def register(worker_id: str, registration: Registration) -> RegistrationReply:
        with control_plane.changed:
            control_plane.registered.append((worker_id, registration))
            control_plane.forgets.clear()
            control_plane.changed.notify_all()
        return RegistrationReply(neighbours=control_plane.neighbours)

    @app.put("/agent/workers/{worker_id}/volume", response_model=None)
    def volume(volume: WorkerVolume) -> ServerVolume | Response:
        with control_plane.changed:
            control_plane.volumes.append(volume)
            control_plane.changed.notify_all()
        if control_plane.volume_id is None:
            return problem(404, "no_such_path")
        return ServerVolume(id=control_plane.volume_id)

    @app.put("/agent/workers/{worker_id}/catalog", status_code=204)
    def catalog(worker_id: str, catalog: Catalog) -> Response:
        with control_plane.changed:
            control_plane.catalogs.append((worker_id, catalog))
            control_plane.changed.notify_all()
        for number, recipe in enumerate(catalog.recipes):
            if recipe.name == control_plane.refused_recipe:
                errors = [{"pointer": f"/recipes/{number}/parameters", "detail": "bad schema"}]
                return JSONResponse({"code": "validation", "errors": errors}, 422)
        if control_plane.catalog_refusal is not None:
            return problem(control_plane.catalog_refusal, "not_found")
        return Response(status_code=204)

    @app.post("/agent/workers/{worker_id}/gone", status_code=204)
    def gone(worker_id: str) -> None:
        with control_plane.changed:
            control_plane.gone.append(worker_id)
            control_plane.changed.notify_all()
            known = len(control_plane.registered)
            control_plane.changed.wait_for(
                lambda: len(control_plane.registered) > known, control_plane.goodbye_seconds
            )

    @app.post("/agent/claims", response_model=None)
    def claim(request: ClaimRequest) -> Claim | Response:
        if "claims" in control_plane.forgets:
            return problem(404, "unknown_worker")
        found = control_plane.claim(request)
        if request.worker_id in control_plane.gone:
            return problem(404, "unknown_worker")
        if found is None:
            return Response(status_code=204)
        if control_plane.claims_to_lose:
            control_plane.claims_to_lose -= 1
            # Less than was announced: the connection ends in the middle of the answer.
            return Response("{", headers={"content-length": "1000"})
        return found

    @app.post("/agent/heartbeats", response_model=None)
    def heartbeat(heartbeat: Heartbeat) -> HeartbeatReply | Response:
        with control_plane.changed:
            control_plane.hush()
            if "heartbeats" in control_plane.forgets:
                return problem(404, "unknown_worker")
            control_plane.heartbeats += 1
            control_plane.samples += [heartbeat.sample] if heartbeat.sample else []
            replies = tuple(control_plane.beat(beat) for beat in heartbeat.beats)
            control_plane.changed.notify_all()
        return HeartbeatReply(replies=replies, drain=control_plane.drain)

    @app.post("/agent/reports", response_model=None)
    def report(report: Report) -> BeatReply | Response:
        with control_plane.changed:
            control_plane.hush()
            held = control_plane.held[report.job_id, report.attempt]
            control_plane.reports.append(report)
            if not held.lease_lost:
                held.take(report.events)
                held.report = report
            control_plane.changed.notify_all()
        return problem(409, "lease_lost") if held.lease_lost else held.reply()

    return app
