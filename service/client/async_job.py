"""A job with its verbs, to be awaited."""

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import PrivateAttr

from service.client.async_checkpoint import AsyncCheckpoint
from service.client.async_driver import AsyncDriver
from service.client.async_verbs import own, own_pages, updates
from service.client.calls import (
    checkpoints,
    follow,
    job_actions,
    jobs,
    streams,
    tables,
    workers,
)
from service.client.series import LastMetrics, MetricSeries
from service.client.state import take_state, with_state
from service.client.tables import job_html, job_text
from service.contract import jobs as contract


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
    logs = own_pages(follow.log)
    attempts = own(jobs.attempts)
    lineage = own(jobs.job_lineage)
    samples = own(workers.job_samples)
    evaluation = own(tables.evaluation)


class AnyAsyncJob(_Verbs, contract.Job):
    """A job of any kind, with the verbs that all have."""

    _driver: AsyncDriver = PrivateAttr()
    if TYPE_CHECKING:
        metrics: LastMetrics[Awaitable[MetricSeries]]

    @classmethod
    def with_verbs(cls, driver: AsyncDriver, model: contract.Job) -> Self:
        """The job of a model of the contract."""
        return with_state(cls, driver, model)._with_series()

    async def retry(
        self,
        origin: str = "latest",
        *,
        resources: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> "AsyncJob":
        """Submit a copy of a failed or cancelled job, from `latest`, `start` or a checkpoint's id.

        `resources` take the place of the job's, as `{"gpus": 2}` does. The idempotency key makes
        one job even if the request is sent again.
        """
        model = await self._driver.run(
            job_actions.retry(self.id, origin, resources=resources, key=key)
        )
        return AsyncJob.with_verbs(self._driver, model)

    @property
    async def checkpoints(self) -> list[AsyncCheckpoint]:
        """All checkpoints of the job, the newest first, as they are now."""
        items = self._driver.iterate(checkpoints.checkpoints(job=self.id))
        return [AsyncCheckpoint.with_verbs(self._driver, item) async for item in items]

    @property
    async def latest(self) -> AsyncCheckpoint:
        """The checkpoint of the highest step, as of now; raises NotFound without one."""
        model = await self._driver.run(checkpoints.latest_checkpoint(job=self.id))
        return AsyncCheckpoint.with_verbs(self._driver, model)

    def _take(self, model: contract.Job) -> Self:
        return take_state(self, model)._with_series()

    def _with_series(self) -> Self:
        self.__dict__["metrics"] = LastMetrics(self.__dict__["metrics"], self._series)
        return self

    async def _series(self, *names: Any, **options: Any) -> MetricSeries:
        return await self._driver.run(jobs.metrics(self.id, *names, **options))

    def __repr__(self) -> str:
        return job_text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return job_html(self, {})


class AsyncJob(AnyAsyncJob):
    """A job in the state in which it was last read: every field of the API, and verbs.

    A verb that changes the job, `wait` and `refresh` bring the fields up to date. `metrics` has the
    last values; `metrics()` reads the series.
    """

    @property
    async def best(self) -> AsyncCheckpoint:
        """The checkpoint with the lowest value of the metric of the job's retention, as of now.

        Raises NotFound where none has it.
        """
        model = await self._driver.run(checkpoints.best_of(self))
        return AsyncCheckpoint.with_verbs(self._driver, model)
