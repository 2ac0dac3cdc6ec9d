"""Rows of workers and checkpoints, and events, of another version, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim, ReportedEvent
from service.contract.jobs import JobState
from service.control.checkpoints import lineage
from service.control.jobs import views
from service.control.leases import workers as workers_control
from service.store.checkpoint_tables import checkpoints
from service.store.tables import workers


def published(claim: Claim, step: int, **fields: Any) -> ReportedEvent:
    """The event of a checkpoint whose manifest has more `fields`."""
    body = published_body(a_manifest(claim.job_id, step, attempt=claim.attempt))
    return an_event(step, "checkpoint", **body | {"checkpoint": body["checkpoint"] | fields})


@pytest.mark.parametrize(
    "columns",
    [
        {"gpus": [{"index": 0, "name": "B200", "memory_bytes": 1, "mig": True}]},
        {"gpus": ["B200"]},
        {"process": {"boot_id": "boot", "pid_namespace": "pid:[1]", "cgroup": "x"}},
        {"process": []},
        {"state": "hibernating"},
    ],
    ids=repr,
)
def test_a_workers_row_of_another_version_stops_no_list_and_no_claim(
    control_plane: ControlPlane, new_agent: Callable[..., Agent], columns: dict[str, Any]
) -> None:
    odd, agent = new_agent(), new_agent()
    with control_plane.write() as tx:
        tx.execute(sa.update(workers).where(workers.c.id == odd.id).values(**columns))
    wide, job = control_plane.submit(resources={"gpus": 1}), control_plane.submit()
    assert agent.claimed().job_id == job.id
    assert control_plane.job(wide).queue_position == 1
    agent.register()
    control_plane.sweep()
    with control_plane.database.read() as tx:
        shown = {each.id: each.model_dump(mode="json") for each in workers_control.present(tx)}
    assert agent.id in shown
    if "gpus" in columns:
        assert len(shown[odd.id]["gpus"]) == 1


@pytest.mark.parametrize("manifest", [[], {}, {"files": {"a": {"blake3": "1"}}}, {"files": 3}])
def test_a_manifest_in_a_row_that_cannot_be_read_stops_no_list(
    control_plane: ControlPlane, agent: Agent, manifest: Any
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    agent.beat(claim, published(claim, 4))
    with control_plane.write() as tx:
        tx.execute(sa.update(checkpoints).values(manifest=manifest, state="frozen"))
    (checkpoint,) = control_plane.checkpoints_of(job).values()
    assert (checkpoint.files, checkpoint.state) == ({}, "frozen")
    with control_plane.database.read() as tx:
        assert lineage.of(tx, checkpoint.id).checkpoint.state == "frozen"


def test_an_eval_of_a_checkpoint_whose_row_has_no_classes_is_left_to_the_worker(
    control_plane: ControlPlane, agent: Agent
) -> None:
    trained = control_plane.submit()
    claim = agent.claimed()
    agent.beat(claim, published(claim, 4))
    with control_plane.write() as tx:
        tx.execute(sa.update(checkpoints).values(manifest={}))
    (source,) = control_plane.checkpoints_of(trained).values()
    evaluated = control_plane.submit(kind="eval", checkpoint={"id": source.id})
    assert control_plane.job(evaluated).state is JobState.QUEUED


def test_an_unknown_event_is_acknowledged_and_noted_once_and_keeps_no_other_back(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    odd = [an_event(seq, "gradients", norm=1.0) for seq in (1, 2)]
    progress = an_event(3, "progress", phase="train", step=7, total_steps=9, colour="red")
    assert agent.beat(claim, *odd, progress).acked_seq == 3
    assert agent.beat(claim, an_event(4, "gradients")).acked_seq == 4
    assert control_plane.job(job).progress.step == 7
    (note,) = control_plane.events_of(job, "note")
    assert "gradients" in note.message


def test_a_field_of_a_newer_manifest_is_kept_in_the_index(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    agent.beat(claim, published(claim, 4, quantized="int8"))
    (checkpoint,) = control_plane.checkpoints_of(job).values()
    assert checkpoint.manifest is not None
    assert checkpoint.manifest["quantized"] == "int8"


@pytest.mark.parametrize(("outcome", "failures"), [("failed", 1), ("released", 0)])
def test_a_reason_of_a_newer_worker_is_kept_and_decided_by_its_outcome(
    control_plane: ControlPlane, agent: Agent, outcome: str, failures: int
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    for _ in range(2):
        agent.report(claim, outcome, "gpu_fell_off")
    assert control_plane.job(job).state is JobState.QUEUED
    assert control_plane.attempts_of(job)[0].reason == "gpu_fell_off"
    with control_plane.database.read() as tx:
        assert views.stored(tx, job.id).failures == failures
