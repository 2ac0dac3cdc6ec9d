"""Submissions that come at the same time: one transaction, and each with its own outcome."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from sqlalchemy import Engine, event

from api_tests.support.coroutines import result_of
from service.contract.jobs import JobState
from service.contract.specs import Submission
from service.control.jobs import views
from service.control.jobs.grouped_submissions import (
    Outcome,
    SubmissionRequest,
    SubmittedJob,
    commit_group,
)
from service.control.scheduling import class_limit
from service.domain.errors import Conflict, InvalidFields, Unprocessable
from service.group_commit import GroupCommit
from service.store import jobs
from service.store.engine import Database

SPEC: dict[str, Any] = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": {"batch_size": 32},
}


def _request(number: int, key: str | None = None, **fields: Any) -> SubmissionRequest:
    spec = Submission.model_validate(SPEC | fields).root
    return SubmissionRequest(spec, key, f"job_{number:03d}", datetime(2026, 1, 1, tzinfo=UTC))


def _submitted(outcome: Outcome) -> SubmittedJob:
    assert isinstance(outcome, SubmittedJob), outcome
    return outcome


def test_a_refused_submission_keeps_no_other_of_its_group_from_being_stored(
    database: Database,
) -> None:
    requests = [
        _request(1),
        _request(2, recipe="no_such_recipe"),
        _request(3, params={"batch_size": -1}),
        _request(4),
    ]
    first, no_recipe, no_batch, last = commit_group(database, requests)
    assert isinstance(no_recipe, Unprocessable)
    assert isinstance(no_batch, InvalidFields)
    assert [_submitted(each).job.id for each in (first, last)] == ["job_001", "job_004"]
    with database.read() as tx:
        assert [views.get(tx, job_id).id for job_id in ("job_001", "job_004")]


def test_a_submission_that_the_database_refuses_fails_alone(database: Database) -> None:
    commit_group(database, [_request(2)])
    first, taken, last = commit_group(database, [_request(1), _request(2), _request(3)])
    assert isinstance(taken, Exception)
    assert [_submitted(each).job.id for each in (first, last)] == ["job_001", "job_003"]


def test_a_key_that_is_twice_in_a_group_makes_one_job(database: Database) -> None:
    requests = [_request(1, "k"), _request(2, "k"), _request(3)]
    first, again, other = map(_submitted, commit_group(database, requests))
    assert (first.job.id, again.job.id, other.job.id) == ("job_001", "job_001", "job_003")
    assert (first.replayed, again.replayed) == (False, True)


def test_each_job_of_a_group_is_answered_as_it_is_read(database: Database) -> None:
    commit_group(database, [_request(0, priority=5), _request(1)])
    group = [_request(2), _request(3, priority=7), _request(4), _request(5, priority=5)]
    answers = [_submitted(each).job for each in commit_group(database, group)]
    assert [job.queue_position for job in answers] == [5, 1, 6, 3]
    with database.read() as tx:
        assert [views.get(tx, job.id) for job in answers] == answers


def test_jobs_of_one_class_count_once_for_the_limit_of_classes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_limit, "MOST_CLASSES", 3)
    commit_group(database, [_request(0)])
    gpus = [0, 0, 0, 1, 1, 2, 3, 2]
    group = [_request(number, resources={"gpus": each}) for number, each in enumerate(gpus, 1)]
    refused = [isinstance(each, Conflict) for each in commit_group(database, group)]
    assert refused == [False, False, False, False, False, False, True, False]


def test_a_group_sends_as_many_statements_as_one_submission(sqlite: Database) -> None:
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    commit_group(sqlite, [_request(1)])
    event.listen(Engine, "before_cursor_execute", note)
    try:
        commit_group(sqlite, [_request(2, "two")])
        alone = len(sent)
        sent.clear()
        commit_group(sqlite, [_request(number, f"{number}") for number in range(3, 20)])
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(sent) == alone


def test_a_job_that_was_claimed_at_once_is_answered_as_it_is_then(sqlite: Database) -> None:
    commit_group(sqlite, [_request(1)])
    with sqlite.write() as tx:
        stored = [views.stored(tx, "job_001")]
        jobs.change(tx, "job_001", [JobState.QUEUED], {"state": JobState.RUNNING})
        assert views.new_job_views(tx, stored)["job_001"] == views.get(tx, "job_001")


def test_what_comes_during_a_commit_is_committed_together() -> None:
    groups: list[list[int]] = []
    first_begun, others_wait = threading.Event(), threading.Event()

    def commit(requests: Sequence[int]) -> list[int | Exception]:
        groups.append(list(requests))
        first_begun.set()
        assert others_wait.wait(10)
        return [ValueError(f"{each}") if each == 3 else each * 10 for each in requests]

    async def submit_all() -> list[int | BaseException]:
        group_commit = GroupCommit[int, int](commit)
        first = asyncio.create_task(group_commit.reply(1))
        while not first_begun.is_set():
            await asyncio.sleep(0)
        others = [asyncio.create_task(group_commit.reply(number)) for number in (2, 3, 4)]
        await asyncio.sleep(0)
        others[0].cancel()
        others_wait.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    one, gone, refused, four = result_of(submit_all())
    assert groups == [[1], [2, 3, 4]]
    assert (one, four) == (10, 40)
    assert isinstance(gone, asyncio.CancelledError)
    assert isinstance(refused, ValueError)


def test_a_group_is_committed_in_the_name_of_no_single_request() -> None:
    def commit(requests: Sequence[int]) -> list[dict[str, Any] | Exception]:
        return [structlog.contextvars.get_contextvars() for _ in requests]

    async def submit_one() -> dict[str, Any]:
        group_commit = GroupCommit[int, dict[str, Any]](commit)
        with structlog.contextvars.bound_contextvars(request_id="first"):
            return await group_commit.reply(1)

    assert result_of(submit_one()) == {}


def test_a_commit_that_fails_fails_all_its_requests_and_no_later_one() -> None:
    def commit(requests: Sequence[int]) -> list[int | Exception]:
        if 1 in requests:
            raise OSError("the database is away")
        return list(requests)

    async def submit_all() -> int:
        group_commit = GroupCommit[int, int](commit)
        with pytest.raises(OSError, match="away"):
            await group_commit.reply(1)
        return await group_commit.reply(2)

    assert result_of(submit_all()) == 2
