from api_tests.support.checkpoint_events import saved
from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job

KEEPS = {"retention": {"keep_last": 2, "keep_best": 1}}


def test_a_resumed_job_is_offered_its_training_states_newest_first(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(retention={"keep_last": 10})
    claim = agent.claimed()
    agent.beat(claim, *saved(job, range(1, 8)))
    final = published_body(a_manifest(job.id, 8, phase="final"))
    agent.beat(claim, an_event(99, "checkpoint", **final))
    agent.report(claim, "released", "released")
    again = agent.claimed()
    assert [(c.step, c.phase) for c in again.resume] == [(n, "train") for n in (7, 6, 5, 4, 3)]


def test_a_damaged_checkpoint_is_marked_and_the_one_before_takes_its_place(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    agent.beat(claim, *saved(job, (1, 2), errors=(0.5, 0.1)))
    damaged = control_plane.checkpoints_of(job)[2].id
    assert control_plane.job(job).best_checkpoint == damaged
    damage = an_event(3, "damaged", checkpoint_id=damaged, problems=["a digest differs"])
    agent.beat(claim, damage)
    assert control_plane.checkpoints_of(job)[2].state == "damaged"
    older = control_plane.checkpoints_of(job)[1].id
    shown = control_plane.job(job)
    assert (shown.latest_checkpoint, shown.best_checkpoint) == (older, older)
    (event,) = control_plane.events_of(job, "damaged")
    assert event.message.endswith("at step 2 is damaged: a digest differs")
    agent.report(claim, "released", "released")
    assert [c.id for c in agent.claimed().resume] == [older]


def test_a_job_whose_every_checkpoint_is_damaged_has_none(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    (saved_event,) = saved(job, (1,), errors=(0.5,))
    damaged = saved_event.body["checkpoint"]["checkpoint_id"]
    agent.beat(claim, saved_event, an_event(2, "damaged", checkpoint_id=damaged, problems=[]))
    shown = control_plane.job(job)
    assert (shown.latest_checkpoint, shown.best_checkpoint) == (None, None)


def test_a_checkpoint_of_another_job_cannot_be_called_damaged(
    control_plane: ControlPlane, agent: Agent
) -> None:
    mine, other = control_plane.submit(), control_plane.submit()
    agent.beat(agent.claimed(), *saved(mine, (1,)))
    other_id = control_plane.checkpoints_of(mine)[1].id
    agent.beat(agent.claimed(), an_event(1, "damaged", checkpoint_id=other_id, problems=[]))
    assert control_plane.checkpoints_of(mine)[1].state == "published"
    assert len(control_plane.events_of(other, "note")) == 1


def test_the_surplus_is_let_go_until_its_removal_is_confirmed(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(**KEEPS)
    claim = agent.claimed()
    reply = agent.beat(claim, *saved(job, (1, 2, 3, 4), errors=(0.1, 0.4, 0.3, 0.2)))
    oldest = control_plane.checkpoints_of(job)[2]
    assert [(p.checkpoint_id, p.path) for p in reply.purge] == [(oldest.id, oldest.path)]
    assert states(control_plane, job) == {
        1: "published",
        2: "purging",
        3: "published",
        4: "published",
    }
    assert agent.beat(claim).purge == reply.purge
    assert agent.beat(claim, purged=(oldest.id,)).purge == ()
    assert states(control_plane, job)[2] == "purged"


def test_what_is_kept_cannot_be_confirmed_as_purged(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(**KEEPS)
    claim = agent.claimed()
    agent.beat(claim, *saved(job, (1, 2)))
    ids = tuple(c.id for c in control_plane.checkpoints_of(job).values())
    agent.beat(claim, purged=ids)
    assert states(control_plane, job) == {1: "published", 2: "published"}


def test_what_is_let_go_is_neither_resumed_from_nor_the_best(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(retention={"keep_last": 2, "keep_best": 0})
    claim = agent.claimed()
    agent.beat(claim, *saved(job, (1, 2, 3), errors=(0.1, 0.4, 0.3)))
    by_step = control_plane.checkpoints_of(job)
    assert states(control_plane, job)[1] == "purging"
    assert control_plane.job(job).best_checkpoint == by_step[3].id
    agent.report(claim, "released", "released")
    again = agent.claimed()
    assert [c.step for c in again.resume] == [3, 2]
    assert [p.checkpoint_id for p in agent.beat(again).purge] == [by_step[1].id]


def test_the_source_of_a_job_that_has_not_ended_stays(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(**KEEPS)
    claim = agent.claimed()
    agent.beat(claim, *saved(job, (1,)))
    control_plane.submit(kind="eval", checkpoint={"job": job.id})
    evaluation = agent.claimed()
    agent.beat(claim, *saved(job, (2, 3, 4)))
    assert states(control_plane, job) == {
        1: "published",
        2: "purging",
        3: "published",
        4: "published",
    }
    agent.report(evaluation)
    agent.beat(claim, *saved(job, (5,)))
    assert states(control_plane, job)[1] == "purging"


def states(control_plane: ControlPlane, job: Job) -> dict[int, str]:
    return {step: c.state for step, c in sorted(control_plane.checkpoints_of(job).items())}
