"""Sweeps that are paused, resumed, cancelled and deleted, and by whom."""

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.sweeps import Sweeps, Training, a_sweep
from api_tests.support.use_cases import ControlPlane
from service.contract.access import Role
from service.control.jobs import actions
from service.control.scheduling import class_limit
from service.domain.access import Caller
from service.domain.errors import Conflict, Forbidden, Gone, IdempotencyMismatch, NotFound

ANN, BOB = (Caller(name, Role.USER) for name in ("ann", "bob"))
ADMIN = Caller("root", Role.ADMIN)


def test_a_pause_holds_the_jobs_and_a_resume_goes_on_with_those_alone(
    sweeps: Sweeps, agent: Agent, control_plane: ControlPlane
) -> None:
    sweep = sweeps.create(a_sweep(jobs_at_once=3), by=ANN)
    sweeps.turn(sweep)
    running = Training(agent)
    by_hand = sweeps.trials(sweep)[1].job_id
    with control_plane.write() as tx:
        actions.pause(tx, str(by_hand), control_plane.now)
    assert sweeps.pause(sweep, ANN).state == "paused"
    assert [trial.job_state for trial in sweeps.trials(sweep)] == ["pausing", "paused", "paused"]
    running.end("released", "released")
    assert not sweeps.turn(sweep)
    assert sweeps.resume(sweep, ANN).state == "running"
    assert [trial.job_state for trial in sweeps.trials(sweep)] == ["queued", "paused", "queued"]


def test_a_job_that_cannot_be_resumed_now_is_resumed_later(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = sweeps.create(a_sweep(jobs_at_once=2))
    sweeps.turn(sweep)
    sweeps.pause(sweep)
    monkeypatch.setattr(class_limit, "MOST_CLASSES", 0)
    sweeps.resume(sweep)
    assert [trial.job_state for trial in sweeps.trials(sweep)] == ["paused", "paused"]
    monkeypatch.undo()
    assert sweeps.turn(sweep)
    assert [trial.job_state for trial in sweeps.trials(sweep)] == ["queued", "queued"]


def test_a_cancel_ends_the_jobs_and_then_the_sweep(sweeps: Sweeps, agent: Agent) -> None:
    sweep = sweeps.create(a_sweep(jobs_at_once=2))
    sweeps.turn(sweep)
    training = Training(agent)
    assert sweeps.cancel(sweep).state == "cancelling"
    sweeps.turn(sweep)
    assert sweeps.get(sweep).state == "cancelling"
    assert sweeps.cancel(sweep).state == "cancelling"
    training.end("cancelled", "cancelled")
    sweeps.turn(sweep)
    ended = sweeps.get(sweep)
    assert (ended.state, ended.trials) == ("cancelled", {"cancelled": 2})
    assert ended.actions == ("delete",)
    with pytest.raises(Conflict, match="nothing to resume"):
        sweeps.resume(sweep)
    assert sweeps.cancel(sweep).state == "cancelled"


def test_a_cancel_before_the_first_trial_ends_the_sweep_at_once(sweeps: Sweeps) -> None:
    sweep = sweeps.cancel(sweeps.create(a_sweep()))
    assert (sweep.state, sweep.trials) == ("cancelled", {})
    assert sweep.finished_at is not None
    assert not sweeps.turn(sweep)


def test_the_same_key_makes_one_sweep(sweeps: Sweeps) -> None:
    first = sweeps.create(a_sweep(), key="k")
    assert sweeps.create(a_sweep(), key="k").id == first.id
    with pytest.raises(IdempotencyMismatch):
        sweeps.create(a_sweep(jobs_at_once=1), key="k")
    sweeps.turn(first)
    sweeps.cancel(first)
    sweeps.turn(first)
    sweeps.delete(first)
    with pytest.raises(Gone):
        sweeps.create(a_sweep(), key="k")


def test_a_sweep_is_steered_by_who_began_it_and_by_an_admin(sweeps: Sweeps) -> None:
    sweep = sweeps.create(a_sweep(), by=ANN)
    assert (sweep.submitted_by, sweep.actions) == ("ann", ("pause", "cancel"))
    assert sweeps.get(sweep, BOB).actions == ()
    for act in (sweeps.pause, sweeps.cancel, sweeps.delete, sweeps.resume):
        with pytest.raises(Forbidden):
            act(sweep, BOB)
    assert sweeps.pause(sweep, ADMIN).actions == ("resume", "cancel")


def test_only_a_sweep_that_has_ended_is_deleted_and_its_jobs_stay(
    sweeps: Sweeps,
) -> None:
    sweep = sweeps.create(a_sweep())
    sweeps.turn(sweep)
    with pytest.raises(Conflict, match="cancel it first"):
        sweeps.delete(sweep)
    sweeps.cancel(sweep)
    sweeps.turn(sweep)
    job_id = sweeps.trials(sweep)[0].job_id
    sweeps.delete(sweep)
    with pytest.raises(NotFound):
        sweeps.get(sweep)
    assert sweeps.job(job_id).state == "cancelled"
