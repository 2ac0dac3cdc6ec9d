"""From `POST /jobs` to `GET /checkpoints/latest`, over real processes and real HTTP."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.event_files import points_of, read_run, runs_in
from api_tests.support.installation import PARAMS, SHORT, TRAIN, Installation, rank_of, until
from service.contract.checkpoints import tensorboard_path


def test_a_job_is_trained_its_checkpoint_is_the_latest_and_an_eval_agrees(
    installation: Installation, tmp_path: Path
) -> None:
    installation.start_worker()
    client = installation.client
    trained = client.wait(client.submit(TRAIN).id, timeout_seconds=90)
    assert (trained.state, trained.reason) == ("succeeded", "finished")
    latest = client.latest_checkpoint()
    assert (latest.job_id, latest.phase, latest.step) == (trained.id, "final", 44)
    assert trained.latest_checkpoint == latest.id
    weights = client.download(latest.id, "model.safetensors", tmp_path / "weights")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert digest == latest.files["model.safetensors"].sha256

    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": {"dataset": "digits"},
        "params": {"image_size": 32},
        "checkpoint": {"job": trained.id},
    }
    evaluated = client.wait(client.submit(spec).id, timeout_seconds=60)
    assert evaluated.state == "succeeded", evaluated.message
    assert evaluated.result is not None
    assert trained.result is not None
    for name in ("loss", "top1_error", "top5_error", "samples"):
        assert evaluated.result[name] == trained.result[name]
    matrix = client.download_of_job(evaluated, "confusion_matrix.csv", tmp_path / "matrix.csv")
    counts = [line.split(",")[1:] for line in matrix.read_text().splitlines()[1:]]
    assert sum(int(cell) for row in counts for cell in row) == 360

    (run,) = runs_in(installation.volume / tensorboard_path(evaluated.id))
    assert read_run(run).Images("confusion_matrix")[0].width == 320
    expected = [(0, pytest.approx(evaluated.result["top1_error"]))]
    assert points_of(run, "top1_error/validation") == expected

    series = client.metrics(trained.id, ["loss", "top1_error"])
    assert [step for step, _ in series["loss"]] == list(range(5, 41, 5))
    assert "step 40/" in client.logs(trained.id).text
    kinds = Counter(event.kind for event in client.events(trained.id))
    assert kinds["submitted"] == kinds["claimed"] == kinds["started"] == kinds["succeeded"] == 1


def test_retention_keeps_the_newest_the_best_and_the_final(installation: Installation) -> None:
    installation.start_worker()
    client = installation.client
    spec = TRAIN | {"retention": {"keep_last": 2, "keep_best": 1}}
    job = client.wait(client.submit(spec).id, timeout_seconds=90)
    states = {c.step: c.state for c in client.checkpoints(job=job.id) if c.phase != "final"}
    assert states[40] == states[35] == "published"
    gone = [step for step, state in states.items() if state != "published"]
    assert set(gone) >= {5, 10}
    folders = {path.name for path in (installation.volume / "jobs" / job.id).glob("attempts/*/*-*")}
    assert {"step-000000035", "step-000000040", "final-000000044"} <= folders
    assert "step-000000005" not in folders


def test_a_queued_job_is_cancelled_at_once(installation: Installation) -> None:
    job = installation.client.submit(TRAIN)
    assert installation.client.cancel(job.id).state == "cancelled"
    assert installation.client.job(job.id).attempt == 0


def test_a_running_job_that_is_cancelled_saves_first_and_leaves_no_process(
    installation: Installation,
) -> None:
    worker = installation.start_worker()
    client = installation.client
    job = client.submit(TRAIN | {"params": PARAMS | {"total_iters": 5000, "save_interval": 2000}})
    rank = rank_of(worker)
    until(lambda: client.job(job.id).progress.step >= 5)
    assert client.cancel(job.id).state in ("cancelling", "cancelled")
    ended = client.wait(job.id, timeout_seconds=30)
    assert (ended.state, ended.reason) == ("cancelled", "cancelled")
    assert not rank.is_running()
    assert client.latest_checkpoint(job=job.id).step >= 5
    # The worker is free for the next one.
    short = TRAIN | {"params": PARAMS | SHORT}
    assert client.wait(client.submit(short).id, timeout_seconds=60).state == "succeeded"


def test_two_workers_share_twenty_jobs_and_each_runs_once(installation: Installation) -> None:
    client = installation.client
    spec = TRAIN | {"params": PARAMS | SHORT}
    jobs = [client.submit(spec).id for _ in range(20)]
    installation.start_worker()
    installation.start_worker()
    hosts: Counter[str] = Counter()
    for job_id in jobs:
        job = client.wait(job_id, timeout_seconds=120)
        assert (job.state, job.attempt) == ("succeeded", 1), job.message
        started = [event for event in client.events(job_id) if event.kind == "started"]
        assert len(started) == 1
        folders = list((installation.volume / "jobs" / job_id / "attempts").iterdir())
        assert [folder.name for folder in folders] == ["1"]
        hosts[_worker_of(client, job_id)] += 1
    assert len(hosts) == 2, "one worker did it all"


def test_jobs_that_cannot_run_fail_with_what_to_change_and_the_worker_goes_on(
    installation: Installation,
) -> None:
    client = installation.client
    folder = installation.folder / "data" / "photos"
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (folder / split / name).mkdir(parents=True)
            (folder / split / name / "one.png").write_bytes(b"not a picture")
    data = {"train_dir": "photos/train", "val_dir": "photos/val"}
    few = TRAIN | {"data": data}
    unreadable = TRAIN | {"data": data, "params": PARAMS | {"batch_size": 2}}
    missing = TRAIN | {"data": {"train_dir": "nowhere", "val_dir": "nowhere"}}
    bad = [client.submit(spec).id for spec in (few, unreadable, missing)]
    good = client.submit(TRAIN | {"params": PARAMS | SHORT}).id
    installation.start_worker()
    assert client.wait(good, timeout_seconds=90).state == "succeeded"
    ended = [client.job(job_id) for job_id in bad]
    assert [(job.state, job.reason) for job in ended] == [("failed", "invalid_data")] * 3
    assert "use at most 2" in str(ended[0].message)
    assert "/one.png (train split) is not a readable image" in str(ended[1].message)
    assert "nowhere" in str(ended[2].message)


def _worker_of(client: Any, job_id: str) -> str:
    (attempt,) = client.attempts(job_id)
    return str(attempt.worker_id)
