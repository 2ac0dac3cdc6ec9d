"""Measures the candidates that a search asks for, and reports each."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from statistics import median
from typing import NoReturn

from service.contract.candidate_ranks import value_of
from service.contract.candidates import (
    Candidate,
    CandidatesFound,
    CandidatesWanted,
    Fitness,
    WantedCandidate,
)
from service.contract.counts import count_text
from service.contract.path_costs import PathCosts
from service.contract.search_params import SearchParams
from workers.networks.choices import Parts
from workers.search.batches import SearchBatches
from workers.search.evolution import Proposal
from workers.search.fitness import measured
from workers.training.attempt_results import Stopped
from workers.training.progress import Pace
from workers.training.run_context import RunContext

_MOST_IN_EVENT = 1000


class Measuring:
    """The fitness of every population, measured in groups or known already.

    Every rank calls it with the same populations, measures a share of each group, and has the
    whole result; the first one reports. `known` is by blocks. `total` is how many candidates there
    will be, unless the space has no more. In a search by several workers none is measured here:
    what is unknown is wanted of other jobs, and the attempt ends.
    """

    def __init__(
        self,
        context: RunContext,
        params: SearchParams,
        *,
        parts: Parts,
        batches: SearchBatches,
        costs: PathCosts,
        known: Mapping[str, Fitness],
        total: int,
    ) -> None:
        self._context, self.params = context, params
        self._parts, self.batches, self.costs = parts, batches, costs
        self._known, self.total = dict(known), total
        self._pace: Pace | None = None
        self.table: list[Candidate] = []

    def __call__(self, population: Sequence[Proposal]) -> Mapping[str, Fitness]:
        """The fitness of each, by blocks; raises Stopped, at every rank, once asked to stop.

        With several workers Stopped is raised if any is unknown.
        """
        self._report([each for each in population if each.blocks in self._known])
        unknown = [each for each in population if each.blocks not in self._known]
        if unknown and self.params.workers > 1:
            self._want(unknown)
        # Neighbours in this order have the longest beginnings in common.
        unknown.sort(key=lambda proposal: proposal.blocks)
        for group in _groups(unknown, self.params.at_once * self._context.ranks.world_size):
            if self._pace is None:
                # Only now: what is known already took no time.
                clock = self._context.clock
                images = self.batches.images_of_candidate
                self._pace = Pace(len(self.table), self.total, images, clock)
            for fitness in self._measured([each.blocks for each in group]):
                self._known[fitness.blocks] = fitness
            self._report(group)
        self._report_generation(population)
        return self._known

    def _want(self, unknown: Sequence[Proposal]) -> NoReturn:
        wanted = tuple(WantedCandidate(**each._asdict()) for each in unknown)
        body = CandidatesWanted(candidates=wanted).model_dump(mode="json")
        self._context.events.report("wanted", body)
        jobs = count_text(min(self.params.workers, len(unknown)), "job")
        candidates = count_text(len(unknown), "candidate")
        raise Stopped(f"waits for the measurements of {candidates} by {jobs}")

    def _measured(self, paths: Sequence[str]) -> Iterator[Fitness]:
        ranks = self._context.ranks
        # As even as it can be: at each batch the ranks wait for the slowest.
        first, last = (
            len(paths) * number // ranks.world_size for number in (ranks.rank, ranks.rank + 1)
        )
        batches = self.batches
        with self._context.times.on("validation"):
            found = measured(
                self._parts,
                paths[first:last],
                batches.recalibration(),
                batches.labelled(),
                self.params.recalibration,
                batches.goes_on,
            )
            gathered = ranks.gathered([each.model_dump() for each in found])
        for of_rank in gathered:
            yield from map(Fitness.model_validate, of_rank)

    def _report(self, group: Sequence[Proposal]) -> None:
        for proposals in _groups(group, _MOST_IN_EVENT):
            found = tuple(self._candidate(each) for each in proposals)
            self.table += found
            body = CandidatesFound(candidates=found).model_dump(mode="json")
            self._context.events.report("candidates", body)
        if group:
            self._report_progress()

    def _report_progress(self) -> None:
        step = len(self.table)
        speed = {} if self._pace is None else self._pace.at(step)
        if self._pace is not None:
            self._pace.mark(step)
        body = {"phase": "search", "step": step, "total_steps": self.total, **speed}
        self._context.events.report("progress", body, f"{step} of {self.total} candidates")

    def _report_generation(self, population: Sequence[Proposal]) -> None:
        """The best so far and the median of a generation, where they are finite."""
        if not population or population[0].generation == 0:
            return
        by = self.params.fitness
        name = "loss" if by == "loss" else "top1_error"
        values = {
            f"best_{name}": min(value_of(each, by) for each in self.table),
            f"median_{name}": median(value_of(self._known[each.blocks], by) for each in population),
        }
        metrics = {name: value for name, value in values.items() if isfinite(value)}
        self._context.events.report("metrics", {"step": len(self.table), "metrics": metrics})

    def _candidate(self, proposal: Proposal) -> Candidate:
        return Candidate(
            **self._known[proposal.blocks].model_dump(),
            order=proposal.order,
            generation=proposal.generation,
            origin=proposal.origin,
            multiply_adds=self.costs.of_path(proposal.blocks),
        )


def _groups(proposals: Sequence[Proposal], size: int) -> Iterator[Sequence[Proposal]]:
    for first in range(0, len(proposals), size):
        yield proposals[first : first + size]
