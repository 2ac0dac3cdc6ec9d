"""From where a job says that it may be retried, against what a retry and a submission accept."""

import pytest
import sqlalchemy as sa

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.jobs_of_kinds import failed_training, in_state, job_of_kind
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.offered_actions import action_names, changes, offered, retried
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import JobState
from service.domain.errors import Conflict, Unprocessable
from service.store.checkpoint_tables import checkpoints


@pytest.mark.parametrize(
    ("steps", "origins"),
    [((), ("start",)), ((10, 20), ("latest", "start")), ((10, 50), ("latest", "start"))],
)
def test_a_retry_of_a_training_is_offered_from_where_it_can_go_on(
    control_plane: ControlPlane, agent: Agent, steps: tuple[int, ...], origins: tuple[str, ...]
) -> None:
    job = failed_training(control_plane, agent, *steps)
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
    made = control_plane.job_of(control_plane.retry(failed_training(control_plane, agent, 10)))
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
    job = failed_training(control_plane, agent, step, phase=phase)
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


@pytest.mark.parametrize("kind", ["train", "eval", "export"])
def test_no_retry_is_offered_from_a_source_that_is_not_there_any_more(
    control_plane: ControlPlane, agent: Agent, kind: str
) -> None:
    if kind == "train":
        start = {"job": failed_training(control_plane, agent, 10).id}
        job = control_plane.submit(init_from=start)
    else:
        job = job_of_kind(control_plane, agent, kind)
    job = in_state(control_plane, job, JobState.FAILED)
    assert offered(job, "retry").choices == {"from": ("start",)}
    with control_plane.write() as tx:
        tx.execute(sa.update(checkpoints).values(state="purged"))
    job = control_plane.job(job)
    assert action_names(job) == {"delete"}
    with pytest.raises((Conflict, Unprocessable)):
        control_plane.retry(job, "start")
