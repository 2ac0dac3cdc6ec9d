"""A job that somebody deletes as soon as it is changed: what was done is answered as done."""

from pathlib import Path
from typing import Any

import pytest

from api_tests.support.context_server import server
from api_tests.support.job_lists import newest_jobs
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.context import AppContext
from service.contract.jobs import ENDED_JOBS
from service.control.jobs import actions, edits
from service.store.engine import Database

__all__ = ["server"]

SPEC = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


@pytest.fixture
def context(sqlite: Database, tmp_path: Path) -> AppContext:
    return server_context(sqlite, tmp_path, Clock())


@pytest.mark.parametrize(
    ("before", "change", "body", "state"),
    [
        pytest.param([], "cancel", {}, "cancelled", id="a cancel"),
        pytest.param([], "pause", None, "paused", id="a pause"),
        pytest.param(["pause"], "resume", None, "queued", id="a resume"),
        pytest.param(["cancel"], "retry", {"from": "start"}, "queued", id="a retry"),
        pytest.param([], "", {"priority": 3}, "queued", id="an edit"),
        pytest.param(["cancel"], "cancel", {}, "cancelled", id="a cancel that was asked before"),
    ],
)
def test_a_change_is_answered_though_its_job_is_deleted_at_once(
    server: ThreadedServer,
    context: AppContext,
    before: list[str],
    change: str,
    body: dict[str, Any] | None,
    state: str,
) -> None:
    path = f"/jobs/{server.http.post('/jobs', json=SPEC).json()['id']}"
    for each in before:
        server.http.post(f"{path}/{each}").raise_for_status()
    # A change is notified when it is committed, and then it is answered.
    context.notifier.forward = lambda: delete_all_jobs(context)
    verb, target = ("POST", f"{path}/{change}") if change else ("PATCH", path)
    answer = server.http.request(verb, target, json=body)
    assert answer.is_success, answer.text
    assert answer.json()["state"] == state
    assert server.http.get("/jobs").json()["data"] == []


def delete_all_jobs(context: AppContext) -> None:
    with context.database.write() as tx:
        for job in newest_jobs(tx):
            if job.state not in ENDED_JOBS:
                actions.cancel(tx, job.id, mode="now", now=context.now())
            edits.delete(tx, job.id)
