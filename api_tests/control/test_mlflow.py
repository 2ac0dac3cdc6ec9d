"""Jobs in MLflow: one run for each, each point once, whatever is lost, killed or away."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from api_tests.support.fake_mlflow import FakeMlflow
from api_tests.support.rows import ensure_job
from api_tests.support.server_context import Clock
from service.control.mlflow.mirror import Mirror
from service.control.mlflow.rest_api import MlflowApi, MlflowAway, MlflowRefused
from service.store import series
from service.store.engine import Database
from service.store.mlflow_tables import mlflow_runs
from service.store.tables import jobs

JOB = "job_1"
TIME = "@time"


@pytest.fixture
def mlflow() -> Iterator[FakeMlflow]:
    fake = FakeMlflow()
    yield fake
    fake.gate.set()
    fake.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mirror(database: Database, mlflow: FakeMlflow, clock: Clock) -> Iterator[Mirror]:
    api = MlflowApi(mlflow.url, "s3cret")
    yield _mirror(database, api, clock)
    api.close()


def _mirror(database: Database, api: MlflowApi, clock: Clock) -> Mirror:
    return Mirror(
        database,
        api,
        experiment="shufflenets",
        public_url="https://train.example/yard",
        first_wait_seconds=10,
        now=lambda: clock.now,
    )


def _change(database: Database, clock: Clock, job_id: str = JOB, **values: Any) -> None:
    """A job that has begun, with these columns; its version rises."""
    with database.write() as tx:
        ensure_job(tx, job_id)
        begun = {"started_at": clock.now, "version": jobs.c.version + 1, "state": "running"}
        tx.execute(update(jobs).where(jobs.c.id == job_id).values(**(begun | values)))


def _measure(database: Database, job_id: str = JOB, **points: dict[int, float]) -> None:
    named = [(name, step, value) for name, of in points.items() for step, value in of.items()]
    with database.write() as tx:
        series.add(tx, job_id, [(TIME if n == "time" else n, s, v) for n, s, v in named])
        tx.execute(update(jobs).where(jobs.c.id == job_id).values(version=jobs.c.version + 1))


def _update(mirror: Mirror) -> None:
    while mirror.add_jobs(newest_only=False):
        pass
    while mirror.update_next():
        pass


def _row(database: Database) -> Any:
    with database.read() as tx:
        return tx.execute(select(mlflow_runs)).one()


def test_a_running_job_is_a_run_with_its_parameters_tags_and_points(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    labels = {"team": "vision", "old": "x"}
    _change(database, clock, name="first run", labels=labels, submitted_by="ann")
    seconds = clock.now.timestamp()
    _measure(database, loss={20: 0.5, 40: 0.25}, time={20: seconds + 1, 40: seconds + 3})
    _update(mirror)
    run = mlflow.run_of(JOB)
    assert (
        run["tags"].items()
        >= {
            "mlflow.runName": "first run",
            "mlflow.user": "ann",
            "trainyard.state": "running",
            "trainyard.url": f"https://train.example/yard/#/jobs/{JOB}",
            "label.team": "vision",
        }.items()
    )
    assert run["params"].items() >= {"recipe": "oneshot", "kind": "train"}.items()
    assert (run["status"], run["start_time"]) == ("RUNNING", int(seconds * 1000))
    assert mlflow.points(JOB, "loss") == [(20, 0.5), (40, 0.25)]
    assert [point["timestamp"] for point in run["metrics"]] == [
        int(seconds * 1000) + 1000,
        int(seconds * 1000) + 3000,
    ]
    assert mlflow.experiments.keys() == {"shufflenets"}
    assert {each["authorization"] for each in mlflow.headers} == {"Bearer s3cret"}
    _measure(database, loss={60: 0.125}, val_loss={40: 1.0})
    _change(
        database,
        clock,
        name="renamed",
        labels={"team": "audio"},
        state="succeeded",
        finished_at=clock.now + timedelta(minutes=5),
    )
    _update(mirror)
    assert mlflow.points(JOB, "loss") == [(20, 0.5), (40, 0.25), (60, 0.125)]
    assert mlflow.points(JOB, "val_loss") == [(40, 1.0)]
    assert (run["status"], run["end_time"]) == ("FINISHED", int(seconds * 1000) + 300_000)
    assert (run["tags"]["mlflow.runName"], run["tags"]["label.team"]) == ("renamed", "audio")
    assert "label.old" not in run["tags"]
    calls = len(mlflow.calls)
    _update(mirror)
    assert len(mlflow.calls) == calls


@pytest.mark.parametrize("lost", [1, 3, 5])
def test_a_lost_answer_doubles_neither_a_run_nor_a_point(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock, lost: int
) -> None:
    _change(database, clock, state="succeeded", finished_at=clock.now)
    _measure(database, loss={step: 1 / step for step in range(1, 2_501)})
    mlflow.lose_answers = lost
    for _ in range(lost):
        with pytest.raises(MlflowAway):
            _update(mirror)
    _update(mirror)
    assert len(mlflow.runs) == 1
    assert mlflow.points(JOB, "loss") == [(step, 1 / step) for step in range(1, 2_501)]
    assert mlflow.run_of(JOB)["status"] == "FINISHED"


def test_a_resumed_attempt_adds_only_what_comes_after_the_last_step(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock)
    _measure(database, loss={20: 0.5, 40: 0.4, 60: 0.3})
    _update(mirror)
    _measure(database, loss={40: 0.41, 60: 0.31, 80: 0.2})
    _update(mirror)
    assert mlflow.points(JOB, "loss") == [(20, 0.5), (40, 0.4), (60, 0.3), (80, 0.2)]


def test_a_server_that_was_killed_leaves_its_run_to_the_next_after_its_lease(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock)
    with database.write() as tx:
        held = {"job_id": JOB, "leased_until": clock.now + timedelta(seconds=300)}
        free = {"version": 0, "ended": False, "tries": 0, "next_try_at": clock.now}
        tx.execute(mlflow_runs.insert().values(**held, **free))
    _update(mirror)
    assert mlflow.runs == {}
    clock.advance(timedelta(seconds=301))
    _update(mirror)
    assert len(mlflow.runs) == 1


def test_a_run_that_a_killed_server_had_made_is_found_again(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock)
    _update(mirror)
    with database.write() as tx:
        tx.execute(update(mlflow_runs).values(run_id=None, version=0))
    _update(mirror)
    assert len(mlflow.runs) == 1
    assert _row(database).run_id in mlflow.runs


def test_values_that_are_not_finite_are_sent_in_words(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock, result={"top1_error": 0.5, "files": {}, "ok": True}, state="failed")
    _measure(database, loss={1: math.inf, 2: -math.inf})
    _update(mirror)
    sent = {(p["key"], p["step"]): p["value"] for p in mlflow.run_of(JOB)["metrics"]}
    assert sent == {("loss", 1): "Infinity", ("loss", 2): "-Infinity", ("top1_error", 0): 0.5}
    assert mlflow.run_of(JOB)["status"] == "FAILED"


def test_what_mlflow_refuses_is_tried_ever_later_and_holds_up_no_other_job(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock, "job_1", name="refused")
    _change(database, clock, "job_2")
    mlflow.refuse = lambda _, body: (
        (400, "INVALID_PARAMETER_VALUE") if body.get("run_name") == "refused" else None
    )
    mirror.add_jobs(newest_only=False)
    with pytest.raises(MlflowRefused, match="INVALID_PARAMETER_VALUE: as the test says"):
        mirror.update_next()
    _update(mirror)
    assert [run["tags"]["trainyard.job_id"] for run in mlflow.runs.values()] == ["job_2"]
    clock.advance(timedelta(seconds=11))
    with pytest.raises(MlflowRefused):
        mirror.update_next()
    clock.advance(timedelta(seconds=11))
    assert not mirror.update_next()
    mlflow.refuse = lambda *_: None
    clock.advance(timedelta(seconds=10))
    _update(mirror)
    assert len(mlflow.runs) == 2


def test_an_mlflow_that_is_down_is_away_and_gets_everything_when_it_is_back(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock)
    mlflow.stop()
    with pytest.raises(MlflowAway, match="does not answer"):
        _update(mirror)
    mlflow.start()
    _update(mirror)
    assert len(mlflow.runs) == 1


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, "UNAUTHENTICATED", "correct TRAINYARD_MLFLOW_TOKEN"),
        (404, "", "is no MLflow: correct TRAINYARD_MLFLOW_URI"),
        (429, "REQUEST_LIMIT_EXCEEDED", "answers 429"),
    ],
)
def test_what_is_wrong_for_every_job_is_tried_with_one_job_alone(
    database: Database,
    mlflow: FakeMlflow,
    mirror: Mirror,
    clock: Clock,
    status: int,
    code: str,
    message: str,
) -> None:
    _change(database, clock, "job_1")
    _change(database, clock, "job_2")
    mlflow.refuse = lambda *_: (status, code)
    with pytest.raises(MlflowAway, match=message):
        _update(mirror)
    assert len(mlflow.calls) == 1
    mlflow.refuse = lambda *_: None
    _update(mirror)
    assert len(mlflow.runs) == 2


def test_an_experiment_that_is_deleted_in_mlflow_is_told(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock)
    mlflow.experiments["shufflenets"], mlflow.stage = "7", "deleted"
    with pytest.raises(MlflowAway, match="restore it, or name another one"):
        _update(mirror)
    assert mlflow.runs == {}


def test_the_run_of_a_deleted_job_ends_and_is_forgotten(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock)
    _update(mirror)
    with database.write() as tx:
        tx.execute(jobs.delete())
    _update(mirror)
    run = mlflow.run_of(JOB)
    assert (run["status"], run["tags"]["trainyard.state"]) == ("KILLED", "deleted")
    with database.read() as tx:
        assert tx.execute(select(mlflow_runs)).all() == []


def test_a_run_that_somebody_deletes_in_mlflow_is_left_alone(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock)
    _update(mirror)
    mlflow.run_of(JOB)["stage"] = "deleted"
    _measure(database, loss={20: 0.5})
    _update(mirror)
    assert mlflow.run_of(JOB)["metrics"] == []
    assert _row(database).error == "its run was deleted in MLflow"


def test_a_queued_job_and_one_of_another_kind_have_no_run(
    database: Database, mlflow: FakeMlflow, mirror: Mirror, clock: Clock
) -> None:
    _change(database, clock, started_at=None, state="queued")
    _change(database, clock, "job_2", kind="export")
    _update(mirror)
    assert mlflow.runs == {}
    _change(database, clock)
    _update(mirror)
    assert len(mlflow.runs) == 1


def test_a_long_series_is_sent_in_batches_that_mlflow_takes(
    database: Database,
    mlflow: FakeMlflow,
    mirror: Mirror,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.control.mlflow.mirror._AT_ONCE", 2_000)
    _change(database, clock)
    points = {step: float(step) for step in range(5_000)}
    _measure(database, loss=points)
    _update(mirror)
    assert mlflow.points(JOB, "loss") == list(points.items())


def test_two_servers_over_one_database_make_one_run_a_job_and_send_each_point_once(
    database: Database, mlflow: FakeMlflow, clock: Clock
) -> None:
    ids = [f"job_{number}" for number in range(12)]
    for job_id in ids:
        _change(database, clock, job_id, state="succeeded", finished_at=clock.now)
        _measure(database, job_id, loss={1: 0.5, 2: 0.25})
    apis = [MlflowApi(mlflow.url, None) for _ in range(4)]
    with ThreadPoolExecutor() as servers:
        list(servers.map(_update, [_mirror(database, api, clock) for api in apis]))
    _update(_mirror(database, apis[0], clock))
    for api in apis:
        api.close()
    assert sorted(run["tags"]["trainyard.job_id"] for run in mlflow.runs.values()) == sorted(ids)
    assert all(mlflow.points(job_id, "loss") == [(1, 0.5), (2, 0.25)] for job_id in ids)
