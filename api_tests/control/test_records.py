import math
from typing import Any

import pytest
from sqlalchemy import func, select

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim
from service.contract.time_spent import MOST_SECONDS, TimeSpent
from service.control.leases.event_batch import MOST_SERIES
from service.store import series
from service.store.tables import metrics


def test_the_start_and_the_progress_of_an_attempt_are_shown(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    agent.beat(claim, an_event(1, "started", step=0, total_steps=200, resumed_from=None))
    assert control_plane.job(job).progress.total_steps == 200
    assert [e.message for e in control_plane.events_of(job, "started")] == ["attempt 1 started"]
    agent.beat(
        claim,
        an_event(2, "progress", **at_step(20, metrics={"loss": 2.0})),
        an_event(3, "progress", **at_step(50, eta_seconds=9.5, metrics={"loss": 1.5})),
        an_event(4, "metrics", step=50, metrics={"top1_error": 0.25}),
    )
    shown = control_plane.job(job)
    assert (shown.progress.step, shown.progress.fraction) == (50, 0.25)
    assert (shown.progress.eta_seconds, shown.progress.images_per_second) == (9.5, None)
    assert shown.metrics == {"loss": 1.5, "top1_error": 0.25}


def test_the_time_of_a_job_is_that_of_all_its_attempts(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    first = agent.claimed()
    waited = {"data_wait_seconds": 2.0, "step_seconds": 5.0}
    agent.beat(
        first,
        an_event(1, "started", step=0, total_steps=9),
        an_event(2, "progress", **at_step(2, time_spent={"step_seconds": 1.0})),
        an_event(3, "progress", **at_step(5, time_spent=waited)),
    )
    assert control_plane.job(job).progress.time_spent == TimeSpent(**waited)
    agent.report(first, "released", "released", time_spent=waited | {"save_seconds": 4.0})
    assert control_plane.job(job).progress.time_spent == TimeSpent(**waited, save_seconds=4.0)
    second = agent.claimed()
    agent.beat(
        second,
        an_event(1, "started", step=5, total_steps=9),
        an_event(2, "metrics", step=7, metrics={}, time_spent={"validation_seconds": 3.0}),
    )
    so_far = TimeSpent(**waited, save_seconds=4.0, validation_seconds=3.0)
    assert control_plane.job(job).progress.time_spent == so_far
    assert control_plane.job(job).progress.fraction == 5 / 9
    agent.report(second, "failed", "crashed", time_spent={"validation_seconds": 3.5})
    assert control_plane.job(job).progress.time_spent == so_far.plus(
        TimeSpent(validation_seconds=0.5)
    )


@pytest.mark.parametrize("reported", [8e307, MOST_SECONDS])
def test_times_that_no_sum_could_hold_count_as_the_most_that_a_job_can_have(
    control_plane: ControlPlane, agent: Agent, reported: float
) -> None:
    job = control_plane.submit()
    for _ in range(2):
        claim = agent.claimed()
        spent = {"step_seconds": reported, "other_seconds": reported}
        agent.beat(
            claim,
            an_event(1, "started", step=0, total_steps=9),
            an_event(2, "progress", **at_step(2, time_spent=spent)),
        )
        agent.report(claim, "released", "released", time_spent={**spent, "save_seconds": 1.7e308})
    most = dict.fromkeys(("step_seconds", "save_seconds", "other_seconds"), MOST_SECONDS)
    total = TimeSpent(**most)
    assert control_plane.job(job).progress.time_spent == total
    assert control_plane.events_of(job, "note") == []
    assert math.isfinite(total.total_seconds)


def test_a_resumed_attempt_says_from_where(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    agent.beat(
        agent.claimed(),
        an_event(1, "started", step=7, total_steps=200, resumed_from="ckpt_1", data=["val: 6"]),
    )
    (event,) = control_plane.events_of(job, "started")
    assert event.message == "attempt 1 resumed at step 7 from ckpt_1 (val: 6)"


def test_a_measure_that_is_no_finite_number_or_has_no_name_is_left_out(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    measured = {"loss": math.nan, "lr": math.inf, "norm": None, "": 2.0, "kept": 1.0}
    agent.beat(
        agent.claimed(),
        an_event(1, "progress", **at_step(5, eta_seconds=math.inf, metrics=measured)),
    )
    shown = control_plane.job(job)
    assert shown.metrics == {"kept": 1.0}
    assert shown.progress.eta_seconds is None
    assert control_plane.events_of(job, "note") == []


def test_a_job_has_no_more_series_than_a_page_can_ask_for(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    for seq, names in enumerate((range(90), range(80, 120), range(120, 130)), start=1):
        measured = {f"m{name}": float(seq) for name in names}
        agent.beat(claim, an_event(seq, "metrics", step=seq, metrics=measured))
    assert set(control_plane.series_of(job)) == {f"m{name}" for name in range(MOST_SERIES)}
    assert control_plane.job(job).metrics["m85"] == 2.0
    notes = [event.message for event in control_plane.events_of(job, "note")]
    assert notes == ["metrics beyond the first 100 names are left out"]


def test_a_flood_of_points_is_thinned_and_keeps_its_extremes(
    control_plane: ControlPlane, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MOST_POINTS", 400)
    job = control_plane.submit()
    claim = agent.claimed()
    for first in range(1, 3001, 300):
        agent.beat(
            claim,
            *(
                an_event(seq, "metrics", step=seq, metrics={"loss": float(seq % 999)})
                for seq in range(first, first + 300)
            ),
        )
    points = control_plane.series_of(job)["loss"]
    assert len(points) < 1500
    assert {(999, 0.0), (998, 998.0), (3000, 3.0)} <= set(points)


def test_points_are_moved_into_arrays_as_they_add_up_and_when_an_attempt_begins(
    control_plane: ControlPlane, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "ROWS_BETWEEN_MOVES", 8)
    job = control_plane.submit()

    def measure(claim: Claim, seqs: range, step: int = 0) -> int:
        """The points of metrics in rows after an event for each number, with two metrics."""
        measured = {"loss": 0.5, "top1_error": 0.1}
        events = (an_event(n, "metrics", step=step + n, metrics=measured) for n in seqs)
        agent.beat(claim, *events)
        with control_plane.database.read() as tx:
            points = select(func.count()).where(metrics.c.name.in_(measured))
            return tx.execute(points).scalar_one()

    first = agent.claimed()
    assert [measure(first, range(n, n + 3)) for n in (1, 4, 7)] == [6, 0, 0]
    assert measure(first, range(10, 12)) == 4
    agent.report(first, "released", "released")
    assert measure(agent.claimed(), range(1, 2), step=9) == 0
    assert control_plane.series_of(job)["loss"] == [(n, 0.5) for n in range(1, 12)]


def test_a_result_that_is_no_finite_number_is_null(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.report(agent.claimed(), result={"loss": math.nan, "each": [{"x": -math.inf}, 1.0]})
    assert control_plane.job(job).result == {"loss": None, "each": [{"x": None}, 1.0]}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("started", {}),
        ("progress", {"step": "many", "total_steps": 9, "phase": "train"}),
        ("progress", {"step": -1, "total_steps": 9, "phase": "train"}),
        ("progress", {"step": 2**70, "total_steps": 9, "phase": "train"}),
        ("metrics", {"step": None, "metrics": {"loss": 1.0}}),
        ("metrics", {"step": 1, "metrics": {"loss": "low"}}),
        ("metrics", {"step": 1, "metrics": [1.0]}),
        ("checkpoint", {"checkpoint": {}, "path": ""}),
        ("damaged", {"checkpoint_id": "ckpt_none", "problems": []}),
        ("note", {"message": 7}),
    ],
)
def test_a_broken_event_is_noted_and_the_others_are_heard(
    control_plane: ControlPlane, agent: Agent, kind: str, body: dict[str, Any]
) -> None:
    job = control_plane.submit()
    after = an_event(2, "note", message="heard")
    reply = agent.beat(agent.claimed(), an_event(1, kind, **body), after)
    assert (reply.lease_lost, reply.acked_seq) == (False, 2)
    broken, note = [event.message for event in control_plane.events_of(job, "note")]
    assert broken.startswith(f"an event of kind {kind} could not be read: ")
    assert note == "heard"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("x" * 65, "x" * 63 + "…"), ("a\0b", "a\ufffdb"), ("caf\udce9", r"caf\xe9")],
)
def test_a_name_of_a_metric_that_cannot_be_stored_is_cut_or_escaped(
    control_plane: ControlPlane, agent: Agent, sent: str, stored: str
) -> None:
    job = control_plane.submit()
    metrics = {sent: 1.0, "large": 10**400}
    agent.beat(agent.claimed(), an_event(1, "metrics", step=1, metrics=metrics))
    assert control_plane.series_of(job) == {stored: [(1, 1.0)]}


def test_a_message_with_a_nul_is_kept_with_a_sign_in_its_place(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    agent.beat(claim, an_event(1, "note", message="a\0b"))
    agent.report(claim, "failed", "invalid_data", message="c\0d")
    assert control_plane.events_of(job, "note")[0].message == "a\ufffdb"
    assert control_plane.job(job).message == "c\ufffdd"


def test_a_step_that_is_trained_again_replaces_what_it_measured(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    agent.beat(claim, an_event(1, "metrics", step=5, metrics={"loss": 2.0}))
    agent.beat(claim, an_event(2, "metrics", step=5, metrics={"loss": 1.0}))
    assert control_plane.series_of(job) == {"loss": [(5, 1.0)]}


def at_step(step: int, **more: Any) -> dict[str, Any]:
    return {"step": step, "total_steps": 200, "phase": "train"} | more
