"""Jobs in MLflow, each run and point once, whatever is lost, killed, refused or away."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from api_tests.support.mirrored_jobs import JOB, MirroredJobs, update_all
from service.control.mlflow.rest_api import MlflowApi, MlflowAway, MlflowRefused
from service.store.mlflow_tables import mlflow_runs


@pytest.mark.parametrize("lost", [1, 3, 5])
def test_a_lost_answer_doubles_neither_a_run_nor_a_point(mirrored: MirroredJobs, lost: int) -> None:
    mirrored.change(state="succeeded", finished_at=mirrored.clock.now)
    mirrored.measure(loss={step: 1 / step for step in range(1, 2_501)})
    mirrored.mlflow.lose_answers = lost
    for _ in range(lost):
        with pytest.raises(MlflowAway):
            mirrored.update()
    mirrored.update()
    assert len(mirrored.mlflow.runs) == 1
    assert mirrored.mlflow.points(JOB, "loss") == [(step, 1 / step) for step in range(1, 2_501)]
    assert mirrored.mlflow.run_of(JOB)["status"] == "FINISHED"


def test_a_server_that_was_killed_leaves_its_run_to_the_next_after_its_lease(
    mirrored: MirroredJobs,
) -> None:
    mirrored.change()
    with mirrored.database.write() as tx:
        held = {"job_id": JOB, "leased_until": mirrored.clock.now + timedelta(seconds=300)}
        free = {"version": 0, "ended": False, "tries": 0, "next_try_at": mirrored.clock.now}
        tx.execute(mlflow_runs.insert().values(**held, **free))
    mirrored.update()
    assert mirrored.mlflow.runs == {}
    mirrored.clock.advance(timedelta(seconds=301))
    mirrored.update()
    assert len(mirrored.mlflow.runs) == 1


def test_a_run_that_a_killed_server_had_made_is_found_again(mirrored: MirroredJobs) -> None:
    mirrored.change()
    mirrored.update()
    with mirrored.database.write() as tx:
        tx.execute(update(mlflow_runs).values(run_id=None, version=0))
    mirrored.update()
    assert len(mirrored.mlflow.runs) == 1
    assert mirrored.row.run_id in mirrored.mlflow.runs


def test_what_mlflow_refuses_is_tried_ever_later_and_holds_up_no_other_job(
    mirrored: MirroredJobs,
) -> None:
    mirrored.change("job_1", name="refused")
    mirrored.change("job_2")
    mirrored.mlflow.refuse = lambda _, body: (
        (400, "INVALID_PARAMETER_VALUE") if body.get("run_name") == "refused" else None
    )
    mirrored.mirror.add_jobs(newest_only=False)
    with pytest.raises(MlflowRefused, match="INVALID_PARAMETER_VALUE: as the test says"):
        mirrored.mirror.update_next()
    mirrored.update()
    assert [run["tags"]["trainyard.job_id"] for run in mirrored.mlflow.runs.values()] == ["job_2"]
    mirrored.clock.advance(timedelta(seconds=11))
    with pytest.raises(MlflowRefused):
        mirrored.mirror.update_next()
    mirrored.clock.advance(timedelta(seconds=11))
    assert not mirrored.mirror.update_next()
    mirrored.mlflow.refuse = lambda *_: None
    mirrored.clock.advance(timedelta(seconds=10))
    mirrored.update()
    assert len(mirrored.mlflow.runs) == 2


def test_an_mlflow_that_is_down_is_away_and_gets_everything_when_it_is_back(
    mirrored: MirroredJobs,
) -> None:
    mirrored.change()
    mirrored.mlflow.stop()
    with pytest.raises(MlflowAway, match="does not answer"):
        mirrored.update()
    mirrored.mlflow.start()
    mirrored.update()
    assert len(mirrored.mlflow.runs) == 1


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, "UNAUTHENTICATED", "correct TRAINYARD_MLFLOW_TOKEN"),
        (404, "", "is no MLflow: correct TRAINYARD_MLFLOW_URI"),
        (429, "REQUEST_LIMIT_EXCEEDED", "answers 429"),
    ],
)
def test_what_is_wrong_for_every_job_is_tried_with_one_job_alone(
    mirrored: MirroredJobs,
    status: int,
    code: str,
    message: str,
) -> None:
    mirrored.change("job_1")
    mirrored.change("job_2")
    mirrored.mlflow.refuse = lambda *_: (status, code)
    with pytest.raises(MlflowAway, match=message):
        mirrored.update()
    assert len(mirrored.mlflow.calls) == 1
    mirrored.mlflow.refuse = lambda *_: None
    mirrored.update()
    assert len(mirrored.mlflow.runs) == 2


def test_an_experiment_that_is_deleted_in_mlflow_is_told(mirrored: MirroredJobs) -> None:
    mirrored.change()
    mirrored.mlflow.experiments["shufflenets"], mirrored.mlflow.stage = "7", "deleted"
    with pytest.raises(MlflowAway, match="restore it, or name another one"):
        mirrored.update()
    assert mirrored.mlflow.runs == {}


def test_two_servers_over_one_database_make_one_run_a_job_and_send_each_point_once(
    mirrored: MirroredJobs,
) -> None:
    ids = [f"job_{number}" for number in range(12)]
    for job_id in ids:
        mirrored.change(job_id, state="succeeded", finished_at=mirrored.clock.now)
        mirrored.measure(job_id, loss={1: 0.5, 2: 0.25})
    apis = [MlflowApi(mirrored.mlflow.url, None) for _ in range(4)]
    with ThreadPoolExecutor() as servers:
        list(servers.map(update_all, [mirrored.another(api) for api in apis]))
    update_all(mirrored.another(apis[0]))
    for api in apis:
        api.close()
    assert sorted(
        run["tags"]["trainyard.job_id"] for run in mirrored.mlflow.runs.values()
    ) == sorted(ids)
    assert all(mirrored.mlflow.points(job_id, "loss") == [(1, 0.5), (2, 0.25)] for job_id in ids)
