"""A search with its verbs, to be awaited, and the paths that it has found."""

from collections.abc import AsyncIterator
from typing import Any, Self

from pydantic import PrivateAttr

from service.client.async_driver import AsyncDriver
from service.client.async_job import AnyAsyncJob, AsyncJob
from service.client.async_verbs import own
from service.client.calls import downloads, searches
from service.client.pages import AsyncPages
from service.client.state import with_state
from service.contract.candidates import Candidate
from service.contract.search_summaries import CandidateOrder


class AsyncFoundPath(Candidate):
    """A path that a search has measured."""

    _driver: AsyncDriver = PrivateAttr()
    _search: str = PrivateAttr()

    @classmethod
    def of(cls, driver: AsyncDriver, search: str, model: Candidate) -> Self:
        """The path of a candidate of a search."""
        path = with_state(cls, driver, model)
        path._search = search
        return path

    async def train(self, *, key: str | None = None, **fields: Any) -> AsyncJob:
        """Train it as a network of its own, from new weights.

        The fields of a training are keywords, such as `params`; left out, the data are those of the
        search, and the image size that of its supernet.
        """
        call = searches.train_candidate(self._search, self.blocks, key=key, **fields)
        return AsyncJob.with_verbs(self._driver, await self._driver.run(call))


class _Verbs:
    """The calls about a search; apart since a model takes attributes for fields."""

    summary = own(searches.search_summary)
    download = own(downloads.download_files)


class AsyncSearch(_Verbs, AnyAsyncJob):
    """The job of a search, with what it has found so far."""

    def candidates(self, *, order_by: CandidateOrder = "order") -> AsyncPages[AsyncFoundPath]:
        """All that it has measured: as it asks for them, the best first, or the smallest first."""
        return AsyncPages(self._found(order_by))

    @property
    async def best(self) -> AsyncFoundPath:
        """The best path so far; raises TrainyardError where there is none."""
        best = await self._driver.run(searches.best_candidate(self.id))
        return AsyncFoundPath.of(self._driver, self.id, best)

    async def _found(self, order_by: CandidateOrder) -> AsyncIterator[AsyncFoundPath]:
        flow = searches.candidates(self.id, order_by=order_by)
        async for each in self._driver.iterate(flow):
            yield AsyncFoundPath.of(self._driver, self.id, each)
