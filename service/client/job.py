"""A job with its verbs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import PrivateAttr

from service.client.calls import (
    checkpoints,
    follow,
    job_actions,
    jobs,
    streams,
    tables,
    workers,
)
from service.client.checkpoint import Checkpoint
from service.client.driver import Driver
from service.client.errors import TrainyardError
from service.client.pages import ItemList
from service.client.series import LastMetrics, MetricSeries
from service.client.state import take_state, with_state
from service.client.tables import job_html, job_text
from service.client.verbs import own, own_pages, own_text, updates
from service.contract import jobs as contract

_CURVE_POINTS = 200


class _Verbs:
    """The calls about a job; in a class of their own since a model takes attributes for fields."""

    refresh = updates(jobs.job)
    wait = updates(follow.wait_until_end)
    cancel = updates(job_actions.cancel)
    pause = updates(job_actions.pause)
    resume = updates(job_actions.resume)
    edit = updates(job_actions.edit)
    delete = own(job_actions.delete)
    stream = own_pages(streams.stream)
    events = own_pages(jobs.events)
    logs = own_text(follow.log)
    attempts = own(jobs.attempts)
    lineage = own(jobs.job_lineage)
    samples = own(workers.job_samples)
    evaluation = own(tables.evaluation)


class AnyJob(_Verbs, contract.Job):
    """A job of any kind, with the verbs that all have."""

    _driver: Driver = PrivateAttr()
    if TYPE_CHECKING:
        metrics: LastMetrics[MetricSeries]

    @classmethod
    def with_verbs(cls, driver: Driver, model: contract.Job) -> Self:
        """The job of a model of the contract."""
        return with_state(cls, driver, model)._with_series()

    def retry(
        self,
        origin: str = "latest",
        *,
        resources: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> "Job":
        """Submit a copy of a failed or cancelled job, from `latest`, `start` or a checkpoint's id.

        `resources` take the place of the job's, as `{"gpus": 2}` does. The idempotency key makes
        one job even if the request is sent again.
        """
        model = self._driver.run(job_actions.retry(self.id, origin, resources=resources, key=key))
        return Job.with_verbs(self._driver, model)

    @property
    def checkpoints(self) -> ItemList[Checkpoint]:
        """All checkpoints of the job, the newest first, as they are now."""
        items = self._driver.iterate(checkpoints.checkpoints(job=self.id))
        return ItemList(Checkpoint.with_verbs(self._driver, item) for item in items)

    @property
    def latest(self) -> Checkpoint:
        """The checkpoint of the highest step, as of now; raises NotFound without one."""
        model = self._driver.run(checkpoints.latest_checkpoint(job=self.id))
        return Checkpoint.with_verbs(self._driver, model)

    def _take(self, model: contract.Job) -> Self:
        return take_state(self, model)._with_series()

    def _with_series(self) -> Self:
        self.__dict__["metrics"] = LastMetrics(self.__dict__["metrics"], self._series)
        return self

    def _series(self, *names: Any, **options: Any) -> MetricSeries:
        return self._driver.run(jobs.metrics(self.id, *names, **options))

    def __repr__(self) -> str:
        return job_text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        try:
            series = dict(self._series(max_points=_CURVE_POINTS))
        except TrainyardError:
            # What was read before is worth showing while the server is away.
            series = {}
        return job_html(self, series)


class Job(AnyJob):
    """A job in the state in which it was last read: every field of the API, and verbs.

    A verb that changes the job, `wait` and `refresh` bring the fields up to date. `metrics` has the
    last values; `metrics()` reads the series.
    """

    @property
    def best(self) -> Checkpoint:
        """The checkpoint with the lowest value of the metric of the job's retention, as of now.

        Raises NotFound where none has it.
        """
        return Checkpoint.with_verbs(self._driver, self._driver.run(checkpoints.best_of(self)))
