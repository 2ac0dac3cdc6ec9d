"""Which trials of a running sweep begin now, and whether it has any more."""

from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Connection

from service.contract.access import Role
from service.contract.sentences import sentence_of
from service.contract.specs import TrainSpec
from service.contract.sweep_specs import NewSweep
from service.contract.sweeps import TrialState
from service.control.jobs.submission import complete, submit
from service.control.scheduling.class_limit import TOO_MANY_CLASSES
from service.control.sweeps.live_trials import LiveTrial, steps_of
from service.control.sweeps.space import parameters_of, spec_of
from service.domain.access import SERVER, Caller
from service.domain.errors import TrainyardError
from service.store import trials
from service.store.sweeps import StoredSweep


class Beginning:
    """Begins the trials of a running sweep that fit, given those that are live."""

    def __init__(
        self, tx: Connection, sweep: StoredSweep, new: NewSweep, live: Sequence[LiveTrial]
    ) -> None:
        self._tx, self._sweep, self._new, self._live = tx, sweep, new, len(live)
        counts = trials.counts_of(tx, [sweep.id])[sweep.id]
        self._begun = counts.total
        open_steps = sum(each.steps_at_most - each.steps for each in live)
        self._steps_at_most = counts.steps + open_steps
        """Of all trials that have begun."""

    @property
    def is_due(self) -> bool:
        """Whether a trial fits, or the sweep has come to its end."""
        return self.end is not None or self._has_room()

    @property
    def end(self) -> str | None:
        """Why the sweep has no more trials, if it has none."""
        if self._live:
            return None
        if self._begun >= self._new.trial_count:
            return f"all {self._new.trial_count} trials have ended"
        if not self._has_room():
            return f"the budget of {self._new.budget_steps} steps allows no further trial"
        return None

    def run(self, *, new_id: Callable[[str], str], now: datetime) -> None:
        """Begin as many as fit; one whose training is refused for good counts as a trial."""
        while self._has_room():
            number = self._begun + 1
            try:
                self._submit(number, new_id("job"), now)
            except (ValidationError, TrainyardError) as error:
                if isinstance(error, TrainyardError) and error.code == TOO_MANY_CLASSES:
                    # Until some jobs of the queue have started.
                    return
                text = sentence_of(error) if isinstance(error, ValidationError) else error.message
                self._add(number, None, TrialState.REFUSED, text)
            self._begun = number

    def _has_room(self) -> bool:
        new = self._new
        if self._live >= new.jobs_at_once or self._begun >= new.trial_count:
            return False
        if new.budget_steps is None:
            return True
        try:
            steps = steps_of(complete(self._tx, self._spec(self._begun + 1)))
        except (ValidationError, TrainyardError):
            # It will be refused, and makes no steps.
            return True
        return self._steps_at_most + steps <= new.budget_steps

    def _submit(self, number: int, job_id: str, now: datetime) -> None:
        owner = self._sweep.submitted_by
        by = SERVER if owner is None else Caller(owner, Role.USER)
        spec = self._spec(number)
        steps = steps_of(complete(self._tx, spec))
        submit(self._tx, spec, job_id=job_id, key=None, now=now, by=by)
        self._add(number, job_id, TrialState.LIVE)
        self._live += 1
        self._steps_at_most += steps

    def _spec(self, number: int) -> TrainSpec:
        return spec_of(self._new, self._sweep.id, number, parameters_of(self._new, number))

    def _add(
        self, number: int, job_id: str | None, state: TrialState, message: str | None = None
    ) -> None:
        parameters = parameters_of(self._new, number)
        trials.add(
            self._tx,
            self._sweep.id,
            number,
            parameters,
            job_id=job_id,
            state=state,
            message=message,
        )
