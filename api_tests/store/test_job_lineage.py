"""The lineage of a job on both databases, and what SQLite reads for it."""

import pytest
import sqlalchemy as sa

from api_tests.support.manifests import a_checkpoint, a_manifest
from api_tests.support.query_plans import plan_of, sent_back
from api_tests.support.rows import ensure_job
from service.contract.jobs import JobState
from service.store import checkpoints, jobs
from service.store.engine import Database
from service.store.job_lineage import descendants_of, source_of
from service.store.lineage import uses_of


def test_descendants_are_retries_and_uses_of_the_job_s_checkpoints_newest_first(
    database: Database,
) -> None:
    manifest = a_manifest("job_1", 5)
    with database.write() as tx:
        ensure_job(tx, "job_1")
        checkpoints.add(tx, a_checkpoint(manifest), manifest)
        ensure_job(tx, "job_2", parent_job_id="job_1")
        ensure_job(tx, "job_3", source_checkpoint=manifest.checkpoint_id, result=["no object"])
        both = {"parent_job_id": "job_1", "source_checkpoint": manifest.checkpoint_id}
        ensure_job(tx, "job_4", **both, result={"loss": 1.5, "ok": True, "note": "x"})
        ensure_job(tx, "job_5", parent_job_id="job_2")
        found = descendants_of(tx, "job_1", 10)
        assert [job.id for job in found] == ["job_4", "job_3", "job_2"]
        assert [job.metrics for job in found] == [{"loss": 1.5}, {}, {}]
        assert [job.id for job in descendants_of(tx, "job_1", 2)] == ["job_4", "job_3"]
        source = source_of(tx, manifest.checkpoint_id)
        assert (source.step, source.job_id) == (5, "job_1")
        assert source.job is not None
        assert source_of(tx, "ckpt_none").step is None


def test_of_the_results_of_related_jobs_the_numbers_alone_are_read(database: Database) -> None:
    manifest = a_manifest("job_1", 5)
    confusion = {"classes": ["long text " * 1000], "nested": {"loss": 9}}
    exact = {"loss": 0.1 + 0.2, "top1 error.max": 1e-7, "count": 2**53, "ok": True, 'a "b"': 2.5}
    with database.write() as tx:
        ensure_job(tx, "job_1", result=confusion | exact)
        checkpoints.add(tx, a_checkpoint(manifest), manifest)
        use = {"parent_job_id": "job_1", "source_checkpoint": manifest.checkpoint_id}
        ensure_job(tx, "job_2", **use, result=confusion | exact)
        ensure_job(tx, "job_3", **use, result="long text")
        ensure_job(tx, "job_4", **use, result=None)
    numbers = {name: value for name, value in exact.items() if name != "ok"}
    with database.read() as tx:
        assert [each.metrics for each in descendants_of(tx, "job_1", 9)] == [{}, {}, numbers]
        assert [each.metrics for each in uses_of(tx, manifest.checkpoint_id)] == [numbers, {}, {}]
        for call in (
            lambda: descendants_of(tx, "job_1", 9),
            lambda: uses_of(tx, manifest.checkpoint_id),
            lambda: source_of(tx, manifest.checkpoint_id),
        ):
            rows = sent_back(tx, call)
            assert "top1 error.max" in rows
            assert "long text" not in rows


@pytest.mark.parametrize("text", [r"x\u0000y", r"\ud800", r"\udc00\ud800", r"\\\ud83d"])
def test_a_result_with_no_character_in_its_text_costs_its_own_numbers_at_most(
    database: Database, text: str
) -> None:
    pair = r"\ud83d\ude00"
    with database.write() as tx:
        ensure_job(tx, "job_1")
        for number, stored in enumerate((text, pair), 2):
            ensure_job(tx, f"job_{number}", parent_job_id="job_1")
            result = f'{{"loss": 0.5, "note": "{stored}"}}'
            change = sa.text("UPDATE jobs SET result = :result WHERE id = :id")
            tx.execute(change, {"result": result, "id": f"job_{number}"})
        found = descendants_of(tx, "job_1", 9)
    read = [{"loss": 0.5}, {"loss": 0.5} if database.is_sqlite else {}]
    assert [each.metrics for each in found] == read


def test_a_result_that_is_no_json_costs_its_own_numbers_alone(sqlite: Database) -> None:
    with sqlite.write() as tx:
        ensure_job(tx, "job_1")
        for number in (2, 3):
            ensure_job(tx, f"job_{number}", parent_job_id="job_1", result={"loss": 0.5})
        tx.exec_driver_sql("UPDATE jobs SET result = '{\"loss\": ' WHERE id = 'job_2'")
        found = descendants_of(tx, "job_1", 9)
    assert [each.metrics for each in found] == [{"loss": 0.5}, {}]


def test_descendants_are_found_by_their_indexes(sqlite: Database) -> None:
    with sqlite.write() as tx:
        plan = " ".join(plan_of(tx, lambda: descendants_of(tx, "job_1", 10)))
    for index in ("ix_jobs_parent_job_id", "ix_jobs_source_checkpoint", "ix_checkpoints_of_job"):
        assert index in plan
    assert "SCAN jobs" not in plan


def test_the_checkpoints_in_use_are_the_job_s_from_which_a_live_job_starts(
    database: Database,
) -> None:
    manifests = [a_manifest("job_1", 5), a_manifest("job_1", 10), a_manifest("job_2", 5)]
    with database.write() as tx:
        for each in manifests:
            ensure_job(tx, each.job_id)
            checkpoints.add(tx, a_checkpoint(each), each)
        ensure_job(tx, "job_3", source_checkpoint=manifests[0].checkpoint_id)
        ended = {"source_checkpoint": manifests[1].checkpoint_id, "state": JobState.SUCCEEDED}
        ensure_job(tx, "job_4", **ended)
        ensure_job(tx, "job_5", source_checkpoint=manifests[2].checkpoint_id)
    with database.read() as tx:
        assert jobs.sources_in_use(tx, "job_1") == {manifests[0].checkpoint_id}


def test_the_checkpoints_in_use_are_found_by_their_indexes(sqlite: Database) -> None:
    with sqlite.write() as tx:
        plan = " ".join(plan_of(tx, lambda: jobs.sources_in_use(tx, "job_1")))
    assert "ix_jobs_source_checkpoint" in plan
    assert "SCAN jobs" not in plan
