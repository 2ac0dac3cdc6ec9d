"""Jobs in MLflow: one run for each, with what it is, what it measured and how it ended."""

import math
from datetime import timedelta

import pytest
from sqlalchemy import select

from api_tests.support.mirrored_jobs import JOB, MirroredJobs
from service.store.mlflow_tables import mlflow_runs
from service.store.tables import jobs


def test_a_running_job_is_a_run_with_its_parameters_tags_and_points(mirrored: MirroredJobs) -> None:
    labels = {"team": "vision", "old": "x"}
    mirrored.change(name="first run", labels=labels, submitted_by="ann")
    seconds = mirrored.clock.now.timestamp()
    mirrored.measure(loss={20: 0.5, 40: 0.25}, time={20: seconds + 1, 40: seconds + 3})
    mirrored.update()
    run = mirrored.mlflow.run_of(JOB)
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
    assert mirrored.mlflow.points(JOB, "loss") == [(20, 0.5), (40, 0.25)]
    assert [point["timestamp"] for point in run["metrics"]] == [
        int(seconds * 1000) + 1000,
        int(seconds * 1000) + 3000,
    ]
    assert mirrored.mlflow.experiments.keys() == {"shufflenets"}
    assert {each["authorization"] for each in mirrored.mlflow.headers} == {"Bearer s3cret"}
    mirrored.measure(loss={60: 0.125}, val_loss={40: 1.0})
    mirrored.change(
        name="renamed",
        labels={"team": "audio"},
        state="succeeded",
        finished_at=mirrored.clock.now + timedelta(minutes=5),
    )
    mirrored.update()
    assert mirrored.mlflow.points(JOB, "loss") == [(20, 0.5), (40, 0.25), (60, 0.125)]
    assert mirrored.mlflow.points(JOB, "val_loss") == [(40, 1.0)]
    assert (run["status"], run["end_time"]) == ("FINISHED", int(seconds * 1000) + 300_000)
    assert (run["tags"]["mlflow.runName"], run["tags"]["label.team"]) == ("renamed", "audio")
    assert "label.old" not in run["tags"]
    calls = len(mirrored.mlflow.calls)
    mirrored.update()
    assert len(mirrored.mlflow.calls) == calls


def test_a_resumed_attempt_adds_only_what_comes_after_the_last_step(mirrored: MirroredJobs) -> None:
    mirrored.change()
    mirrored.measure(loss={20: 0.5, 40: 0.4, 60: 0.3})
    mirrored.update()
    mirrored.measure(loss={40: 0.41, 60: 0.31, 80: 0.2})
    mirrored.update()
    assert mirrored.mlflow.points(JOB, "loss") == [(20, 0.5), (40, 0.4), (60, 0.3), (80, 0.2)]


def test_values_that_are_not_finite_are_sent_in_words(mirrored: MirroredJobs) -> None:
    mirrored.change(result={"top1_error": 0.5, "files": {}, "ok": True}, state="failed")
    mirrored.measure(loss={1: math.inf, 2: -math.inf})
    mirrored.update()
    sent = {(p["key"], p["step"]): p["value"] for p in mirrored.mlflow.run_of(JOB)["metrics"]}
    assert sent == {("loss", 1): "Infinity", ("loss", 2): "-Infinity", ("top1_error", 0): 0.5}
    assert mirrored.mlflow.run_of(JOB)["status"] == "FAILED"


def test_the_run_of_a_deleted_job_ends_and_is_forgotten(mirrored: MirroredJobs) -> None:
    mirrored.change()
    mirrored.update()
    with mirrored.database.write() as tx:
        tx.execute(jobs.delete())
    mirrored.update()
    run = mirrored.mlflow.run_of(JOB)
    assert (run["status"], run["tags"]["trainyard.state"]) == ("KILLED", "deleted")
    with mirrored.database.read() as tx:
        assert tx.execute(select(mlflow_runs)).all() == []


def test_a_run_that_somebody_deletes_in_mlflow_is_left_alone(mirrored: MirroredJobs) -> None:
    mirrored.change()
    mirrored.update()
    mirrored.mlflow.run_of(JOB)["stage"] = "deleted"
    mirrored.measure(loss={20: 0.5})
    mirrored.update()
    assert mirrored.mlflow.run_of(JOB)["metrics"] == []
    assert mirrored.row.error == "its run was deleted in MLflow"


def test_a_queued_job_and_one_of_another_kind_have_no_run(mirrored: MirroredJobs) -> None:
    mirrored.change(started_at=None, state="queued")
    mirrored.change("job_2", kind="export")
    mirrored.update()
    assert mirrored.mlflow.runs == {}
    mirrored.change()
    mirrored.update()
    assert len(mirrored.mlflow.runs) == 1


def test_a_search_is_a_run_and_those_that_measure_for_it_are_none(mirrored: MirroredJobs) -> None:
    spec = {
        "kind": "search",
        "recipe": "supernet",
        "variant": "oneshot",
        "data": {"dataset": "digits"},
        "checkpoint": {"id": "ckpt_1"},
        "params": {"generations": 7, "fitness": "loss"},
    }
    labels = {"team": "vision"}
    mirrored.change(kind="search", spec=spec, recipe="supernet", variant="oneshot", labels=labels)
    mirrored.change("job_2", kind="search", spec=spec, part_of=JOB)
    mirrored.change("job_3", labels={"part_of": "a whole"})
    mirrored.measure(best_loss={16: 0.5, 32: 0.25}, median_loss={16: 1.0, 32: 0.75})
    mirrored.update()
    run = mirrored.mlflow.run_of(JOB)
    assert run["params"].items() >= {"generations": "7", "fitness": "loss"}.items()
    assert mirrored.mlflow.points(JOB, "best_loss") == [(16, 0.5), (32, 0.25)]
    assert mirrored.mlflow.points(JOB, "median_loss") == [(16, 1.0), (32, 0.75)]
    shown = {each["tags"]["trainyard.job_id"] for each in mirrored.mlflow.runs.values()}
    assert shown == {JOB, "job_3"}


def test_a_long_series_is_sent_in_batches_that_mlflow_takes(
    mirrored: MirroredJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.control.mlflow.mirror._AT_ONCE", 2_000)
    mirrored.change()
    points = {step: float(step) for step in range(5_000)}
    mirrored.measure(loss=points)
    mirrored.update()
    assert mirrored.mlflow.points(JOB, "loss") == list(points.items())
