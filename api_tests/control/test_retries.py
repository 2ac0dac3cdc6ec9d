import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.checkpoints import CheckpointChange
from service.contract.jobs import Job, JobState
from service.control.checkpoints import index
from service.control.jobs import edits
from service.domain.errors import Conflict, IdempotencyMismatch, Unprocessable


def a_failed_job(control_plane: ControlPlane, agent: Agent, *steps: int, **fields: object) -> Job:
    job = control_plane.submit(**fields)
    claim = agent.claimed()
    saved = [
        an_event(seq, "checkpoint", **published_body(a_manifest(job.id, step)))
        for seq, step in enumerate(steps, start=1)
    ]
    agent.report(claim, "failed", "invalid_data", events=tuple(saved))
    return job


def test_a_retry_from_latest_goes_on_from_the_newest_training_state(
    control_plane: ControlPlane, agent: Agent
) -> None:
    parent = a_failed_job(
        control_plane,
        agent,
        10,
        20,
        name="n",
        labels={"team": "vision"},
        priority=3,
        preemptible=True,
    )
    made = control_plane.job_of(control_plane.retry(parent))
    assert (made.parent_job_id, made.state, made.attempt) == (parent.id, JobState.QUEUED, 0)
    assert (made.name, made.labels, made.spec.priority) == ("n", {"team": "vision"}, 3)
    assert made.spec.preemptible
    claim = agent.claimed()
    assert (claim.job_id, claim.resume) == (made.id, ())
    assert claim.weights is not None
    assert claim.weights.step == 20
    assert claim.job_spec.init_from is not None
    assert claim.job_spec.init_from.state == "full"


def test_a_retry_from_the_start_takes_nothing_along(
    control_plane: ControlPlane, agent: Agent
) -> None:
    parent = a_failed_job(control_plane, agent, 10)
    assert control_plane.job_of(control_plane.retry(parent, "start")).spec == parent.spec
    assert agent.claimed().weights is None


def test_a_retry_from_a_checkpoint_takes_that_one(
    control_plane: ControlPlane, agent: Agent
) -> None:
    parent = a_failed_job(control_plane, agent, 10, 20)
    control_plane.retry(parent, a_manifest(parent.id, 10).checkpoint_id)
    weights = agent.claimed().weights
    assert weights is not None
    assert weights.step == 10


def test_a_retry_from_latest_of_a_job_that_saved_nothing_says_what_to_do(
    control_plane: ControlPlane, agent: Agent
) -> None:
    parent = a_failed_job(control_plane, agent)
    with pytest.raises(Unprocessable, match="from start") as refused:
        control_plane.retry(parent)
    assert (refused.value.code, refused.value.pointer) == ("no_checkpoint", "/from")


def test_a_retry_of_a_retry_that_saved_nothing_goes_on_from_the_same_state(
    control_plane: ControlPlane, agent: Agent
) -> None:
    made = control_plane.job_of(control_plane.retry(a_failed_job(control_plane, agent, 10)))
    agent.report(agent.claimed(), "failed", "invalid_data")
    control_plane.retry(made)
    weights = agent.claimed().weights
    assert weights is not None
    assert weights.step == 10


def test_an_eval_is_retried_with_the_same_weights(
    control_plane: ControlPlane, agent: Agent
) -> None:
    trained = a_failed_job(control_plane, agent, 10)
    source = {"id": a_manifest(trained.id, 10).checkpoint_id}
    evaluated = a_failed_job(control_plane, agent, kind="eval", checkpoint=source)
    assert control_plane.job_of(control_plane.retry(evaluated)).spec == evaluated.spec
    weights = agent.claimed().weights
    assert weights is not None
    assert weights.id == source["id"]


def test_a_job_that_has_not_ended_is_not_retried(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    agent.claimed()
    with pytest.raises(Conflict) as refused:
        control_plane.retry(job)
    assert refused.value.code == "job_not_ended"


def test_the_same_retry_with_the_same_key_makes_one_job(
    control_plane: ControlPlane, agent: Agent
) -> None:
    parent = a_failed_job(control_plane, agent, 10)
    first, again = control_plane.retry(parent, key="k"), control_plane.retry(parent, key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert first.job_id == again.job_id
    with pytest.raises(IdempotencyMismatch):
        control_plane.retry(parent, "start", key="k")


@pytest.mark.parametrize("kind", ["train", "eval"])
def test_a_retry_from_the_start_takes_the_checkpoint_that_a_named_job_meant_at_first(
    control_plane: ControlPlane, agent: Agent, kind: str
) -> None:
    source = a_failed_job(control_plane, agent, 10)
    field = "init_from" if kind == "train" else "checkpoint"
    parent = a_failed_job(control_plane, agent, kind=kind, **{field: {"job": source.id}})
    meant = a_manifest(source.id, 10).checkpoint_id
    with control_plane.write() as tx:
        index.change(tx, meant, CheckpointChange(pinned=True))
        edits.delete(tx, source.id)
    (retry,) = (each for each in control_plane.job(parent).actions if each.name == "retry")
    assert "start" in retry.choices["from"]
    again = control_plane.job_of(control_plane.retry(parent, "start"))
    assert getattr(again.spec, field).id == meant
    weights = agent.claimed().weights
    assert weights is not None
    assert weights.id == meant


def test_a_job_that_has_succeeded_is_not_retried(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    agent.report(agent.claimed())
    assert "retry" not in {action.name for action in control_plane.job(job).actions}
    with pytest.raises(Conflict, match="submit its spec as a new job") as refused:
        control_plane.retry(job, "start")
    assert refused.value.code == "job_succeeded"
