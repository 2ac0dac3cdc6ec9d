"""The lanes of the queue: found by looks into an index, however many jobs wait in each."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from api_tests.support.query_plans import plans_of
from service.contract.specs import JobSpec
from service.control.jobs import views
from service.store import resource_classes
from service.store.engine import Database
from service.store.resource_classes import ResourceClass

NEEDS: list[dict[str, Any]] = [
    {},
    {"gpus": 2},
    {"gpus": 2, "labels": {"gpu": "H100"}},
    {"gpus": 8, "labels": {"gpu": "H100"}},
]
LANES = [
    ResourceClass('{"gpu":"H100"}', 2),
    ResourceClass('{"gpu":"H100"}', 8),
    ResourceClass("{}", 0),
    ResourceClass("{}", 2),
]


def _fill(tx: Connection) -> None:
    spec = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    for number in range(12):
        needs = {"resources": NEEDS[number % len(NEEDS)]}
        submitted = JobSpec.model_validate(spec | needs | {"params": {"batch_size": 32}})
        now = datetime(2026, 1, 1, tzinfo=UTC)
        views.submit(tx, submitted, job_id=f"job_{number:04d}", key=None, now=now)


def test_every_lane_is_found_once(database: Database) -> None:
    with database.write() as tx:
        _fill(tx)
        found = resource_classes.lanes(tx)
    assert len(found) == len(LANES)
    assert {(lane.gpus, *lane.labels.items()) for lane in found} == {
        (lane.gpus, *lane.labels.items()) for lane in LANES
    }


def test_each_look_for_a_lane_starts_where_the_last_one_ended(sqlite: Database) -> None:
    with sqlite.write() as tx:
        _fill(tx)
        looks = plans_of(tx, lambda: resource_classes.lanes(tx))
    # Nothing is sorted: each plan is that one line.
    for (look,) in looks:
        assert look.startswith("SEARCH jobs USING INDEX ix_jobs_lanes (needs"), look
        assert look.endswith(("(needs=? AND gpus>?)", "(needs>?)")), look
