"""Checkpoints that attempts report: which are recorded, and which are not their own."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import DIGEST, a_manifest, published_body
from api_tests.support.use_cases import ControlPlane


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        ({"num_classes": 0, "class_names": []}, "it has no classes"),
        ({"num_classes": 3, "class_names": ["cat", "dog"]}, "3 classes and 2 class names"),
    ],
)
def test_a_checkpoint_whose_classes_contradict_each_other_is_not_indexed(
    control_plane: ControlPlane, agent: Agent, classes: dict[str, Any], problem: str
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    manifest = a_manifest(job.id, 4, attempt=claim.attempt, **classes)
    agent.beat(claim, an_event(1, "checkpoint", **published_body(manifest)))
    (note,) = control_plane.events_of(job, "note")
    assert problem in note.message
    assert control_plane.checkpoints_of(job) == {}


def test_a_checkpoint_is_recorded_once_and_becomes_the_latest(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim, manifest = agent.claimed(), a_manifest(job.id, 10, metrics={"top1_error": 0.3})
    agent.beat(claim, an_event(1, "checkpoint", **published_body(manifest)))
    agent.beat(claim, an_event(2, "checkpoint", **published_body(manifest)))
    (recorded,) = control_plane.checkpoints_of(job).values()
    assert (recorded.id, recorded.state) == (manifest.checkpoint_id, "published")
    assert (recorded.bytes, recorded.metrics) == (DIGEST["bytes"], {"top1_error": 0.3})
    shown = control_plane.job(job)
    assert shown.latest_checkpoint == shown.best_checkpoint == recorded.id
    assert len(control_plane.events_of(job, "checkpoint")) == 1


def test_a_training_that_ends_before_it_told_of_its_progress_is_at_its_checkpoints_step(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim, manifest = agent.claimed(), a_manifest(job.id, 5)
    started = an_event(1, "started", step=0, total_steps=20, resumed_from=None)
    agent.beat(claim, started, an_event(2, "checkpoint", **published_body(manifest)))
    shown = control_plane.job(job).progress
    assert (shown.step, shown.total_steps, shown.fraction) == (5, 20, 0.25)
    agent.beat(claim, an_event(3, "progress", step=9, total_steps=20, phase="train"))
    earlier = a_manifest(job.id, 8)
    agent.beat(claim, an_event(4, "checkpoint", **published_body(earlier)))
    assert control_plane.job(job).progress.step == 9


def test_a_checkpoint_with_a_metric_that_is_no_number_is_still_recorded(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    body = published_body(a_manifest(job.id, 10))
    body["checkpoint"]["metrics"] = {"val_loss": None, "top1_error": 0.5}
    agent.beat(agent.claimed(), an_event(1, "checkpoint", **body))
    assert control_plane.checkpoints_of(job)[10].metrics == {"top1_error": 0.5}


def test_a_workers_clock_that_runs_ahead_does_not_stay_the_newest(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    ahead = a_manifest(job.id, 10, created_at=control_plane.now.replace(year=2040))
    agent.beat(agent.claimed(), an_event(1, "checkpoint", **published_body(ahead)))
    assert control_plane.checkpoints_of(job)[10].created_at == control_plane.now


@pytest.mark.parametrize(
    "wrong",
    [
        {"job_id": "job_other"},
        {"attempt": 2},
        {"variant": "another"},
        {"recipe": "shufflenet_v2"},
        {"files": {"../../escape": DIGEST}},
        {"files": {"model.safetensors": {"bytes": 1, "sha256": "no digest"}}},
        {"checkpoint_id": "c" * 65},
        {"created_at": "2026-01-01T00:00:00"},
    ],
)
def test_a_checkpoint_that_is_not_the_attempts_own_is_not_recorded(
    control_plane: ControlPlane, agent: Agent, wrong: dict[str, Any]
) -> None:
    job = control_plane.submit()
    body = published_body(a_manifest(job.id, 10))
    body["checkpoint"] |= wrong
    agent.beat(agent.claimed(), an_event(1, "checkpoint", **body))
    assert control_plane.checkpoints_of(job) == {}
    assert len(control_plane.events_of(job, "note")) == 1


def test_a_training_tells_of_no_earlier_attempts_checkpoint(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.report(agent.claimed(), "released", "released")
    agent.beat(agent.claimed(), an_event(1, "checkpoint", **published_body(a_manifest(job.id, 10))))
    assert control_plane.checkpoints_of(job) == {}


@pytest.mark.parametrize("path", ["/etc", "jobs/../../etc", "jobs/job_0001/attempts/2/step-1"])
def test_a_checkpoint_in_another_folder_than_its_own_is_not_recorded(
    control_plane: ControlPlane, agent: Agent, path: str
) -> None:
    job = control_plane.submit()
    body = published_body(a_manifest(job.id, 10)) | {"path": path}
    agent.beat(agent.claimed(), an_event(1, "checkpoint", **body))
    assert control_plane.checkpoints_of(job) == {}
