"""Shows jobs as runs of an MLflow server: what that has already is read first, and the rest sent.

So nothing has to be remembered of what was sent: after a kill, a lost answer or an outage the next
try sends what is missing, and no run and no point is there twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.contract.jobs import Job
from service.control.mlflow import run_content
from service.control.mlflow.rest_api import (
    JOB_TAG,
    MlflowApi,
    MlflowAway,
    MlflowRefused,
    Point,
    Run,
)
from service.domain.series_names import TIME, is_own_name
from service.store import jobs, mlflow_runs, series
from service.store.engine import Database
from service.store.measurements import measure
from service.store.mlflow_runs import LeasedRun

UPLOADS_METRIC = "mlflow_uploads"
_LEASE_SECONDS = 300.0
_AT_ONCE = 20_000
"""The most points of a job that are sent before another job has its turn."""
_LONGEST_WAIT_SECONDS = 3_600.0
_FOUND = 500
_ALL = 2**31


@dataclass(frozen=True)
class _Snapshot:
    """A job and what it has measured, as one transaction has read them."""

    job: Job
    series: dict[str, list[tuple[int, float]]]
    times: Sequence[tuple[int, float]]


class Mirror:
    """Brings the runs of one MLflow server up to date, one after another.

    A transaction never spans a call of MLflow: a lease in the row keeps other servers from it.
    """

    def __init__(
        self,
        database: Database,
        api: MlflowApi,
        *,
        experiment: str,
        public_url: str,
        first_wait_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        self._database, self._api, self._now = database, api, now
        self._experiment, self._public_url = experiment, public_url
        self._first_wait_seconds = first_wait_seconds
        self._experiment_id: str | None = None

    def add_jobs(self, *, newest_only: bool) -> bool:
        """Have jobs that are not shown yet be shown; whether there may be more."""
        with self._database.read() as tx:
            found = mlflow_runs.unknown_jobs(tx, run_content.KINDS, _FOUND, newest_only=newest_only)
        if found or not newest_only:
            with self._database.write() as tx:
                mlflow_runs.add(tx, found, self._now())
                if not newest_only:
                    mlflow_runs.remove_ended_of_deleted(tx, _FOUND)
        return len(found) == _FOUND

    def update_next(self) -> bool:
        """Bring the run that is due for longest up to date; False if none is due.

        Raises MlflowAway; what MLflow refuses is tried again ever later.
        """
        with self._database.read() as tx:
            if not mlflow_runs.is_due(tx, self._now()):
                return False
        with self._database.write() as tx:
            now = self._now()
            until = now + timedelta(seconds=_LEASE_SECONDS)
            leased = mlflow_runs.lease_next(tx, until=until, now=now)
        if leased is None:
            return False
        try:
            self._update(leased)
        except MlflowAway:
            # Not the job's fault: it is tried again as soon as MLflow is there.
            self._record(leased, "away", next_try_at=self._now())
            raise
        except MlflowRefused as error:
            if error.code == "RESOURCE_DOES_NOT_EXIST":
                self._experiment_id = None
            wait = min(self._first_wait_seconds * 2**leased.tries, _LONGEST_WAIT_SECONDS)
            later = self._now() + timedelta(seconds=wait)
            tries = min(leased.tries + 1, 32)
            self._record(leased, "refused", next_try_at=later, tries=tries, error=str(error))
            raise
        return True

    def _update(self, leased: LeasedRun) -> None:
        run = self._run_of(leased)
        snapshot = self._snapshot(leased.job_id)
        if snapshot is None:
            self._end_deleted(leased, run)
            return
        if run is None:
            run = self._created(snapshot.job)
        if run.is_deleted:
            # Somebody did not want to see it.
            self._record(leased, "done", ended=True, error="its run was deleted in MLflow")
            return
        is_complete = self._send(run, snapshot)
        job = snapshot.job
        values: dict[str, Any] = {"run_id": run.id, "tries": 0, "error": None}
        if is_complete:
            values |= {"version": job.version, "ended": run_content.has_ended(job)}
        self._record(leased, "done", **values)

    def _run_of(self, leased: LeasedRun) -> Run | None:
        if leased.run_id is not None:
            run = self._api.run(leased.run_id)
            if run is not None:
                return run
        # It may have been made by a server that was killed before it had noted its id.
        return self._api.run_of_job(self._id_of_experiment(), leased.job_id)

    def _created(self, job: Job) -> Run:
        began = job.started_at or job.created_at
        name = run_content.name_of(job)
        return self._api.create(self._id_of_experiment(), job.id, name, began)

    def _send(self, run: Run, snapshot: _Snapshot) -> bool:
        """Send what the run does not have; whether that is all."""
        job = snapshot.job
        params = run_content.params_of(job)
        tags = run_content.tags_of(job, self._public_url)
        self._api.log(
            run.id,
            params={name: each for name, each in params.items() if name not in run.params},
            tags={name: each for name, each in tags.items() if run.tags.get(name) != each},
        )
        for name in run.tags:
            if name.startswith(run_content.LABEL) and name not in tags:
                self._api.delete_tag(run.id, name)
        points = self._points(run, snapshot)
        self._api.log(run.id, points[:_AT_ONCE])
        if len(points) > _AT_ONCE:
            return False
        status, name = run_content.status_of(job), run_content.name_of(job)
        if (status, name) != (run.status, run.tags.get("mlflow.runName")):
            self._api.update(run.id, status, name, run_content.ended_at(job))
        return True

    def _points(self, run: Run, snapshot: _Snapshot) -> list[Point]:
        return run_content.points_of(snapshot.job, snapshot.series, snapshot.times, run.last_steps)

    def _end_deleted(self, leased: LeasedRun, run: Run | None) -> None:
        if run is not None and not run.is_deleted:
            self._api.log(run.id, tags={"trainyard.state": "deleted"})
            name = run.tags.get("mlflow.runName", run.tags.get(JOB_TAG, leased.job_id))
            self._api.update(run.id, "KILLED", name, self._now())
        with self._database.write() as tx:
            mlflow_runs.remove(tx, leased)

    def _snapshot(self, job_id: str) -> _Snapshot | None:
        with self._database.read() as tx:
            stored = jobs.get(tx, job_id)
            if stored is None:
                return None
            charts = series.read(tx, job_id, None, 0, _ALL)
        times = charts.get(TIME, [])
        measured = {name: chart for name, chart in charts.items() if not is_own_name(name)}
        return _Snapshot(stored.job, measured, times)

    def _id_of_experiment(self) -> str:
        if self._experiment_id is None:
            self._experiment_id = self._api.experiment(self._experiment)
        return self._experiment_id

    def _record(self, leased: LeasedRun, outcome: str, **values: Any) -> None:
        with self._database.write() as tx:
            mlflow_runs.record(tx, leased, values)
            measure(tx, UPLOADS_METRIC, 1, outcome)
