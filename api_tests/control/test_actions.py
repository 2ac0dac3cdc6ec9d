"""What a job says may be done with it, against what the use cases accept."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from api_tests.support.job_lists import newest_jobs
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import Agent, ControlPlane, an_event
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.jobs import Job, JobState
from service.control.checkpoints import index
from service.control.jobs import actions, edits, import_export, retries
from service.domain.errors import Conflict, Unprocessable
from service.store import jobs as store
from service.store.checkpoint_tables import checkpoints

KINDS = ["train", "eval", "import", "export"]
MODES = {
    "queued": (),
    "running": ("graceful", "now"),
    "pausing": ("graceful", "now"),
    "paused": (),
    "cancelling": ("now",),
}


class RolledBack(Exception):
    """Ends a transaction that only asks whether something would be accepted."""


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("kind", KINDS)
def test_an_action_is_offered_exactly_where_it_is_accepted(
    control_plane: ControlPlane, agent: Agent, kind: str, state: JobState
) -> None:
    job = in_state(control_plane, a_job(control_plane, agent, kind), state)
    verbs: dict[str, Callable[[Connection], Any]] = {
        "cancel": lambda tx: actions.cancel(tx, job.id, mode="now", now=control_plane.now),
        "pause": lambda tx: actions.pause(tx, job.id, control_plane.now),
        "resume": lambda tx: actions.resume(tx, job.id, control_plane.now),
        "retry": lambda tx: retried(control_plane, tx, job, "start"),
        "delete": lambda tx: edits.delete(tx, job.id),
    }
    accepted = {name for name, verb in verbs.items() if changes(control_plane, job, verb)}
    assert names(job) & set(verbs) == accepted


@pytest.mark.parametrize("state", list(JobState))
def test_a_cancel_names_the_modes_that_make_a_difference(
    control_plane: ControlPlane, state: JobState
) -> None:
    job = in_state(control_plane, control_plane.submit(), state)
    cancels = [action.choices for action in job.actions if action.name == "cancel"]
    modes = MODES.get(state)
    expected = [] if modes is None else [{"mode": modes} if modes else {}]
    assert cancels == expected


@pytest.mark.parametrize(
    ("steps", "origins"),
    [((), ("start",)), ((10, 20), ("latest", "start")), ((10, 50), ("latest", "start"))],
)
def test_a_retry_of_a_training_is_offered_from_where_it_can_go_on(
    control_plane: ControlPlane, agent: Agent, steps: tuple[int, ...], origins: tuple[str, ...]
) -> None:
    job = ended(control_plane, agent, *steps)
    assert offered(job, "retry").choices == {"from": origins}
    for origin in ("latest", "start"):
        if origin in origins:
            assert changes(
                control_plane, job, lambda tx, o=origin: retried(control_plane, tx, job, o)
            )
        else:
            with pytest.raises(Unprocessable) as refused:
                control_plane.retry(job, origin)
            assert refused.value.pointer == "/from"


def test_a_retry_that_saved_nothing_may_go_on_from_its_parents_state(
    control_plane: ControlPlane, agent: Agent
) -> None:
    made = control_plane.job_of(control_plane.retry(ended(control_plane, agent, 10)))
    agent.report(agent.claimed(), "failed", "invalid_data")
    assert offered(control_plane.job(made), "retry").choices == {"from": ("latest", "start")}
    control_plane.retry(made)


@pytest.mark.parametrize(
    ("step", "phase", "accepted", "refused"),
    [
        (50, "train", (50, 51), (49,)),
        # A step of the recalibration after 50 iterations.
        (62, "recalibrate", (50, 63), (49, 51, 62)),
    ],
)
def test_a_training_state_is_gone_on_from_unless_it_has_more_iterations(
    control_plane: ControlPlane,
    agent: Agent,
    step: int,
    phase: str,
    accepted: tuple[int, ...],
    refused: tuple[int, ...],
) -> None:
    job = ended(control_plane, agent, step, phase=phase)
    start = {"id": a_manifest(job.id, step, phase=phase).checkpoint_id, "state": "full"}
    for total_iters in refused:
        params = {"batch_size": 32, "total_iters": total_iters}
        with pytest.raises(Unprocessable, match="nothing is left to train") as refusal:
            control_plane.submit(init_from=start, params=params)
        assert refusal.value.pointer == "/params/total_iters"
    for total_iters in accepted:
        params = {"batch_size": 32, "total_iters": total_iters}
        assert control_plane.submit(init_from=start, params=params).state == "queued"


def test_a_job_that_was_cancelled_in_its_recalibration_is_retried_from_there(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(params={"batch_size": 32, "total_iters": 50})
    claim = agent.claimed()
    state = a_manifest(job.id, 62, phase="recalibrate")
    agent.beat(claim, an_event(1, "checkpoint", **published_body(state)))
    control_plane.cancel(job)
    agent.report(claim, "released", "released")
    job = control_plane.job(job)
    assert job.state is JobState.CANCELLED
    assert offered(job, "retry").choices == {"from": ("latest", "start")}
    again = control_plane.job_of(control_plane.retry(job))
    assert again.spec.init_from.id == state.checkpoint_id


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_made_of_a_checkpoint_is_offered_while_there_is_one(
    control_plane: ControlPlane, agent: Agent, kind: str
) -> None:
    uses = {"evaluate", "fine_tune", "export"}
    job = a_job(control_plane, agent, kind)
    assert names(job) & uses == set()
    if kind in ("train", "import"):
        saved = a_manifest(job.id, 10)
        agent.beat(agent.claimed(), an_event(1, "checkpoint", **published_body(saved)))
        job = control_plane.job(job)
        assert names(job) & uses == uses
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
    assert "train_longer" not in names(control_plane.job(job))
    agent.report(claim, "succeeded", "finished")
    job = control_plane.job(job)
    longer = offered(job, "train_longer")
    assert longer.body["init_from"] == {"id": saved.checkpoint_id, "state": "full"}
    assert longer.needs == ("params",)
    params = {"batch_size": 32, "total_iters": 60}
    control_plane.cancel(control_plane.submit(**longer.body, params=params))
    with control_plane.write() as tx:
        index.request_delete(tx, saved.checkpoint_id)
    assert "train_longer" not in names(control_plane.job(job))


@pytest.mark.parametrize("kind", ["eval", "import", "export"])
def test_what_does_not_train_is_not_trained_longer(
    control_plane: ControlPlane, agent: Agent, kind: str
) -> None:
    job = in_state(control_plane, a_job(control_plane, agent, kind), JobState.SUCCEEDED)
    assert "train_longer" not in names(job)


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


@pytest.mark.parametrize("kind", ["train", "eval", "export"])
def test_no_retry_is_offered_from_a_source_that_is_not_there_any_more(
    control_plane: ControlPlane, agent: Agent, kind: str
) -> None:
    if kind == "train":
        start = {"job": ended(control_plane, agent, 10).id}
        job = control_plane.submit(init_from=start)
    else:
        job = a_job(control_plane, agent, kind)
    job = in_state(control_plane, job, JobState.FAILED)
    assert offered(job, "retry").choices == {"from": ("start",)}
    with control_plane.write() as tx:
        tx.execute(sa.update(checkpoints).values(state="purged"))
    job = control_plane.job(job)
    assert names(job) == {"delete"}
    with pytest.raises((Conflict, Unprocessable)):
        control_plane.retry(job, "start")


def a_job(control_plane: ControlPlane, agent: Agent, kind: str) -> Job:
    """A queued job of a kind, the first in the queue."""
    if kind == "train":
        return control_plane.submit()
    if kind == "import":
        with control_plane.write() as tx:
            request = ImportRequest(file="a.pth")
            result = import_export.submit_import(
                tx, request, job_id=control_plane.new_job_id(), key=None, now=control_plane.now
            )
        return control_plane.job_of(result)
    source = a_manifest(ended(control_plane, agent, 10).id, 10).checkpoint_id
    if kind == "eval":
        return control_plane.submit(kind="eval", checkpoint={"id": source})
    with control_plane.write() as tx:
        result = import_export.submit_export(
            tx,
            ExportRequest(checkpoint=source),
            job_id=control_plane.new_job_id(),
            now=control_plane.now,
        )
    return control_plane.job_of(result)


def ended(control_plane: ControlPlane, agent: Agent, *steps: int, phase: str = "train") -> Job:
    """A failed training of 50 iterations with checkpoints at some steps."""
    job = control_plane.submit(params={"batch_size": 32, "total_iters": 50})
    saved = [
        an_event(seq, "checkpoint", **published_body(a_manifest(job.id, step, phase=phase)))
        for seq, step in enumerate(steps, start=1)
    ]
    agent.report(agent.claimed(), "failed", "invalid_data", events=tuple(saved))
    return control_plane.job(job)


def in_state(control_plane: ControlPlane, job: Job, state: JobState) -> Job:
    with control_plane.write() as tx:
        store.change(tx, job.id, list(JobState), {"state": state})
    return control_plane.job(job)


def retried(control_plane: ControlPlane, tx: Connection, job: Job, origin: str) -> None:
    retries.retry(
        tx, job.id, origin, new_id=control_plane.new_job_id(), key=None, now=control_plane.now
    )


def changes(control_plane: ControlPlane, job: Job, verb: Callable[[Connection], Any]) -> bool:
    """Whether a verb is accepted, and is no mere repeat; nothing of it stays."""
    try:
        with control_plane.write() as tx:
            jobs = len(newest_jobs(tx))
            verb(tx)
            after = store.get(tx, job.id)
            made = len(newest_jobs(tx)) != jobs
            raise RolledBack(made or after is None or after.job.version != job.version)
    except Conflict:
        return False
    except RolledBack as outcome:
        return bool(outcome.args[0])


def names(job: Job) -> set[str]:
    return {action.name for action in job.actions}


def offered(job: Job, name: str) -> Any:
    (action,) = (action for action in job.actions if action.name == name)
    return action
