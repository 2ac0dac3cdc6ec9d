from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from api_tests.support.database_locks import is_waiting
from api_tests.support.rows import ensure_job, ensure_worker
from api_tests.support.server import wait_for
from service.contract.jobs import LIVE_ATTEMPTS, Attempt, AttemptState
from service.store import attempts, leases
from service.store.engine import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("state", AttemptState)
def test_only_a_live_attempt_can_be_changed(database: Database, state: AttemptState) -> None:
    with database.write() as tx:
        add(tx, 1, state=state)
        changed = attempts.change_live(tx, "job_1", 1, {"acked_seq": 7})
        found = attempts.get(tx, "job_1", 1)
    assert changed is (state in LIVE_ATTEMPTS)
    assert found is not None
    assert found.acked_seq == (7 if state in LIVE_ATTEMPTS else 0)


def test_a_change_spares_the_other_attempts_and_jobs(database: Database) -> None:
    with database.write() as tx:
        add(tx, 1)
        add(tx, 2)
        add(tx, 1, job_id="job_2")
        assert attempts.change_live(tx, "job_1", 2, {"acked_seq": 7})
        assert not attempts.change_live(tx, "job_1", 3, {"acked_seq": 7})
        seqs = [found.acked_seq for found in attempts.live(tx)]
    assert sorted(seqs) == [0, 0, 7]


def test_one_request_has_one_attempt(database: Database) -> None:
    with database.write() as tx:
        add(tx, 1, request_id="r")
    with pytest.raises(IntegrityError), database.write() as tx:
        add(tx, 2, request_id="r")


def test_only_live_leases_are_renewed(database: Database) -> None:
    with database.write() as tx:
        add(tx, 1, state=AttemptState.LOST)
        add(tx, 2)
        assert leases.renew_since(tx, None, NOW + timedelta(hours=1)) == 1
        lost, live = attempts.get(tx, "job_1", 1), attempts.get(tx, "job_1", 2)
    assert lost is not None
    assert live is not None
    assert (lost.renewed_at, live.renewed_at) == (NOW, NOW + timedelta(hours=1))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_gpus_are_noted_in_the_order_in_which_heartbeats_lock_attempts(database: Database) -> None:
    with database.write() as tx:
        add(tx, 1, job_id="job_1")
        add(tx, 1, job_id="job_2")

    def note() -> None:
        with database.write() as tx:
            attempts.note_gpus(tx, [("wrk_1", ("job_2", 1), [0]), ("wrk_1", ("job_1", 1), [1])])

    with ThreadPoolExecutor(1) as thread, database.write() as heartbeat:
        lock = text("SELECT 1 FROM attempts WHERE job_id = :job_id FOR UPDATE NOWAIT")
        heartbeat.execute(lock, {"job_id": "job_1"})
        noted = thread.submit(note)
        wait_for(lambda: is_waiting(database), "the update to wait for the first job")
        heartbeat.execute(lock, {"job_id": "job_2"})
        heartbeat.rollback()
        noted.result(30)


def add(
    tx: Connection,
    number: int,
    *,
    job_id: str = "job_1",
    state: AttemptState = AttemptState.RUNNING,
    request_id: str | None = None,
) -> None:
    ensure_job(tx, job_id)
    ensure_worker(tx, "wrk_1")
    attempt = Attempt(job_id=job_id, number=number, worker_id="wrk_1", state=state, created_at=NOW)
    attempts.add(tx, attempt, token="t", request_id=request_id or f"{job_id} {number}")
