"""Resource classes of the queue: found by index searches, however many jobs wait in each."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from api_tests.support.query_plans import plan_of, plans_of
from api_tests.support.specs import submission
from service.control.jobs.submission import submit
from service.control.jobs.views import stored
from service.store import preemptions, resource_classes
from service.store.engine import Database
from service.store.resource_classes import ResourceClass

NEEDS: list[dict[str, Any]] = [
    {},
    {"gpus": 2},
    {"gpus": 2, "labels": {"gpu": "H100"}},
    {"gpus": 8, "labels": {"gpu": "H100"}},
]
CLASSES = [
    ResourceClass('{"gpu":"H100"}', 2),
    ResourceClass('{"gpu":"H100"}', 8),
    ResourceClass("{}", 0),
    ResourceClass("{}", 2),
]


def _fill(tx: Connection) -> None:
    spec = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    for number in range(12):
        needs = {"resources": NEEDS[number % len(NEEDS)]}
        submitted = submission(spec | needs | {"params": {"batch_size": 32}})
        now = datetime(2026, 1, 1, tzinfo=UTC)
        submit(tx, submitted, job_id=f"job_{number:04d}", key=None, now=now)


def test_every_resource_class_is_found_once(database: Database) -> None:
    with database.write() as tx:
        _fill(tx)
        found = resource_classes.of_queued_jobs(tx)
    assert len(found) == len(CLASSES)
    assert {(each.gpus, *each.job_needs.labels.items()) for each in found} == {
        (each.gpus, *each.job_needs.labels.items()) for each in CLASSES
    }


def test_each_search_for_a_class_starts_where_the_last_one_ended(sqlite: Database) -> None:
    with sqlite.write() as tx:
        _fill(tx)
        plans = plans_of(tx, lambda: resource_classes.of_queued_jobs(tx))
    # Nothing is sorted: each plan is that one line.
    for (plan,) in plans:
        assert plan.startswith("SEARCH jobs USING INDEX ix_jobs_resource_class (needs"), plan
        assert plan.endswith(("(needs=? AND gpus>?)", "(needs>?)")), plan


@pytest.mark.parametrize("read", [resource_classes.positions, resource_classes.positions_of_new])
def test_the_position_in_the_queue_is_counted_in_the_index_of_the_queue(
    sqlite: Database, read: Any
) -> None:
    with sqlite.write() as tx:
        _fill(tx)
        last = stored(tx, "job_0011").job
        assert read(tx, [last]) == {"job_0011": 12}
        plans = plans_of(tx, lambda: read(tx, [last]))
    searches = [line for plan in plans for line in plan if "jobs" in line]
    assert searches
    assert all(line.startswith("SEARCH jobs USING INDEX ix_jobs_queue (") for line in searches)


def test_whether_anybody_is_outranked_is_asked_of_two_small_indexes(sqlite: Database) -> None:
    with sqlite.write() as tx:
        plan = plan_of(tx, lambda: preemptions.is_any_outranked(tx))
    assert [line.split(" USING ")[-1].split(" (")[0] for line in plan if "USING" in line] == [
        "INDEX ix_jobs_preemptible",
        "INDEX ix_jobs_queue",
    ]
