"""A server over a database of a test, with jobs whose rows a test fills as runs would."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text, update

from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.store.engine import Database
from service.store.tables import jobs

SPEC: dict[str, Any] = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


class JobYard:
    """Jobs `job_0001`, `job_0002` …, each submitted a minute after the one before."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.clock = database, Clock()
        numbers = count(1)
        context = replace(
            server_context(database, folder, self.clock),
            new_id=lambda prefix: f"{prefix}_{next(numbers):04d}",
        )
        self.server = ThreadedServer(context)
        self.http: httpx.Client = self.server.http

    def submit(self, **fields: Any) -> str:
        """Submit a training, whose fields these replace; its id."""
        answer = self.http.post("/jobs", json=SPEC | fields)
        assert answer.status_code == 201, answer.text
        self.clock.advance(timedelta(minutes=1))
        return str(answer.json()["id"])

    def fill(self, job_id: str, **columns: Any) -> None:
        """Set columns of a job's row."""
        with self.database.write() as tx:
            tx.execute(update(jobs).where(jobs.c.id == job_id).values(**columns))

    def spoil(self, job_id: str, column: str, content: str) -> None:
        """Set a column of a job's row to a text, without a look at it."""
        with self.database.write() as tx:
            statement = text(f"UPDATE jobs SET {column} = :content WHERE id = :id")
            tx.execute(statement, {"content": content, "id": job_id})

    def listed(self, **query: Any) -> dict[str, Any]:
        """The answer to `GET /jobs`."""
        answer = self.http.get("/jobs", params=query)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def bulk(self, action: str, **body: Any) -> dict[str, Any]:
        """The answer to `POST /jobs/bulk`."""
        answer = self.http.post("/jobs/bulk", json={"action": action, **body})
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()
        return reply
