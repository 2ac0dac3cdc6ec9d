"""An older server, which takes no field that it does not know, and this version's worker."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from api_tests.support.fake_server import FakeServer
from service.contract.agent import Heartbeat
from service.contract.registration import Gpu, ProcessIdentity, Registration
from service.contract.samples import Sample
from workers.agent.client import ControlPlane
from workers.agent.control_plane_errors import Refused

KNOWN = {"worker_id", "beats"}


class OlderServer:
    """Refuses a heartbeat by the fields that are unknown to it, and keeps those that it takes."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.is_broken = False
        self.registrations = 0
        app = FastAPI()

        @app.post("/agent/heartbeats", response_model=None)
        async def heartbeat(request: Request) -> JSONResponse:
            # The agent's client lives as long as its process, and has no end of its own.
            headers = {"Connection": "close"}
            body = await request.json()
            unknown = {"worker_id"} if self.is_broken else body.keys() - KNOWN
            if unknown:
                errors = [{"pointer": f"/{name}", "detail": "not known"} for name in unknown]
                problem = {"code": "invalid", "detail": "no", "errors": errors}
                return JSONResponse(problem, 422, headers=headers)
            self.taken.append(body)
            return JSONResponse({"replies": [], "drain": True}, headers=headers)

        @app.put("/agent/workers/{worker_id}", response_model=None)
        async def register(request: Request) -> JSONResponse:
            headers = {"Connection": "close"}
            body = await request.json()
            self.registrations += 1
            pointers = [f"/gpus/{i}/problem" for i, g in enumerate(body["gpus"]) if "problem" in g]
            if pointers or self.is_broken:
                names = ["/host"] if self.is_broken else pointers
                errors = [{"pointer": name, "detail": "not known"} for name in names]
                problem = {"code": "invalid", "detail": "no", "errors": errors}
                return JSONResponse(problem, 422, headers=headers)
            self.taken.append(body)
            return JSONResponse({"neighbours": []}, headers=headers)

        self.server = FakeServer(app)


@pytest.fixture
def older() -> Iterator[OlderServer]:
    older = OlderServer()
    yield older
    older.server.stop()


@pytest.fixture
def control_plane(older: OlderServer) -> ControlPlane:
    return ControlPlane(older.server.url, None, threading.Event())


def test_a_heartbeat_that_is_refused_for_its_sample_is_sent_without_it(
    older: OlderServer, control_plane: ControlPlane
) -> None:
    beat = Heartbeat(worker_id="wrk_1", sample=Sample(cpu_use=0.5))
    assert control_plane.heartbeat(beat).drain
    assert older.taken == [{"worker_id": "wrk_1", "beats": []}]


def test_a_heartbeat_without_a_sample_has_no_field_that_an_older_server_does_not_know(
    older: OlderServer, control_plane: ControlPlane
) -> None:
    control_plane.heartbeat(Heartbeat(worker_id="wrk_1"))
    assert older.taken == [{"worker_id": "wrk_1", "beats": []}]


def test_a_heartbeat_that_is_refused_for_something_else_is_not_sent_again(
    older: OlderServer, control_plane: ControlPlane
) -> None:
    older.is_broken = True
    with pytest.raises(Refused):
        control_plane.heartbeat(Heartbeat(worker_id="wrk_1", sample=Sample()))
    assert older.taken == []


def test_a_registration_that_is_refused_for_a_gpus_problem_is_sent_without_that_gpu(
    older: OlderServer, control_plane: ControlPlane
) -> None:
    control_plane.register("wrk_1", a_registration(problem="lost"))
    assert [[gpu["index"] for gpu in body["gpus"]] for body in older.taken] == [[0]]


def test_a_registration_that_is_refused_for_something_else_is_not_sent_again(
    older: OlderServer, control_plane: ControlPlane
) -> None:
    older.is_broken = True
    with pytest.raises(Refused):
        control_plane.register("wrk_1", a_registration(problem="lost"))
    assert older.registrations == 1


def a_registration(problem: str | None) -> Registration:
    gpus = (
        Gpu(index=0, name="H100", memory_bytes=80),
        Gpu(index=1, name="H100", memory_bytes=80, problem=problem),
    )
    process = ProcessIdentity(boot_id="b", pid_namespace="p", pid=1, started_ticks=1)
    return Registration(host="gpu-1", process=process, gpus=gpus)
