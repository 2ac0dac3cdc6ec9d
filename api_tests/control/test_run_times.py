"""When a run was at its steps, what its time went into, and its rate: for its charts."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job
from service.control.jobs import history
from service.control.jobs.history import Series
from service.store import series


def measured(
    control_plane: ControlPlane, job: Job, names: list[str] | None = None, max_points: int = 1000
) -> Series:
    """What the charts of a job read."""
    with control_plane.database.read() as tx:
        return history.series(tx, job.id, names, 0, max_points)


def at_step(step: int, **more: Any) -> dict[str, Any]:
    return {"step": step, "total_steps": 200, "phase": "train"} | more


def test_the_steps_of_a_run_have_the_times_of_the_server_and_the_seconds_spent(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    begin = control_plane.now.timestamp()
    agent.beat(claim, an_event(1, "started", step=0, total_steps=200, steps_per_epoch=40))
    control_plane.later(10)
    agent.beat(
        claim,
        an_event(2, "progress", **at_step(20, images_per_second=300.5, metrics={"loss": 2.0})),
        an_event(3, "progress", **at_step(40, images_per_second=310.0, metrics={"loss": 1.5})),
        an_event(4, "metrics", step=50, metrics={"val_loss": 1.0}, time_spent={"step_seconds": 8}),
    )
    assert control_plane.job(job).progress.steps_per_epoch == 40
    chart = measured(control_plane, job)
    assert chart.series == {
        "images_per_second": [(20, 300.5), (40, 310.0)],
        "loss": [(20, 2.0), (40, 1.5)],
        "val_loss": [(50, 1.0)],
    }
    assert chart.times == [(0, begin), (50, begin + 10)]
    assert chart.time_spent["step_seconds"] == [(50, 8.0)]
    assert chart.time_spent["save_seconds"] == [(50, 0.0)]
    assert measured(control_plane, job, names=["loss"]).times == chart.times
    assert control_plane.job(job).metrics == {"loss": 1.5, "val_loss": 1.0}


def test_a_resumed_attempt_goes_on_with_the_time_of_those_before_it(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    first = agent.claimed()
    agent.beat(first, an_event(1, "progress", **at_step(20, time_spent={"step_seconds": 5})))
    agent.report(first, "released", "released", time_spent={"step_seconds": 6})
    control_plane.later(100)
    second = agent.claimed()
    agent.beat(second, an_event(1, "started", step=15, total_steps=200))
    control_plane.later(10)
    agent.beat(second, an_event(2, "progress", **at_step(20, time_spent={"step_seconds": 2})))
    chart = measured(control_plane, job)
    assert [step for step, _ in chart.times] == [15, 20]
    assert chart.times[1][1] - chart.times[0][1] == 10
    assert chart.time_spent["step_seconds"] == [(15, 6.0), (20, 8.0)]


def test_a_workers_clock_that_is_wrong_moves_no_step(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    ahead = an_event(1, "progress", **at_step(20)).model_copy(
        update={"at": control_plane.now.replace(year=2099)}
    )
    agent.beat(claim, ahead)
    assert measured(control_plane, job).times == [(20, control_plane.now.timestamp())]


def test_metrics_with_a_name_of_the_control_plane_are_left_out_and_it_says_so(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    metrics = {"@time": 5.0, "loss": 1.0}
    agent.beat(agent.claimed(), an_event(1, "metrics", step=7, metrics=metrics))
    chart = measured(control_plane, job)
    assert chart.series == {"loss": [(7, 1.0)]}
    assert chart.times == [(7, control_plane.now.timestamp())]
    (note,) = control_plane.events_of(job, "note")
    assert note.message == "metrics are left out whose names begin with @"


def test_a_spike_of_one_step_stays_in_the_chart_of_a_hundred_thousand(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    with control_plane.write() as tx:
        points = [("loss", step, 1e3 if step == 61_234 else 0.5) for step in range(100_000)]
        points[4321] = ("loss", 4321, -7.0)
        series.add(tx, job.id, points)
    agent.beat(claim, an_event(1, "metrics", step=100_000, metrics={"loss": 0.5}))
    chart = measured(control_plane, job, max_points=600).series["loss"]
    assert len(chart) <= 600
    assert {(0, 0.5), (4321, -7.0), (61_234, 1e3), (100_000, 0.5)} <= set(chart)


@pytest.mark.parametrize("thinned", [True, False])
def test_thinned_times_are_no_note_in_the_history(
    control_plane: ControlPlane, agent: Agent, monkeypatch: pytest.MonkeyPatch, thinned: bool
) -> None:
    monkeypatch.setattr(series, "MOST_POINTS", 4 if thinned else 10_000)
    monkeypatch.setattr(series, "ROWS_BETWEEN_MOVES", 1)
    job = control_plane.submit()
    claim = agent.claimed()
    for seq in range(1, 9):
        control_plane.later(1)
        event = at_step(seq, metrics={"loss": float(seq)}, time_spent={"step_seconds": seq})
        agent.beat(claim, an_event(seq, "progress", **event))
    notes = {event.message for event in control_plane.events_of(job, "note")}
    assert notes == ({"loss has more points than are kept, and is thinned"} if thinned else set())
    assert len(measured(control_plane, job).times) <= (5 if thinned else 8)
