"""Submissions that come at the same time: one transaction, and each with its own outcome."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from api_tests.support.sent_statements import sent_statements
from service.contract.jobs import JobState
from service.contract.submissions import Submission
from service.control.jobs import views
from service.control.jobs.grouped_submissions import (
    Outcome,
    SubmissionRequest,
    SubmittedJob,
    commit_group,
)
from service.control.scheduling import class_limit
from service.domain.errors import Conflict, InvalidFields, Unprocessable
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
    gpus = [0, 0, 0, 1, 1, 2, 4, 2]
    group = [_request(number, resources={"gpus": each}) for number, each in enumerate(gpus, 1)]
    refused = [isinstance(each, Conflict) for each in commit_group(database, group)]
    assert refused == [False, False, False, False, False, False, True, False]


def test_a_group_sends_as_many_statements_as_one_submission(sqlite: Database) -> None:
    commit_group(sqlite, [_request(1)])
    with sent_statements() as alone:
        commit_group(sqlite, [_request(2, "two")])
    with sent_statements() as together:
        commit_group(sqlite, [_request(number, f"{number}") for number in range(3, 20)])
    assert len(together) == len(alone)


def test_a_job_that_was_claimed_at_once_is_answered_as_it_is_then(sqlite: Database) -> None:
    commit_group(sqlite, [_request(1)])
    with sqlite.write() as tx:
        stored = [views.stored(tx, "job_001")]
        jobs.change(tx, "job_001", [JobState.QUEUED], {"state": JobState.RUNNING})
        assert views.new_job_views(tx, stored)["job_001"] == views.get(tx, "job_001")


def test_an_outage_is_found_once_by_submissions_that_are_stored_in_turn(
    sqlite: Database,
) -> None:
    commit_group(sqlite, [_request(2)])

    def lock(*_: object) -> None:
        if not locking.in_transaction:
            locking.execute("BEGIN IMMEDIATE")

    event.listen(sqlite.engine, "checkout", _wait_for_locks_only_briefly)
    event.listen(sqlite.engine, "checkin", lock)
    with closing(_connection(sqlite)) as locking:
        outcomes = commit_group(sqlite, [_request(n) for n in range(1, 9)])
    assert {type(outcome) for outcome in outcomes} == {OperationalError}
    assert len({id(outcome) for outcome in outcomes}) == 1


def test_jobs_that_are_stored_are_answered_though_they_cannot_be_drawn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_group(database, [_request(0, "again")])

    def read() -> None:
        raise OperationalError("SELECT", {}, Exception("the connection is lost"))

    with monkeypatch.context() as patched:
        patched.setattr(database, "read", read)
        stored, again = commit_group(database, [_request(1), _request(0, "again")])
    assert _submitted(stored).job.id == "job_001"
    assert isinstance(again, OperationalError)
    with database.read() as tx:
        assert views.get(tx, "job_001").spec == _submitted(stored).job.spec


def _wait_for_locks_only_briefly(connection: Any, *_: object) -> None:
    connection.execute("PRAGMA busy_timeout=50")


def _connection(sqlite: Database) -> sqlite3.Connection:
    """Another connection, for any thread."""
    file = str(sqlite.url.database)
    return sqlite3.connect(file, isolation_level=None, check_same_thread=False)
