"""What a job says may be done with it, against what the use cases accept."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.jobs_of_kinds import in_state, job_of_kind
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.offered_actions import action_names, changes, offered, retried
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import JobState
from service.control.checkpoints import index
from service.control.jobs import actions, edits

KINDS = ["train", "eval", "import", "export"]
MODES = {
    "queued": (),
    "running": ("graceful", "now"),
    "pausing": ("graceful", "now"),
    "paused": (),
    "cancelling": ("now",),
}


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("kind", KINDS)
def test_an_action_is_offered_exactly_where_it_is_accepted(
    control_plane: ControlPlane, agent: Agent, kind: str, state: JobState
) -> None:
    job = in_state(control_plane, job_of_kind(control_plane, agent, kind), state)
    verbs: dict[str, Callable[[Connection], Any]] = {
        "cancel": lambda tx: actions.cancel(tx, job.id, mode="now", now=control_plane.now),
        "pause": lambda tx: actions.pause(tx, job.id, control_plane.now),
        "resume": lambda tx: actions.resume(tx, job.id, control_plane.now),
        "retry": lambda tx: retried(control_plane, tx, job, "start"),
        "delete": lambda tx: edits.delete(tx, job.id),
    }
    accepted = {name for name, verb in verbs.items() if changes(control_plane, job, verb)}
    assert action_names(job) & set(verbs) == accepted


@pytest.mark.parametrize("state", list(JobState))
def test_a_cancel_names_the_modes_that_make_a_difference(
    control_plane: ControlPlane, state: JobState
) -> None:
    job = in_state(control_plane, control_plane.submit(), state)
    cancels = [action.choices for action in job.actions if action.name == "cancel"]
    modes = MODES.get(state)
    expected = [] if modes is None else [{"mode": modes} if modes else {}]
    assert cancels == expected


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_made_of_a_checkpoint_is_offered_while_there_is_one(
    control_plane: ControlPlane, agent: Agent, kind: str
) -> None:
    uses = {"evaluate", "fine_tune", "export"}
    job = job_of_kind(control_plane, agent, kind)
    assert action_names(job) & uses == set()
    if kind in ("train", "import"):
        saved = a_manifest(job.id, 10)
        agent.beat(agent.claimed(), an_event(1, "checkpoint", **published_body(saved)))
        job = control_plane.job(job)
        assert action_names(job) & uses == uses
        assert offered(job, "export").path == f"/checkpoints/{saved.checkpoint_id}/export"
        assert offered(job, "evaluate").needs == (() if kind == "train" else ("data",))


def test_a_longer_training_is_offered_of_one_that_has_succeeded_and_kept_a_state(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(params={"batch_size": 32, "total_iters": 50})
    saved, final = a_manifest(job.id, 50), a_manifest(job.id, 50, phase="final")
    events = [
        an_event(seq, "checkpoint", **published_body(manifest))
        for seq, manifest in enumerate((saved, final), start=1)
    ]
    claim = agent.claimed()
    agent.beat(claim, *events)
    assert "train_longer" not in action_names(control_plane.job(job))
    agent.report(claim, "succeeded", "finished")
    job = control_plane.job(job)
    longer = offered(job, "train_longer")
    assert longer.body["init_from"] == {"id": saved.checkpoint_id, "state": "full"}
    assert longer.needs == ("params",)
    params = {"batch_size": 32, "total_iters": 60}
    control_plane.cancel(control_plane.submit(**longer.body, params=params))
    with control_plane.write() as tx:
        index.request_delete(tx, saved.checkpoint_id)
    assert "train_longer" not in action_names(control_plane.job(job))


@pytest.mark.parametrize("kind", ["eval", "import", "export"])
def test_what_does_not_train_is_not_trained_longer(
    control_plane: ControlPlane, agent: Agent, kind: str
) -> None:
    job = in_state(control_plane, job_of_kind(control_plane, agent, kind), JobState.SUCCEEDED)
    assert "train_longer" not in action_names(job)


def test_the_version_changes_with_what_may_be_done(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(params={"batch_size": 32, "total_iters": 50})
    claim = agent.claimed()
    saved, final = a_manifest(job.id, 10), a_manifest(job.id, 50, phase="final")
    events = [
        an_event(seq, "checkpoint", **published_body(manifest))
        for seq, manifest in enumerate((saved, final), start=1)
    ]
    agent.report(claim, "failed", "invalid_data", events=tuple(events))
    before = control_plane.job(job)
    with control_plane.write() as tx:
        index.request_delete(tx, saved.checkpoint_id)
    after = control_plane.job(job)
    assert after.latest_checkpoint == before.latest_checkpoint
    assert offered(before, "retry") != offered(after, "retry")
    assert after.version > before.version
