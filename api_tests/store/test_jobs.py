from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from api_tests.support.job_lists import newest_jobs
from api_tests.support.postgres import Postgres
from api_tests.support.specs import complete_spec
from service.contract.jobs import Job, JobState, Progress
from service.store import idempotency, jobs, resource_classes
from service.store.engine import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_job_reads_back_as_it_was_stored(database: Database) -> None:
    with database.write() as tx:
        job = add(tx, 1, name="ü \N{STEAM LOCOMOTIVE}", labels={"team": "vision"})
        found = jobs.get(tx, job.id)
    assert found is not None
    assert found.job == job
    assert (found.failures, found.worker_losses, found.not_before) == (0, 0, None)


def test_pages_have_no_gap_and_no_repeat_while_jobs_are_added(database: Database) -> None:
    with database.write() as tx:
        for number in range(10):
            add(tx, number)
        seen, after = [], None
        while True:
            page = newest_jobs(tx, after=after, limit=3)
            if not page:
                break
            seen += [job.id for job in page]
            add(tx, 100 + len(seen))
            after = page[-1].id
    assert seen == [f"job_{number:04d}" for number in range(9, -1, -1)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"states": (JobState.QUEUED,)}, [3, 2, 1]),
        ({"states": (JobState.FAILED,)}, []),
        ({"recipe": "shufflenet_v2"}, [2]),
        ({"kinds": ("eval",)}, [3]),
        ({"labels": (("team", "vision"),)}, [1]),
        ({"labels": (("team", "vis"),)}, []),
        ({"labels": (("a.b/c-d", "x"),)}, [2]),
        ({"labels": (("none", "x"),)}, []),
        ({"after": "job_0003"}, [2, 1]),
        ({"after": "job_0000"}, []),
    ],
)
def test_a_list_holds_what_fits_and_nothing_else(
    database: Database, wanted: dict[str, Any], found: list[int]
) -> None:
    with database.write() as tx:
        add(tx, 1, labels={"team": "vision"})
        add(tx, 2, recipe="shufflenet_v2", variant="1.0x", labels={"a.b/c-d": "x"})
        add(tx, 3, kind="eval", checkpoint={"file": "weights.pth.tar"})
        page = newest_jobs(tx, **wanted)
    assert [job.id for job in page] == [f"job_{number:04d}" for number in found]


def test_a_change_counts_the_version_and_spares_jobs_in_other_states(database: Database) -> None:
    with database.write() as tx:
        job = add(tx, 1)
        assert jobs.change(tx, job.id, [JobState.QUEUED], {"state": JobState.RUNNING})
        assert not jobs.change(tx, job.id, [JobState.QUEUED], {"state": JobState.CANCELLED})
        assert jobs.version_of(tx, job.id) == (2, JobState.RUNNING)


def test_a_job_that_another_server_has_in_hand_is_passed_over(postgres: Postgres) -> None:
    database = Database(postgres.make())
    with database.write() as tx:
        job = add(tx, 1)
    with database.write() as one, database.write() as two:
        assert resource_classes.lock_job(one, job.id, NOW) is not None
        assert resource_classes.lock_job(two, job.id, NOW) is None
    database.close()


def test_a_job_is_held_only_while_it_can_be_claimed(database: Database) -> None:
    with database.write() as tx:
        waits, taken = add(tx, 1), add(tx, 2)
        later = {"not_before": NOW + timedelta(seconds=1)}
        jobs.change(tx, waits.id, [JobState.QUEUED], later)
        jobs.change(tx, taken.id, [JobState.QUEUED], {"state": JobState.RUNNING})
        assert resource_classes.lock_job(tx, waits.id, NOW) is None
        assert resource_classes.lock_job(tx, taken.id, NOW) is None
        assert resource_classes.lock_job(tx, waits.id, NOW + timedelta(seconds=1)) is not None


def test_the_queue_is_in_order_of_priority_then_age(sqlite: Database) -> None:
    with sqlite.write() as tx:
        for number in range(50):
            add(tx, number, priority=number % 3)
        (resource_class,) = resource_classes.of_queued_jobs(tx)
        queue = resource_classes.first_jobs(tx, resource_class, at_limit=(), now=NOW, limit=100)
    order = [job.sort_key for job in queue]
    assert order == sorted(order)
    assert len(order) == 50


def test_keys_are_forgotten_when_they_are_old(database: Database) -> None:
    with database.write() as tx:
        idempotency.add(tx, "old", "sha", "job_1", NOW)
        idempotency.add(tx, "new", "sha", "job_2", NOW + timedelta(days=1))
        assert idempotency.delete_before(tx, NOW + timedelta(hours=1), 100) == 1
        assert idempotency.find(tx, "old") is None
        assert idempotency.find(tx, "new") is not None


def add(tx: Connection, number: int, **fields: Any) -> Job:
    submission = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}} | fields
    spec = complete_spec(submission)
    assert spec.variant is not None
    job = Job(
        id=f"job_{number:04d}",
        kind=spec.kind,
        recipe=spec.recipe,
        variant=spec.variant,
        name=spec.name,
        labels=spec.labels,
        state=JobState.QUEUED,
        created_at=NOW,
        progress=Progress(total_steps=1),
        spec=spec,
    )
    jobs.add(tx, job, None)
    return job
