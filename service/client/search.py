"""A search with its verbs, and the paths that it has found."""

from typing import Any, Self

from pydantic import PrivateAttr

from service.client.calls import downloads, searches
from service.client.driver import Driver
from service.client.job import AnyJob, Job
from service.client.pages import Pages
from service.client.state import with_state
from service.client.verbs import own
from service.contract.candidates import Candidate
from service.contract.search_summaries import CandidateOrder


class FoundPath(Candidate):
    """A path that a search has measured."""

    _driver: Driver = PrivateAttr()
    _search: str = PrivateAttr()

    @classmethod
    def of(cls, driver: Driver, search: str, model: Candidate) -> Self:
        """The path of a candidate of a search."""
        path = with_state(cls, driver, model)
        path._search = search
        return path

    def train(self, *, key: str | None = None, **fields: Any) -> Job:
        """Train it as a network of its own, from new weights.

        The fields of a training are keywords, such as `params`; left out, the data are those of the
        search, and the image size that of its supernet.
        """
        call = searches.train_candidate(self._search, self.blocks, key=key, **fields)
        return Job.with_verbs(self._driver, self._driver.run(call))


class _Verbs:
    """The calls about a search; apart since a model takes attributes for fields."""

    summary = own(searches.search_summary)
    download = own(downloads.download_files)


class Search(_Verbs, AnyJob):
    """The job of a search, with what it has found so far."""

    def candidates(self, *, order_by: CandidateOrder = "order") -> Pages[FoundPath]:
        """All that it has measured: as it asks for them, the best first, or the smallest first."""
        found = self._driver.iterate(searches.candidates(self.id, order_by=order_by))
        return Pages(FoundPath.of(self._driver, self.id, each) for each in found)

    @property
    def best(self) -> FoundPath:
        """The best path so far; raises TrainyardError where there is none."""
        best = self._driver.run(searches.best_candidate(self.id))
        return FoundPath.of(self._driver, self.id, best)
