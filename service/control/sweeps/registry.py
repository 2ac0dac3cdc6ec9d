"""Making, reading, steering and deleting sweeps."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from service.contract.sweep_specs import NewSweep
from service.contract.sweeps import LIVE_SWEEPS, BestTrial, Sweep, SweepState, Trial
from service.control.access.ownership import require_owner
from service.control.jobs import actions
from service.control.jobs.new_jobs import SubmissionKey
from service.control.scheduling.class_limit import TOO_MANY_CLASSES
from service.domain.access import Caller
from service.domain.errors import Conflict, Gone, IdempotencyMismatch, NotFound
from service.store import audit, idempotency, jobs, sweeps, trials
from service.store.sweeps import StoredSweep
from service.store.trials import StoredTrial, TrialCounts

_ACTIONS = {
    SweepState.RUNNING: ("pause", "cancel"),
    SweepState.PAUSED: ("resume", "cancel"),
    SweepState.CANCELLING: (),
}


def create(
    tx: Connection, new: NewSweep, *, sweep_id: str, key: str | None, now: datetime, by: Caller
) -> tuple[Sweep, bool]:
    """The sweep, and whether an earlier call with the same key made it.

    The caller has checked its trainings. Raises IdempotencyMismatch, Gone, and IntegrityError for
    a key that a concurrent call has stored.
    """
    submission_key = SubmissionKey(key, f"sweep {new.model_dump_json()}")
    before = idempotency.find(tx, key)
    if before is not None:
        if before.body_sha256 != submission_key.digest:
            raise IdempotencyMismatch
        if sweeps.get(tx, before.job_id) is None:
            message = f"this key made {before.job_id}, which is deleted; a new key makes a new one"
            raise Gone("sweep_deleted", message)
        return get(tx, before.job_id, by), True
    sweeps.add(tx, sweep_id, new, submitted_by=by.name, now=now)
    if key is not None:
        idempotency.add(tx, key, submission_key.digest, sweep_id, now)
    audit.note(tx, "sweep.create", sweep_id, new.name)
    return get(tx, sweep_id, by), False


def get(tx: Connection, sweep_id: str, by: Caller) -> Sweep:
    """One sweep as a caller sees it; raises NotFound."""
    return _shown(tx, [_stored(tx, sweep_id)], by)[0]


def page(
    tx: Connection, states: Sequence[SweepState], after: str | None, limit: int, by: Caller
) -> tuple[list[Sweep], bool]:
    """A page of sweeps, newest first, and whether there are more."""
    found = sweeps.page(tx, states, after, limit)
    return _shown(tx, found[:limit], by), len(found) > limit


def trials_of(tx: Connection, sweep_id: str, after: int, limit: int) -> tuple[list[Trial], bool]:
    """Trials that have begun, by number, and whether there are more; raises NotFound."""
    _stored(tx, sweep_id)
    found = trials.page(tx, sweep_id, after, limit)
    return found[:limit], len(found) > limit


def pause(tx: Connection, sweep_id: str, now: datetime, by: Caller) -> Sweep:
    """Begin no more trials, and pause the jobs of those that are live.

    One that is paused already stays so. Raises NotFound, Forbidden, Conflict.
    """
    sweep = _owned(tx, sweep_id, by)
    if sweep.state is SweepState.PAUSED:
        return get(tx, sweep_id, by)
    _require(sweep, "pause")
    for trial in _locked_live(tx, sweep_id):
        if _act(lambda job_id: actions.pause(tx, job_id, now, by), trial):
            trials.change(tx, trial, {"paused_with_sweep": True})
    sweeps.change(tx, sweep_id, {"state": SweepState.PAUSED})
    audit.note(tx, "sweep.pause", sweep_id)
    return get(tx, sweep_id, by)


def resume(tx: Connection, sweep_id: str, now: datetime, by: Caller) -> Sweep:
    """Go on, with the jobs that were paused with the sweep.

    A job that cannot be resumed now is resumed later, by the loop of sweeps. Raises NotFound,
    Forbidden, Conflict.
    """
    sweep = _owned(tx, sweep_id, by)
    if sweep.state is SweepState.RUNNING:
        return get(tx, sweep_id, by)
    _require(sweep, "resume")
    for trial in _locked_live(tx, sweep_id):
        resume_job(tx, trial, now, by)
    sweeps.change(tx, sweep_id, {"state": SweepState.RUNNING})
    audit.note(tx, "sweep.resume", sweep_id)
    return get(tx, sweep_id, by)


def cancel(tx: Connection, sweep_id: str, now: datetime, by: Caller) -> Sweep:
    """Begin no more trials, and have the jobs of those that are live save and end.

    One that was cancelled already stays so. Raises NotFound, Forbidden, Conflict.
    """
    sweep = _owned(tx, sweep_id, by)
    if sweep.state in (SweepState.CANCELLING, SweepState.CANCELLED):
        return get(tx, sweep_id, by)
    _require(sweep, "cancel")
    live = _locked_live(tx, sweep_id)
    for trial in live:
        _act(lambda job_id: actions.cancel(tx, job_id, mode="graceful", now=now, by=by), trial)
    over = {"state": SweepState.CANCELLED, "finished_at": now}
    ending = {"state": SweepState.CANCELLING} if live else over
    sweeps.change(tx, sweep_id, {"message": "cancelled by a user"} | ending)
    audit.note(tx, "sweep.cancel", sweep_id)
    return get(tx, sweep_id, by)


def delete(tx: Connection, sweep_id: str, by: Caller) -> None:
    """Delete a sweep that has ended; its jobs stay. Raises NotFound, Forbidden, Conflict."""
    sweep = _owned(tx, sweep_id, by)
    if sweep.state in LIVE_SWEEPS:
        raise Conflict("sweep_not_ended", f"{sweep_id} is {sweep.state}: cancel it first")
    sweeps.delete_sweep(tx, sweep_id)
    audit.note(tx, "sweep.delete", sweep_id)


def resume_job(tx: Connection, trial: StoredTrial, now: datetime, by: Caller) -> None:
    """Resume the job of a trial that was paused with its sweep; later, if it cannot be now."""
    if not trial.paused_with_sweep or trial.job_id is None:
        return
    try:
        actions.resume(tx, trial.job_id, now, by)
    except Conflict as error:
        if error.code == TOO_MANY_CLASSES:
            return
    except NotFound:
        pass
    trials.change(tx, trial, {"paused_with_sweep": False})


def _locked_live(tx: Connection, sweep_id: str) -> list[StoredTrial]:
    live = trials.live(tx, sweep_id)
    jobs.lock(tx, trials.jobs_at(live))
    return live


def _act(act: Callable[[str], bool], trial: StoredTrial) -> bool:
    """Whether it changed the job of a trial; one that has ended or is ending needs no change."""
    if trial.job_id is None:
        return False
    try:
        return act(trial.job_id)
    except (NotFound, Conflict):
        return False


def _require(sweep: StoredSweep, action: str) -> None:
    if action not in _ACTIONS.get(sweep.state, ()):
        message = f"{sweep.id} is {sweep.state}: there is nothing to {action}"
        raise Conflict("sweep_state", message)


def _owned(tx: Connection, sweep_id: str, by: Caller) -> StoredSweep:
    sweep = _stored(tx, sweep_id, lock=True)
    require_owner(by, sweep_id, sweep.submitted_by)
    return sweep


def _stored(tx: Connection, sweep_id: str, *, lock: bool = False) -> StoredSweep:
    found = sweeps.get(tx, sweep_id, lock=lock)
    if found is None:
        raise NotFound("no_such_sweep", f"there is no sweep {sweep_id}")
    return found


def _shown(tx: Connection, found: Sequence[StoredSweep], by: Caller) -> list[Sweep]:
    ids = [sweep.id for sweep in found]
    if not ids:
        return []
    maximizing = [
        sweep.id
        for sweep in found
        if isinstance(sweep.read, NewSweep) and sweep.read.objective.goal == "maximize"
    ]
    counts, best = trials.counts_of(tx, ids), trials.best_of(tx, ids, maximizing)
    return [_view(sweep, counts[sweep.id], best.get(sweep.id), by) for sweep in found]


def _view(sweep: StoredSweep, counts: TrialCounts, best: BestTrial | None, by: Caller) -> Sweep:
    read = sweep.read
    is_owner = by.owns(sweep.submitted_by)
    return Sweep(
        id=sweep.id,
        name=sweep.name,
        state=sweep.state,
        message=sweep.message,
        created_at=sweep.created_at,
        finished_at=sweep.finished_at,
        submitted_by=sweep.submitted_by,
        trial_count=read.trial_count if isinstance(read, NewSweep) else counts.total,
        trials=dict(counts.by_state),
        steps=counts.steps,
        best=best,
        unreadable=None if isinstance(read, NewSweep) else read,
        spec=sweep.spec,
        actions=_ACTIONS.get(sweep.state, ("delete",)) if is_owner else (),
    )
