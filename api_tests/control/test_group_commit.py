"""Writes that share a transaction, and how they are answered when the database fails."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from api_tests.support.coroutines import result_of
from api_tests.support.job_lists import newest_jobs
from service.contract.submissions import Submission
from service.control.jobs.grouped_submissions import (
    Outcome,
    SubmissionRequest,
    SubmittedJob,
    commit_group,
    is_database_outage,
)
from service.domain.errors import Unavailable
from service.group_commit import GroupCommit
from service.store.engine import Database

SPEC: dict[str, Any] = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


def test_what_comes_during_a_commit_is_committed_together() -> None:
    groups: list[list[int]] = []
    first_begun, others_wait = threading.Event(), threading.Event()

    def commit(requests: Sequence[int]) -> list[int | Exception]:
        groups.append(list(requests))
        first_begun.set()
        assert others_wait.wait(10)
        return [ValueError(f"{each}") if each == 3 else each * 10 for each in requests]

    async def submit_all() -> list[int | BaseException]:
        group_commit = GroupCommit[int, int](commit, is_database_outage)
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
        group_commit = GroupCommit[int, dict[str, Any]](commit, is_database_outage)
        with structlog.contextvars.bound_contextvars(request_id="first"):
            return await group_commit.reply(1)

    assert result_of(submit_one()) == {}


def test_a_commit_that_fails_fails_all_its_requests_and_no_later_one() -> None:
    def commit(requests: Sequence[int]) -> list[int | Exception]:
        if 1 in requests:
            raise OSError("the database is away")
        return list(requests)

    async def submit_all() -> int:
        group_commit = GroupCommit[int, int](commit, is_database_outage)
        with pytest.raises(OSError, match="away"):
            await group_commit.reply(1)
        return await group_commit.reply(2)

    assert result_of(submit_all()) == 2


def test_an_outage_is_answered_to_all_that_wait_and_not_found_anew_by_each_group(
    sqlite: Database,
) -> None:
    groups: list[int] = []
    others_wait = threading.Event()

    def commit(requests: Sequence[SubmissionRequest]) -> Sequence[Outcome]:
        groups.append(len(requests))
        assert others_wait.wait(10)
        return commit_group(sqlite, requests)

    async def submit_all() -> list[SubmittedJob | BaseException]:
        group_commit = GroupCommit(commit, is_database_outage)
        tasks = [asyncio.create_task(group_commit.reply(_request(n))) for n in range(300)]
        while not groups:
            await asyncio.sleep(0)
        others_wait.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        locking.execute("ROLLBACK")
        return [*answers, await group_commit.reply(_request(300))]

    event.listen(sqlite.engine, "checkout", _wait_for_locks_only_briefly)
    with closing(_connection(sqlite)) as locking:
        locking.execute("BEGIN IMMEDIATE")
        *answers, last = result_of(submit_all())
    assert {type(answer) for answer in answers} == {OperationalError}
    assert groups == [64, 1]
    assert _submitted(last).job.id == "job_300"


def test_a_commit_that_hangs_is_answered_at_the_limit_and_so_is_who_waits_for_it(
    database: Database,
) -> None:
    async def submit_all() -> list[SubmittedJob | BaseException]:
        group_commit = GroupCommit(commit, is_database_outage, limit_seconds=0.2)
        first = asyncio.create_task(group_commit.reply(_request(1)))
        while not begun.is_set():
            await asyncio.sleep(0)
        others = [asyncio.create_task(group_commit.reply(_request(n))) for n in (2, 3)]
        answers = await asyncio.gather(first, *others, return_exceptions=True)
        later = await asyncio.gather(group_commit.reply(_request(4)), return_exceptions=True)
        goes_on.set()
        return [*answers, *later, await group_commit.reply(_request(5))]

    begun, goes_on = threading.Event(), threading.Event()

    def commit(requests: Sequence[SubmissionRequest]) -> Sequence[Outcome]:
        begun.set()
        assert goes_on.wait(10)
        return commit_group(database, requests)

    under_way, *waiting, last = result_of(submit_all())
    assert isinstance(under_way, Unavailable)
    assert "may still do" in under_way.message
    for each in waiting:
        assert isinstance(each, Unavailable)
        assert "nothing was changed" in each.message
    assert _submitted(last).job.id == "job_005"
    with database.read() as tx:
        jobs_there = newest_jobs(tx)
    assert [job.id for job in jobs_there] == ["job_005", "job_001"]


def _request(number: int) -> SubmissionRequest:
    spec = Submission.model_validate(SPEC).root
    return SubmissionRequest(spec, None, f"job_{number:03d}", datetime(2026, 1, 1, tzinfo=UTC))


def _submitted(outcome: Outcome | BaseException) -> SubmittedJob:
    assert isinstance(outcome, SubmittedJob), outcome
    return outcome


def _wait_for_locks_only_briefly(connection: Any, *_: object) -> None:
    connection.execute("PRAGMA busy_timeout=50")


def _connection(sqlite: Database) -> sqlite3.Connection:
    """Another connection, for any thread."""
    file = str(sqlite.url.database)
    return sqlite3.connect(file, isolation_level=None, check_same_thread=False)
