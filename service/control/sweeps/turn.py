"""One turn of a sweep: what has ended, what is to stop, and what begins."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, JobState
from service.contract.sweep_specs import Asha, NewSweep
from service.contract.sweeps import SweepState, TrialState
from service.control.jobs import actions
from service.control.sweeps.beginning import Beginning
from service.control.sweeps.halving import judge
from service.control.sweeps.live_trials import LiveTrial, live_trials
from service.control.sweeps.registry import resume_job
from service.domain.access import SERVER
from service.domain.errors import Conflict, NotFound
from service.store import jobs, sweeps, trials
from service.store.sweeps import StoredSweep
from service.store.trials import StoredTrial

_STATES = {
    JobState.SUCCEEDED: TrialState.SUCCEEDED,
    JobState.FAILED: TrialState.FAILED,
    JobState.CANCELLED: TrialState.CANCELLED,
}


def is_due(tx: Connection, sweep_id: str) -> bool:
    """Whether a turn of a sweep would change anything."""
    sweep = sweeps.get(tx, sweep_id)
    if sweep is None:
        return False
    if isinstance(sweep.read, str):
        return _is_over_unread(tx, sweep)
    live = live_trials(tx, sweep_id, sweep.read)
    if any(each.has_ended or each.points for each in live):
        return True
    if sweep.state is SweepState.CANCELLING:
        return not live
    if sweep.state is not SweepState.RUNNING:
        return False
    waits = any(each.trial.paused_with_sweep for each in live)
    return waits or Beginning(tx, sweep, sweep.read, live).is_due


def take(tx: Connection, sweep_id: str, *, new_id: Callable[[str], str], now: datetime) -> None:
    """Settle what has ended, judge what was measured, begin what fits, or end the sweep."""
    sweep = sweeps.get(tx, sweep_id, lock=True)
    if sweep is None:
        return
    new = sweep.read
    if isinstance(new, str):
        if _is_over_unread(tx, sweep):
            _end(tx, sweep, SweepState.CANCELLED, sweep.message, now)
        return
    # In the order of ids, as every caller locks them.
    jobs.lock(tx, trials.jobs_at(trials.live(tx, sweep_id)))
    live = [each for each in live_trials(tx, sweep_id, new) if not _settle(tx, new, each)]
    for each in live:
        _measure(tx, new, each, now)
    if sweep.state is SweepState.CANCELLING and not live:
        _end(tx, sweep, SweepState.CANCELLED, sweep.message, now)
    elif sweep.state is SweepState.RUNNING:
        for each in live:
            resume_job(tx, each.trial, now, SERVER)
        beginning = Beginning(tx, sweep, new, live)
        beginning.run(new_id=new_id, now=now)
        if beginning.end is not None:
            _end(tx, sweep, SweepState.FINISHED, beginning.end, now)


def _is_over_unread(tx: Connection, sweep: StoredSweep) -> bool:
    """Whether a cancelled sweep has ended that this version cannot read; its trials stay as is."""
    if sweep.state is not SweepState.CANCELLING:
        return False
    found = (jobs.version_of(tx, each) for each in trials.jobs_at(trials.live(tx, sweep.id)))
    return all(each is None or each[1] in ENDED_JOBS for each in found)


def _settle(tx: Connection, new: NewSweep, each: LiveTrial) -> bool:
    """Store the end of a trial, if its job has ended."""
    if not each.has_ended:
        return False
    trial, job = each.trial, each.job
    if job is None:
        values: dict[str, Any] = {"state": TrialState.DELETED, "message": "its job was deleted"}
    else:
        is_stopped = trial.stopping and job.state is JobState.CANCELLED
        values = {
            "state": TrialState.STOPPED if is_stopped else _STATES[job.state],
            "message": trial.message if is_stopped else job.message,
            "steps": each.steps,
        }
    trials.change(tx, trial, values | _measured(new, each))
    return True


def _measure(tx: Connection, new: NewSweep, each: LiveTrial, now: datetime) -> None:
    """Store what a live trial has measured; have its job stop if it is not among the best."""
    if not each.points:
        return
    values = _measured(new, each)
    trial, method = each.trial, new.method
    if isinstance(method, Asha) and not trial.stopping:
        rungs = trials.rungs(tx, trial.sweep_id)
        others = [values for number, values in rungs.items() if number != trial.number and values]
        judgement = judge(method, new.objective, trial.rungs, each.points_in_training, others)
        values["rungs"] = list(judgement.rungs)
        if judgement.stops:
            rung, factor = len(judgement.rungs), method.reduction_factor
            text = f"stopped at rung {rung}: not among the best of each {factor} that came there"
            values |= {"stopping": True, "message": text}
            _stop(tx, trial, now)
    trials.change(tx, trial, values)


def _stop(tx: Connection, trial: StoredTrial, now: datetime) -> None:
    assert trial.job_id is not None, "what has measured something has a job"
    try:
        actions.cancel(tx, trial.job_id, mode="graceful", now=now, by=SERVER)
    except (Conflict, NotFound):
        # It has ended in the meantime.
        return


def _measured(new: NewSweep, each: LiveTrial) -> dict[str, Any]:
    if not each.points:
        return {}
    values = [value for _, value in each.points]
    if each.trial.value is not None:
        values.append(each.trial.value)
    best = min(values) if new.objective.goal == "minimize" else max(values)
    return {"value": best, "judged_step": each.points[-1][0]}


def _end(
    tx: Connection, sweep: StoredSweep, state: SweepState, message: str | None, now: datetime
) -> None:
    sweeps.change(tx, sweep.id, {"state": state, "message": message, "finished_at": now})
