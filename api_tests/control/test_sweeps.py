"""What becomes of the trials of a sweep, and of the sweep with them."""

import pytest
import sqlalchemy as sa

from api_tests.support.control_agent import Agent
from api_tests.support.sweeps import ITERATIONS, JOB, Sweeps, Training, a_sweep
from api_tests.support.use_cases import ControlPlane
from service.contract.access import Role
from service.contract.sweeps import Sweep
from service.control.jobs import edits
from service.control.scheduling import class_limit
from service.domain.access import Caller
from service.store.sweep_tables import sweeps as sweep_rows

ANN = Caller("ann", Role.USER)


def states(sweeps: Sweeps, sweep: Sweep) -> list[str]:
    return [trial.state for trial in sweeps.trials(sweep)]


def test_a_grid_has_each_combination_once_and_so_many_jobs_at_once(
    sweeps: Sweeps, agent: Agent
) -> None:
    sweep = sweeps.create(a_sweep(jobs_at_once=3))
    assert (sweep.state, sweep.trial_count, sweep.trials) == ("running", 4, {})
    assert sweeps.turn(sweep)
    assert len(sweeps.trials(sweep)) == 3
    assert not sweeps.turn(sweep)
    Training(agent).end()
    assert sweeps.turn(sweep)
    found = sweeps.trials(sweep)
    assert [trial.number for trial in found] == [1, 2, 3, 4]
    assert [trial.parameters for trial in found] == [
        {"learning_rate": rate, "batch_size": size} for rate in (0.1, 0.2) for size in (16, 32)
    ]
    assert [trial.state for trial in found] == ["succeeded", "live", "live", "live"]
    assert not sweeps.turn(sweep)


def test_the_jobs_are_ordinary_ones_with_a_label_and_the_values(
    sweeps: Sweeps,
) -> None:
    sweep = sweeps.create(
        a_sweep(job=JOB | {"params": ITERATIONS, "labels": {"team": "a"}}), by=ANN
    )
    sweeps.turn(sweep)
    job = sweeps.job(sweeps.trials(sweep)[2].job_id)
    assert job.labels == {"team": "a", "sweep": sweep.id}
    assert (job.name, job.submitted_by, job.state) == ("lr-3", "ann", "queued")
    assert job.spec.params["learning_rate"] == 0.2
    assert job.spec.params["batch_size"] == 16
    assert job.spec.params["total_iters"] == 50


def test_a_sweep_ends_with_its_last_trial_and_names_the_best(sweeps: Sweeps, agent: Agent) -> None:
    sweep = sweeps.create(a_sweep())
    sweeps.turn(sweep)
    trainings = [Training(agent) for _ in range(4)]
    for number, training in enumerate(trainings):
        training.measure(25, 0.9 - number / 10)
        training.measure(50, 0.95 - number / 10)
    trainings[0].end()
    trainings[1].end("failed", "invalid_data", message="no images")
    sweeps.turn(sweep)
    assert sweeps.get(sweep).state == "running"
    for training in trainings[2:]:
        training.end()
    sweeps.turn(sweep)
    ended = sweeps.get(sweep)
    assert (ended.state, ended.message) == ("finished", "all 4 trials have ended")
    assert ended.finished_at is not None
    assert ended.trials == {"succeeded": 3, "failed": 1}
    assert ended.steps == 200
    assert ended.best is not None
    assert (ended.best.number, ended.best.value) == (4, pytest.approx(0.6))
    assert ended.best.job_id == trainings[3].job_id
    failed = sweeps.trials(sweep)[1]
    assert failed.message is not None
    assert "no images" in failed.message
    assert not sweeps.turn(sweep)


def test_the_best_of_a_sweep_that_maximizes_is_the_highest(sweeps: Sweeps, agent: Agent) -> None:
    sweep = sweeps.create(a_sweep(objective={"metric": "top1_error", "goal": "maximize"}))
    sweeps.turn(sweep)
    for error in (0.3, 0.8, 0.5):
        Training(agent).measure(10, error)
    sweeps.turn(sweep)
    best = sweeps.get(sweep).best
    assert best is not None
    assert (best.number, best.value) == (2, 0.8)


def test_successive_halving_stops_the_worse_ones_by_a_graceful_cancel(
    sweeps: Sweeps, agent: Agent, control_plane: ControlPlane
) -> None:
    method = {"kind": "asha", "trials": 4, "min_steps": 10, "reduction_factor": 2}
    sweep = sweeps.create(a_sweep(method=method))
    sweeps.turn(sweep)
    trainings = [Training(agent) for _ in range(4)]
    for training, error in zip(trainings, (0.1, 0.2, 0.3, 0.4), strict=True):
        training.measure(5, error)
        sweeps.turn(sweep)
    assert {trial.job_state for trial in sweeps.trials(sweep)} == {"running"}
    for training, error in zip(trainings, (0.1, 0.4, 0.3, 0.05), strict=True):
        training.measure(10, error)
        sweeps.turn(sweep)
    # The first has no other to be compared with; the second and the third are worse than it is.
    found = sweeps.trials(sweep)
    assert [trial.job_state for trial in found] == [
        "running",
        "cancelling",
        "cancelling",
        "running",
    ]
    cancels = control_plane.events_of(sweeps.job(found[1].job_id), "cancel")
    assert [event.message for event in cancels] == ["cancel asked (graceful)"]
    trainings[1].end("cancelled", "cancelled")
    sweeps.turn(sweep)
    stopped = sweeps.trials(sweep)[1]
    assert (stopped.state, stopped.steps, stopped.value) == ("stopped", 10, 0.2)
    assert stopped.message is not None
    assert "rung 1" in stopped.message


def test_no_trial_is_stopped_after_its_last_iteration(sweeps: Sweeps, agent: Agent) -> None:
    method = {"kind": "asha", "trials": 4, "min_steps": 50, "reduction_factor": 2}
    sweep = sweeps.create(a_sweep(method=method))
    sweeps.turn(sweep)
    for error in (0.1, 0.2, 0.3, 0.4):
        training = Training(agent)
        training.measure(50, error)
        training.measure(60, error)
        sweeps.turn(sweep)
    assert {trial.job_state for trial in sweeps.trials(sweep)} == {"running"}
    # What recalibrates batch norm does not count.
    assert [trial.steps for trial in sweeps.trials(sweep)] == [50] * 4
    assert sweeps.get(sweep).steps == 200


def test_the_budget_is_never_exceeded_and_ends_the_sweep(sweeps: Sweeps, agent: Agent) -> None:
    # Each trial makes 50 steps at most: three fit, and a fourth once one has stopped early.
    sweep = sweeps.create(a_sweep(budget_steps=170))
    sweeps.turn(sweep)
    assert states(sweeps, sweep) == ["live"] * 3
    assert not sweeps.turn(sweep)
    trainings = [Training(agent) for _ in range(3)]
    trainings[0].measure(20, 0.5)
    trainings[0].end("failed", "invalid_data")
    sweeps.turn(sweep)
    assert states(sweeps, sweep) == ["failed", "live", "live", "live"]
    trainings.append(Training(agent))
    for training in trainings[1:]:
        training.measure(50, 0.5)
        training.end()
    sweeps.turn(sweep)
    ended = sweeps.get(sweep)
    assert (ended.state, ended.steps) == ("finished", 170)


def test_a_sweep_whose_budget_has_no_room_for_a_trial_ends_and_says_so(
    sweeps: Sweeps, agent: Agent
) -> None:
    sweep = sweeps.create(a_sweep(budget_steps=149))
    sweeps.turn(sweep)
    assert states(sweeps, sweep) == ["live"] * 2
    for _ in range(2):
        Training(agent).end()
    sweeps.turn(sweep)
    ended = sweeps.get(sweep)
    assert ended.state == "finished"
    assert ended.message == "the budget of 149 steps allows no further trial"
    assert (ended.trials, ended.steps) == ({"succeeded": 2}, 100)


def test_a_trial_that_the_queue_has_no_place_for_begins_later(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = sweeps.create(a_sweep())
    monkeypatch.setattr(class_limit, "MOST_CLASSES", 0)
    sweeps.turn(sweep)
    assert sweeps.trials(sweep) == []
    monkeypatch.undo()
    sweeps.turn(sweep)
    assert states(sweeps, sweep) == ["live"] * 4


def test_a_trial_whose_training_is_refused_for_good_says_why_and_holds_nothing_up(
    sweeps: Sweeps, agent: Agent, control_plane: ControlPlane
) -> None:
    sweep = sweeps.create(a_sweep())
    with control_plane.write() as tx:
        # As a server of another version, whose recipe takes other values, would store it.
        spec = sweep.spec | {"parameters": {"batch_size": {"values": [16, "many"]}}}
        tx.execute(sa.update(sweep_rows).values(spec=spec))
    sweeps.turn(sweep)
    first, second = sweeps.trials(sweep)
    assert (first.state, second.state, second.job_id) == ("live", "refused", None)
    assert second.message is not None
    assert "batch_size" in second.message
    Training(agent).end()
    sweeps.turn(sweep)
    assert sweeps.get(sweep).state == "finished"


def test_a_deleted_job_and_a_retried_one_end_their_trial(
    sweeps: Sweeps, agent: Agent, control_plane: ControlPlane
) -> None:
    sweep = sweeps.create(a_sweep(jobs_at_once=2))
    sweeps.turn(sweep)
    deleted, retried = Training(agent), Training(agent)
    deleted.end()
    retried.end("failed", "invalid_data")
    with control_plane.write() as tx:
        edits.delete(tx, deleted.job_id)
    control_plane.retry(sweeps.job(retried.job_id), "start")
    sweeps.turn(sweep)
    assert states(sweeps, sweep)[:2] == ["deleted", "failed"]


def test_a_sweep_of_a_newer_version_is_shown_and_read_as_far_as_it_can_be(
    sweeps: Sweeps, control_plane: ControlPlane
) -> None:
    newer, unreadable = sweeps.create(a_sweep()), sweeps.create(a_sweep())
    sweeps.turn(unreadable)
    changes = {newer.id: {"novelty": 1}, unreadable.id: {"method": {"kind": "tea-leaves"}}}
    with control_plane.write() as tx:
        for sweep_id, change in changes.items():
            spec = newer.spec | change
            tx.execute(sa.update(sweep_rows).where(sweep_rows.c.id == sweep_id).values(spec=spec))
    assert sweeps.turn(newer)
    assert states(sweeps, newer) == ["live"] * 4
    assert sweeps.get(newer).spec["novelty"] == 1
    assert not sweeps.turn(unreadable)
    shown = sweeps.get(unreadable)
    assert shown.unreadable is not None
    assert "method" in shown.unreadable
    assert sweeps.cancel(unreadable).state == "cancelling"
    assert sweeps.turn(unreadable)
    assert sweeps.get(unreadable).state == "cancelled"
