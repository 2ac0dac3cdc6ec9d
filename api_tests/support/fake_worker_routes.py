"""The part of the dashboard's stand-in that answers for workers."""

import json
from typing import Any

from fastapi import FastAPI, Request, Response

from api_tests.support.fake_checkpoints import Answer


def add_worker_routes(app: FastAPI, fake: Any, answer: Answer) -> None:
    """Adds the routes to the application of `fake`, the stand-in."""

    @app.get("/workers")
    def workers(request: Request, ended: bool = False) -> Response:
        listed_workers = fake.ended_workers if ended else fake.workers
        return answer(request, {"object": "list", "data": listed_workers})

    @app.get("/workers/{worker_id}")
    def worker(request: Request, worker_id: str) -> Response:
        (known,) = (each for each in fake.workers if each["id"] == worker_id)
        return answer(request, known | {"recipes": ["oneshot", "shufflenet_v2"], "kinds": []})

    @app.get("/workers/{worker_id}/samples")
    def samples(request: Request, worker_id: str) -> Response:
        return answer(request, {"worker_id": worker_id, "series": fake.samples})

    @app.post("/workers/{worker_id}/{verb}")
    def steer(request: Request, worker_id: str, verb: str) -> Response:
        if fake.refusal:
            return Response(json.dumps({"status": 409, "detail": fake.refusal}), 409)
        (known,) = (each for each in fake.workers if each["id"] == worker_id)
        known |= {"state": "draining" if verb == "drain" else "active", "message": None}
        fake.called(("POST", request.url.path, 202, ""))
        return Response(json.dumps(known), 202)
